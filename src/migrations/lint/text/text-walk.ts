import type { ParsedStatement } from "../../parse-sql.ts";
import type {
  CatalogView,
  FunctionFacts,
  Relation,
  RelationKind,
  RelationName,
  TypeFacts,
} from "../catalog-view.ts";
import { qualified, relationName } from "../names.ts";
import type { StepFailure, Walk } from "../walk.ts";

/**
 * Walks without a server. It knows which relations the files made, and that nobody waits for one of the same file;
 * everything else is not known, and what is not known counts as blocking.
 */
export function openTextWalk(home: string, serverVersion: number): Walk {
  return new TextWalk(home, serverVersion);
}

class TextWalk implements Walk {
  readonly view: CatalogView;
  readonly #home: string;
  readonly #made = new Map<string, Relation>();

  constructor(home: string, serverVersion: number) {
    this.#home = home;
    const find = async (name: RelationName): Promise<Relation> =>
      this.#made.get(this.#idOf(name)) ?? this.#relationOf({ ...name, kind: "table" }, true);
    this.view = Object.freeze({
      ...NOTHING_KNOWN,
      serverVersion,
      home,
      find,
      get: async (id: string) => this.#made.get(id),
    });
  }

  #idOf({ schema, name }: RelationName): string {
    return JSON.stringify([schema ?? this.#home, name]);
  }

  async begin(): Promise<void> {
    // What earlier files made may be in use by now, and what became of it since is not known.
    this.#made.clear();
  }

  async step({ tree }: ParsedStatement): Promise<StepFailure | undefined> {
    const made = madeBy(tree);
    if (made !== undefined) this.#made.set(this.#idOf(made), this.#relationOf(made, false));
    return undefined;
  }

  /** What no file made is taken to be there, and in use. */
  #relationOf({ schema = this.#home, name, kind }: Made, isOld: boolean): Relation {
    const label = qualified({ schema: schema === this.#home ? undefined : schema, name });
    return { ...UNKNOWN_RELATION, id: this.#idOf({ schema, name }), schema, name, label, kind, isOld };
  }

  async end(): Promise<void> {}

  async close(): Promise<void> {}
}

interface Made extends RelationName {
  readonly kind: RelationKind;
}

/** The relation a statement makes, if it makes one. */
function madeBy(tree: ParsedStatement["tree"]): Made | undefined {
  if ("CreateStmt" in tree) {
    const { relation, partspec } = tree.CreateStmt;
    return { ...relationName(relation), kind: partspec === undefined ? "table" : "partitioned" };
  }
  if ("CreateTableAsStmt" in tree) {
    const { into, objtype } = tree.CreateTableAsStmt;
    return { ...relationName(into?.rel), kind: objtype === "OBJECT_MATVIEW" ? "materialized" : "table" };
  }
  if ("ViewStmt" in tree) return { ...relationName(tree.ViewStmt.view), kind: "view" };
  if ("CreateSeqStmt" in tree) return { ...relationName(tree.CreateSeqStmt.sequence), kind: "sequence" };
  return undefined;
}

/** Only its name is known. */
const UNKNOWN_RELATION: Omit<Relation, "id" | "schema" | "name" | "label" | "kind" | "isOld"> = {
  isKnown: false,
  persistence: "permanent",
  owner: "",
  columns: [],
  indexes: [],
  constraints: [],
  referencedBy: [],
  triggers: [],
  parents: [],
  children: [],
  partition: undefined,
  sequences: [],
  tableId: undefined,
  tablespace: "",
  hasRowSecurity: false,
};

/** PostgreSQL's own types that columns are made of; its schema is looked at before any other. */
const TYPES = new Set(
  (
    "bool int2 int4 int8 float4 float8 numeric money text varchar bpchar char name bytea uuid json jsonb xml date time timetz " +
    "timestamp timestamptz interval inet cidr macaddr macaddr8 bit varbit point line lseg box path polygon circle tsvector " +
    "tsquery int4range int8range numrange tsrange tstzrange daterange oid"
  ).split(" "),
);

/** PostgreSQL's own functions that defaults are made of. */
const FUNCTIONS: Readonly<Record<string, FunctionFacts["volatility"]>> = {
  now: "stable",
  transaction_timestamp: "stable",
  current_setting: "stable",
  lower: "immutable",
  upper: "immutable",
  length: "immutable",
  gen_random_uuid: "volatile",
  uuidv7: "volatile",
  clock_timestamp: "volatile",
  random: "volatile",
  nextval: "volatile",
};

function isOfServer({ schema }: RelationName): boolean {
  return schema === undefined || schema === "pg_catalog";
}

function builtInType(name: RelationName, isArray: boolean): TypeFacts | undefined {
  if (!isOfServer(name) || !TYPES.has(name.name)) return undefined;
  return {
    schema: "pg_catalog",
    name: name.name,
    isArray,
    kind: "base",
    base: undefined,
    baseModifier: -1,
    isConstrained: false,
    expression: undefined,
  };
}

function builtInFunction(name: RelationName): readonly FunctionFacts[] | undefined {
  const volatility = isOfServer(name) ? FUNCTIONS[name.name] : undefined;
  if (volatility === undefined) return undefined;
  return [{ volatility, isBuiltIn: true, language: "internal", definition: undefined }];
}

const notKnown = async (): Promise<undefined> => undefined;

const NOTHING_KNOWN: Omit<CatalogView, "serverVersion" | "home" | "find" | "get"> = {
  isComplete: false,
  prefetch: async () => {},
  type: async (name, isArray) => builtInType(name, isArray),
  isBinaryCoercible: notKnown,
  operatorClass: notKnown,
  functions: async (name) => builtInFunction(name),
  tablesOfType: notKnown,
  dropLocks: notKnown,
  hasPart: notKnown,
  readBy: notKnown,
  queryOf: notKnown,
  inSchema: notKnown,
  plan: notKnown,
};
