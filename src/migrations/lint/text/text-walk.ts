import type { ParsedStatement } from "../../parse-sql.ts";
import type { CatalogView, Relation, RelationKind, RelationName } from "../catalog-view.ts";
import { qualified, relationName } from "../names.ts";
import type { StepFailure, Walk } from "../walk.ts";
import { builtInFunctions, builtInType } from "./built-in.ts";
import { MadeTypes } from "./made-types.ts";

/**
 * Walks without a server. It knows which relations the file made, for which nobody waits; types that any of the files
 * made; and what PostgreSQL brings along. Everything else is not known, and what is not known counts as blocking.
 */
export function openTextWalk(home: string, serverVersion: number): Walk {
  return new TextWalk(home, serverVersion);
}

class TextWalk implements Walk {
  readonly view: CatalogView;
  readonly isForeseen = false;
  readonly #home: string;
  readonly #made = new Map<string, Relation>();
  #types: MadeTypes;
  /** As they were before a way back. */
  #typesBefore: MadeTypes | undefined;

  constructor(home: string, serverVersion: number) {
    this.#home = home;
    this.#types = new MadeTypes(home);
    const find = async (name: RelationName): Promise<Relation> =>
      this.#made.get(this.#idOf(name)) ?? this.#relationOf({ ...name, kind: "table" }, true);
    this.view = Object.freeze({
      ...NOTHING_KNOWN,
      serverVersion,
      home,
      find,
      get: async (id: string) => this.#made.get(id),
      type: async (name: RelationName, isArray: boolean) =>
        builtInType(name, isArray) ?? this.#types.find(name, isArray),
    });
  }

  #idOf({ schema, name }: RelationName): string {
    return JSON.stringify([schema ?? this.#home, name]);
  }

  async begin(direction: "up" | "down"): Promise<void> {
    // What earlier files made may be in use by now, and what became of it since is not known.
    this.#made.clear();
    this.#typesBefore = direction === "down" ? this.#types.copy() : undefined;
  }

  async step({ tree }: ParsedStatement): Promise<StepFailure | undefined> {
    const made = madeBy(tree);
    if (made !== undefined) this.#made.set(this.#idOf(made), this.#relationOf(made, false));
    this.#types.note(tree);
    return undefined;
  }

  /** What no file made is taken to be there, and in use. */
  #relationOf({ schema = this.#home, name, kind }: Made, isOld: boolean): Relation {
    const label = qualified({ schema: schema === this.#home ? undefined : schema, name });
    return { ...UNKNOWN_RELATION, id: this.#idOf({ schema, name }), schema, name, label, kind, isOld };
  }

  async end(): Promise<void> {
    this.#types = this.#typesBefore ?? this.#types;
  }

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

const notKnown = async (): Promise<undefined> => undefined;

const NOTHING_KNOWN: Omit<CatalogView, "serverVersion" | "home" | "find" | "get" | "type"> = {
  isComplete: false,
  prefetch: async () => {},
  isBinaryCoercible: notKnown,
  operatorClass: notKnown,
  functions: async (name) => builtInFunctions(name),
  tablesOfType: notKnown,
  dropLocks: notKnown,
  hasPart: notKnown,
  readBy: notKnown,
  queryOf: notKnown,
  inSchema: notKnown,
  plan: notKnown,
};
