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

/** A view on a database on which the migrations are replayed. */
export interface LiveView extends CatalogView {
  /** From here on a file begins: what is there now is what others may be using. */
  beginFile(): Promise<void>;
  /** Something may have changed: what is remembered is forgotten. */
  forget(): void;
  /** Another session on the same database. */
  attach(connection: Connection): void;
}

/** Answers from the catalogs of the database the connection is on, and remembers them until `forget`. */
export async function openLiveView(
  connection: Connection,
  home: string,
  serverVersion: number,
): Promise<LiveView> {
  const { methods, operatorClasses } = await readIndexKinds(connection);
  const { rows } = await connection.query({ text: "show server_version_num", values: [] });
  const view = new LiveCatalog(connection, home, serverVersion, {
    realVersion: Math.floor(Number(rows[0]?.[0]) / 10_000),
    methods: namesById(methods),
    operatorClasses: namesById(operatorClasses),
  });
  await view.beginFile();
  return view;
}

function namesById(rows: Rows): ReadonlyMap<string, string> {
  return new Map(rows.map(([oid, name]) => [oid ?? "", name ?? ""]));
}

/** What does not change while the linter runs. */
interface ServerKinds {
  /** Of the server itself, whatever version effects are told for. */
  readonly realVersion: number;
  readonly methods: ReadonlyMap<string, string>;
  readonly operatorClasses: ReadonlyMap<string, string>;
}

class LiveCatalog implements LiveView {
  readonly serverVersion: number;
  readonly home: string;
  readonly isComplete = true;
  #connection: Connection;
  readonly #kinds: ServerKinds;
  #newestOld = 0n;
  /** Types of PostgreSQL's own by OID, which no statement changes. */
  readonly #builtIn = new Map<string, TypeFacts>();
  readonly #builtInNames = new Map<string, TypeFacts>();
  readonly #relations = new Map<string, Relation>();
  readonly #types = new Map<string, Promise<TypeFacts | undefined>>();
  readonly #casts = new Map<string, Promise<boolean>>();
  readonly #operatorClasses = new Map<string, Promise<string | undefined>>();
  readonly #functions = new Map<string, Promise<readonly FunctionFacts[]>>();
  readonly #behind = new Map<string, Promise<readonly Relation[]>>();
  readonly #names = new Map<string, string | undefined>();

  constructor(connection: Connection, home: string, serverVersion: number, kinds: ServerKinds) {
    this.#connection = connection;
    this.#kinds = kinds;
    this.home = home;
    this.serverVersion = serverVersion;
  }

  async beginFile(): Promise<void> {
    this.#newestOld = await newestRelation(this.#connection);
    this.forget();
  }

  forget(): void {
    this.#relations.clear();
    this.#names.clear();
    this.#types.clear();
    this.#casts.clear();
    this.#operatorClasses.clear();
    this.#functions.clear();
    this.#behind.clear();
  }

  attach(connection: Connection): void {
    this.#connection = connection;
    this.forget();
  }

  async find(name: RelationName): Promise<Relation | undefined> {
    const path = quotedPath(name);
    if (!this.#names.has(path)) await this.prefetch([name]);
    const id = this.#names.get(path);
    return id === undefined ? undefined : this.get(id);
  }

  async get(id: string): Promise<Relation | undefined> {
    if (id === "") return undefined;
    if (!this.#relations.has(id)) await this.#load([], [id]);
    return this.#relations.get(id);
  }

  async prefetch(names: readonly RelationName[], withNeighbours = false): Promise<void> {
    const paths = [...new Set(names.map(quotedPath))].filter((path) => !this.#names.has(path));
    if (paths.length > 0) await this.#load(paths, [], withNeighbours);
  }

  async #load(paths: readonly string[], ids: readonly string[], withNeighbours = false): Promise<void> {
    const missing = ids.filter((id) => !this.#relations.has(id));
    if (paths.length + missing.length === 0) return;
    const knownTypes = [...this.#builtIn.keys()];
    const asked = { names: paths, ids: missing, withNeighbours, knownTypes };
    const snapshot = await readSnapshot(this.#connection, this.#kinds.realVersion, asked);
    for (const [path, id] of snapshot.names) this.#names.set(path ?? "", id ?? undefined);
    const types = decodeTypes(snapshot.types, this.#builtIn);
    for (const [oid, type] of types) if (type.schema === "pg_catalog") this.#builtIn.set(oid, type);
    const ground = { home: this.home, newestOld: this.#newestOld, types, ...this.#kinds };
    for (const rows of snapshot.relations) {
      const relation = decodeRelation(rows, ground);
      this.#relations.set(relation.id, relation);
    }
  }

  async #all(ids: readonly string[]): Promise<readonly Relation[]> {
    await this.#load([], ids);
    return ids.flatMap((id) => {
      const relation = this.#relations.get(id);
      return relation === undefined ? [] : [relation];
    });
  }

  type(name: RelationName, isArray: boolean): Promise<TypeFacts | undefined> {
    const path = quotedPath(name) + (isArray ? "[]" : "");
    const builtIn = this.#builtInNames.get(path);
    if (builtIn !== undefined) return Promise.resolve(builtIn);
    return once(this.#types, path, async () => {
      const rows = await readType(this.#connection, path);
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
      async () => (await readCastMethod(this.#connection, source, target)) === "b",
    );
  }

  operatorClass(method: string, type: TypeFacts): Promise<string | undefined> {
    const path = typePath(type);
    return once(this.#operatorClasses, `${method} ${path}`, () =>
      readOperatorClass(this.#connection, method, path),
    );
  }

  functions(name: RelationName, arity: number | undefined): Promise<readonly FunctionFacts[]> {
    return once(this.#functions, `${quotedPath(name)} ${arity}`, async () => {
      const rows = await readFunctions(this.#connection, name.schema, name.name, arity);
      return rows.map(([volatility, isBuiltIn, language, definition]) => ({
        volatility: volatility === "i" ? "immutable" : volatility === "s" ? "stable" : "volatile",
        isBuiltIn: isBuiltIn === "t",
        language: language ?? "",
        definition: definition ?? undefined,
      }));
    });
  }

  async tablesOfType(name: RelationName): Promise<readonly Relation[]> {
    return this.#all(await readTablesOfType(this.#connection, quotedPath(name)));
  }

  async dropLocks(seeds: readonly DropSeed[]): Promise<readonly DropLock[]> {
    if (seeds.length === 0) return [];
    const rows = await readDropLocks(this.#connection, seeds);
    await this.#load(
      [],
      rows.map(([id]) => String(id)),
    );
    return rows.flatMap(([id, mode, isGone]) => {
      const relation = this.#relations.get(String(id));
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

  readBy(id: string): Promise<readonly Relation[]> {
    return once(this.#behind, id, async () => this.#all(await readBehind(this.#connection, id)));
  }

  hasPart(id: string, kind: "policy" | "rule", name: string | undefined): Promise<boolean> {
    return readPart(this.#connection, id, kind, name);
  }

  queryOf(id: string): Promise<string | undefined> {
    return readViewQuery(this.#connection, id);
  }

  async inSchema(schema: string): Promise<readonly Relation[]> {
    return this.#all(await readSchemaRelations(this.#connection, schema));
  }

  async plan(text: string): Promise<PlanFacts | undefined> {
    const planned = await explainQuery(this.#connection, text);
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
