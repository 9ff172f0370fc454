import type { Connection } from "../../../driver/index.ts";
import type {
  CatalogView,
  DropLock,
  DropSeed,
  FunctionFacts,
  PlanFacts,
  PlannedRead,
  Relation,
  RelationName,
  TypeFacts,
} from "../catalog-view.ts";
import { quotedPath } from "../names.ts";
import { decodeRelation, decodeTypes } from "./decode.ts";
import { readDropLocks } from "./drop-queries.ts";
import { explainQuery, type PlannedIndex } from "./explain.ts";
import {
  newestRelation,
  type RelationRows,
  type Rows,
  readBehind,
  readCastMethod,
  readFunctions,
  readIndexKinds,
  readOperatorClass,
  readPart,
  readSchemaRelations,
  readSnapshot,
  readTablesOfType,
  readType,
  readViewQuery,
} from "./queries.ts";
import type { Changed } from "./reach.ts";
import { Remembered } from "./remembered.ts";

/** A view on a database on which the migrations are replayed. */
export interface LiveView extends CatalogView {
  /** From here on a file begins: what is there now is what others may be using. */
  beginFile(): Promise<void>;
  /** Something may have changed: what is remembered is forgotten. */
  forget(): void;
  /** A statement has changed or made these, and nothing else: the rest is remembered. */
  forgetChanged(changed: Changed): void;
  /** What is asked for before long, which is read along with what has to be read. */
  expect(upcoming: () => Expected): void;
  /** Another session on the same database. */
  attach(connection: Connection): void;
  /** The session is in use until this has settled: what is remembered is told at once, and for the rest it is waited. */
  waitFor(step: Promise<unknown>): void;
}

/** Names that will be asked for, as `prefetch` takes them. */
export interface Expected {
  readonly names: readonly RelationName[];
  readonly withNeighbours: readonly RelationName[];
}

const NOTHING_EXPECTED: Expected = Object.freeze({ names: [], withNeighbours: [] });

/** Answers from the catalogs of the database the connection is on, and remembers them until `forget`. */
export async function openLiveView(
  connection: Connection,
  home: string,
  serverVersion: number,
): Promise<LiveView> {
  const { rows } = await connection.query({ text: "show server_version_num", values: [] });
  const view = new LiveCatalog(connection, home, serverVersion, {
    realVersion: Math.floor(Number(rows[0]?.[0]) / 10_000),
    ...(await readKinds(connection)),
  });
  await view.beginFile();
  return view;
}

async function readKinds(connection: Connection): Promise<IndexKinds> {
  const { methods, operatorClasses } = await readIndexKinds(connection);
  return { methods: namesById(methods), operatorClasses: namesById(operatorClasses) };
}

/** Extensions bring kinds of their own along. */
function knowsKinds({ indexes }: RelationRows, { methods, operatorClasses }: IndexKinds): boolean {
  return indexes.every((row) => {
    const classes = (row[17] ?? "").split(" ").filter((oid) => oid !== "");
    return methods.has(row[4] ?? "") && classes.every((oid) => operatorClasses.has(oid));
  });
}

function namesById(rows: Rows): ReadonlyMap<string, string> {
  return new Map(rows.map(([oid, name]) => [oid ?? "", name ?? ""]));
}

interface Wanted {
  readonly names?: readonly RelationName[];
  /** With the tables at the other end of their foreign keys. */
  readonly farNames?: readonly RelationName[];
  readonly ids?: readonly string[];
}

/** Names by OID of what indexes are made with. */
interface IndexKinds {
  readonly methods: ReadonlyMap<string, string>;
  readonly operatorClasses: ReadonlyMap<string, string>;
}

/** What statements hardly ever change. */
interface ServerKinds extends IndexKinds {
  /** Of the server itself, whatever version effects are told for. */
  readonly realVersion: number;
}

class LiveCatalog implements LiveView {
  readonly serverVersion: number;
  readonly home: string;
  readonly isComplete = true;
  #connection: Connection;
  #settled: Promise<unknown> = Promise.resolve();
  #kinds: ServerKinds;
  #newestOld = 0n;
  /** Types of PostgreSQL's own by OID, which no statement changes. */
  readonly #builtIn = new Map<string, TypeFacts>();
  readonly #builtInNames = new Map<string, TypeFacts>();
  readonly #remembered = new Remembered();
  readonly #types = new Map<string, Promise<TypeFacts | undefined>>();
  readonly #casts = new Map<string, Promise<boolean>>();
  readonly #operatorClasses = new Map<string, Promise<string | undefined>>();
  readonly #functions = new Map<string, Promise<readonly FunctionFacts[]>>();
  /** OIDs. */
  readonly #behind = new Map<string, Promise<readonly string[]>>();
  #expected: () => Expected = () => NOTHING_EXPECTED;
  /** When it was last looked, a name without a schema was one of the home schema, or of PostgreSQL's own. */
  #hasOneSchema = false;
  /** And it was so for everything that is remembered. */
  #isSure = false;

  constructor(connection: Connection, home: string, serverVersion: number, kinds: ServerKinds) {
    this.#connection = connection;
    this.#kinds = kinds;
    this.home = home;
    this.serverVersion = serverVersion;
  }

  async beginFile(): Promise<void> {
    this.#newestOld = await newestRelation(this.#connection);
    // The new file's names are looked for in the home schema, and so were these.
    if (this.#isSure) this.#remembered.makeOld();
    else this.forget();
  }

  forget(): void {
    this.#isSure = false;
    this.#remembered.clear();
    this.#types.clear();
    this.#casts.clear();
    this.#operatorClasses.clear();
    this.#functions.clear();
    this.#behind.clear();
  }

  forgetChanged(changed: Changed): void {
    // Of two relations of one name the new one may come first, and the names of its indexes are not in the statement.
    if (!this.#isSure || !this.#remembered.forgetChanged(changed)) {
      this.forget();
      return;
    }
    // A table is a type as well.
    this.#types.clear();
    this.#behind.clear();
  }

  expect(upcoming: () => Expected): void {
    this.#expected = upcoming;
  }

  attach(connection: Connection): void {
    this.#connection = connection;
    this.forget();
  }

  waitFor(step: Promise<unknown>): void {
    // Whoever began it hears of its failure.
    this.#settled = step.catch(() => undefined);
  }

  async #session(): Promise<Connection> {
    await this.#settled;
    return this.#connection;
  }

  async find(name: RelationName): Promise<Relation | undefined> {
    if (!this.#remembered.hasName(name)) await this.prefetch([name]);
    const id = this.#remembered.idOf(name);
    return id === undefined ? undefined : this.get(id);
  }

  async get(id: string): Promise<Relation | undefined> {
    if (id === "") return undefined;
    if (!this.#remembered.has(id)) await this.#load({ ids: [id] });
    return this.#remembered.get(id);
  }

  async prefetch(names: readonly RelationName[], withNeighbours = false): Promise<void> {
    if (names.every((name) => this.#remembered.hasName(name))) return;
    // Elsewhere nothing is remembered past the next change.
    const expected = this.#hasOneSchema ? this.#expected() : NOTHING_EXPECTED;
    await this.#load({
      names: [...(withNeighbours ? [] : names), ...expected.names],
      farNames: [...(withNeighbours ? names : []), ...expected.withNeighbours],
    });
  }

  /** Reads those that are not remembered. */
  async #load({ names = [], farNames = [], ids = [] }: Wanted): Promise<void> {
    const far = this.#missing(farNames);
    const near = this.#missing(names);
    for (const path of far.keys()) near.delete(path);
    const missing = ids.filter((id) => !this.#remembered.has(id));
    if (near.size + far.size + missing.length === 0) return;
    const snapshot = await readSnapshot(await this.#session(), this.#kinds.realVersion, {
      names: [...near.keys()],
      farNames: [...far.keys()],
      ids: missing,
      known: this.#remembered.ids(),
      knownTypes: [...this.#builtIn.keys()],
    });
    this.#hasOneSchema = snapshot.searchPath.every(
      (schema) => schema === this.home || schema === "pg_catalog",
    );
    this.#isSure = this.#hasOneSchema;
    for (const [path, id] of snapshot.names) {
      const name = near.get(path ?? "") ?? far.get(path ?? "");
      if (path != null && name !== undefined) this.#remembered.addName({ name, path, id: id ?? undefined });
    }
    if (snapshot.relations.some((rows) => !knowsKinds(rows, this.#kinds))) {
      this.#kinds = { ...this.#kinds, ...(await readKinds(await this.#session())) };
    }
    const types = decodeTypes(snapshot.types, this.#builtIn);
    for (const [oid, type] of types) if (type.schema === "pg_catalog") this.#builtIn.set(oid, type);
    const ground = { home: this.home, newestOld: this.#newestOld, types, ...this.#kinds };
    for (const rows of snapshot.relations) this.#remembered.add(decodeRelation(rows, ground));
  }

  /** Their names without a schema, by what SQL writes. */
  #missing(names: readonly RelationName[]): Map<string, string> {
    const missing = names.filter((name) => !this.#remembered.hasName(name));
    return new Map(missing.map((name) => [quotedPath(name), name.name]));
  }

  async #all(ids: readonly string[]): Promise<readonly Relation[]> {
    await this.#load({ ids });
    return ids.flatMap((id) => {
      const relation = this.#remembered.get(id);
      return relation === undefined ? [] : [relation];
    });
  }

  type(name: RelationName, isArray: boolean): Promise<TypeFacts | undefined> {
    const path = quotedPath(name) + (isArray ? "[]" : "");
    const builtIn = this.#builtInNames.get(path);
    if (builtIn !== undefined) return Promise.resolve(builtIn);
    return once(this.#types, path, async () => {
      const rows = await readType(await this.#session(), path);
      const oid = rows.find((row) => row[9] === "t")?.[0];
      const type = oid == null ? undefined : decodeTypes(rows).get(oid);
      if (type?.schema === "pg_catalog") this.#builtInNames.set(path, type);
      return type;
    });
  }

  isBinaryCoercible(from: TypeFacts, to: TypeFacts): Promise<boolean | undefined> {
    const [source, target] = [typePath(from), typePath(to)];
    return once(
      this.#casts,
      `${source} ${target}`,
      async () => (await readCastMethod(await this.#session(), source, target)) === "b",
    );
  }

  operatorClass(method: string, type: TypeFacts): Promise<string | undefined> {
    const path = typePath(type);
    return once(this.#operatorClasses, `${method} ${path}`, async () =>
      readOperatorClass(await this.#session(), method, path),
    );
  }

  functions(name: RelationName, arity: number | undefined): Promise<readonly FunctionFacts[]> {
    return once(this.#functions, `${quotedPath(name)} ${arity}`, async () => {
      const rows = await readFunctions(await this.#session(), name.schema, name.name, arity);
      return rows.map(([volatility, isBuiltIn, language, definition]) => ({
        volatility: volatility === "i" ? "immutable" : volatility === "s" ? "stable" : "volatile",
        isBuiltIn: isBuiltIn === "t",
        language: language ?? "",
        definition: definition ?? undefined,
      }));
    });
  }

  async tablesOfType(name: RelationName): Promise<readonly Relation[]> {
    return this.#all(await readTablesOfType(await this.#session(), quotedPath(name)));
  }

  async dropLocks(seeds: readonly DropSeed[]): Promise<readonly DropLock[]> {
    if (seeds.length === 0) return [];
    const rows = await readDropLocks(await this.#session(), seeds);
    await this.#load({ ids: rows.map(([id]) => String(id)) });
    return rows.flatMap(([id, mode, isGone]) => {
      const relation = this.#remembered.get(String(id));
      if (relation === undefined) return [];
      const isWeak = mode === "ShareUpdateExclusiveLock";
      return [
        {
          relation,
          mode: isWeak ? "ShareUpdateExclusiveLock" : "AccessExclusiveLock",
          isGone: isGone === "t",
        },
      ];
    });
  }

  async readBy(id: string): Promise<readonly Relation[]> {
    return this.#all(await once(this.#behind, id, async () => readBehind(await this.#session(), id)));
  }

  async hasPart(id: string, kind: "policy" | "rule", name: string | undefined): Promise<boolean> {
    return readPart(await this.#session(), id, kind, name);
  }

  async queryOf(id: string): Promise<string | undefined> {
    return readViewQuery(await this.#session(), id);
  }

  async inSchema(schema: string): Promise<readonly Relation[]> {
    return this.#all(await readSchemaRelations(await this.#session(), schema));
  }

  async plan(text: string): Promise<PlanFacts | undefined> {
    const planned = await explainQuery(await this.#session(), text);
    if (planned === undefined) return undefined;
    const reads: PlannedRead[] = [];
    const writes: Relation[] = [];
    for (const { name, isSequential, indexes } of planned) {
      const relation = await this.find(name);
      if (relation === undefined) continue;
      if (isSequential === undefined) writes.push(relation);
      else
        reads.push({
          relation,
          isSequential: isSequential || indexes.some((used) => isReadThrough(relation, used)),
        });
    }
    return { reads, writes };
  }
}

/** An index is read from end to end when the condition says nothing about its first column. */
function isReadThrough(relation: Relation, { name, condition }: PlannedIndex): boolean {
  const key = relation.indexes.find((index) => index.name === name)?.keys[0]?.text;
  return condition !== undefined && key !== undefined && !condition.includes(key);
}

function once<T>(answers: Map<string, Promise<T>>, key: string, ask: () => Promise<T>): Promise<T> {
  const known = answers.get(key);
  if (known !== undefined) return known;
  const asked = ask();
  answers.set(key, asked);
  return asked;
}

function typePath(type: TypeFacts): string {
  return quotedPath({ schema: type.schema, name: type.name }) + (type.isArray ? "[]" : "");
}
