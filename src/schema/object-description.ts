import type {
  ColumnDescription,
  EntityDescription,
  IndexDescription,
  ObjectId,
  SequenceOptions,
} from "./description.ts";

/** What every declared object has. */
interface ObjectBase {
  readonly schema: string;
  readonly name: string;
  readonly comment: string | undefined;
  /** What must be there before it, as far as its declaration says; only ids of its own schema. */
  readonly needs: readonly ObjectId[];
  /** Later declarations have higher numbers. */
  readonly order: number;
}

export interface ExtensionDescription extends ObjectBase {
  readonly kind: "extension";
  /** The schema its objects live in; `undefined` when that is the application's own. */
  readonly target: string | undefined;
  readonly version: string | undefined;
}

export interface DomainDescription extends ObjectBase {
  readonly kind: "domain";
  /** Its type, default and not null. */
  readonly base: ColumnDescription;
  readonly checks: readonly { readonly name: string; readonly expression: string }[];
}

export interface CompositeTypeDescription extends ObjectBase {
  readonly kind: "composite type";
  readonly attributes: readonly ColumnDescription[];
}

export interface SequenceDescription extends ObjectBase {
  readonly kind: "sequence";
  readonly options: SequenceOptions;
}

/** An argument: its default is its column's. */
export interface ArgumentDescription extends ColumnDescription {
  readonly mode: "in" | "out" | "inout";
}

/** What a routine gives back. */
export type ResultDescription =
  | { readonly kind: "nothing" }
  | { readonly kind: "trigger" }
  | { readonly kind: "value"; readonly isSet: boolean; readonly type: ColumnDescription }
  /** Rows of a table's type. */
  | { readonly kind: "row"; readonly isSet: boolean; readonly of: EntityDescription }
  /** `returns table (…)`. */
  | { readonly kind: "table"; readonly columns: readonly ColumnDescription[] };

export interface RoutineDescription extends ObjectBase {
  readonly kind: "function" | "procedure";
  readonly arguments: readonly ArgumentDescription[];
  readonly returns: ResultDescription;
  readonly language: string;
  readonly body: string;
  readonly volatility: "volatile" | "stable" | "immutable";
  readonly parallel: "unsafe" | "restricted" | "safe";
  readonly isStrict: boolean;
  readonly isLeakproof: boolean;
  readonly isDefiner: boolean;
  /** Its search_path is its own schema, whoever calls. */
  readonly hasOwnPath: boolean;
  readonly cost: number | undefined;
  readonly rows: number | undefined;
}

export interface ViewDescription extends ObjectBase {
  readonly kind: "view" | "materialized view";
  readonly query: string;
  /** Options as DDL writes them: `security_invoker = true`. */
  readonly options: readonly string[];
  /** `local` or `cascaded`, of a view. */
  readonly checkOption: string | undefined;
  /** The access method and tablespace of a materialized view. */
  readonly using: string | undefined;
  readonly tablespace: string | undefined;
  readonly withData: boolean;
  readonly indexes: readonly Omit<IndexDescription, "uniqueColumns">[];
}

export interface TriggerDescription extends ObjectBase {
  readonly kind: "trigger";
  /** The table or view it is on. */
  readonly table: string;
  readonly timing: "before" | "after" | "instead of";
  readonly events: readonly string[];
  /** Columns of `update of`. */
  readonly columns: readonly string[];
  readonly isForEachRow: boolean;
  readonly condition: string | undefined;
  readonly execute: string;
  readonly arguments: readonly string[];
  readonly oldRows: string | undefined;
  readonly newRows: string | undefined;
  readonly deferrable: "immediate" | "deferred" | undefined;
}

export interface GrantDescription {
  readonly kind: "grant";
  readonly schema: string;
  readonly order: number;
  readonly needs: readonly ObjectId[];
  /** As DDL writes it: `table "tasks"`, `function "touch"(text)`. */
  readonly on: GrantTarget;
  readonly columns: readonly string[];
  readonly privileges: readonly string[];
  /** As DDL writes them. */
  readonly roles: readonly string[];
  readonly withGrantOption: boolean;
}

/** What rights are granted on. */
export interface GrantTarget {
  readonly kind: "table" | "sequence" | "function" | "procedure" | "type" | "domain";
  readonly name: string;
}

export type ObjectDescription =
  | ExtensionDescription
  | DomainDescription
  | CompositeTypeDescription
  | SequenceDescription
  | RoutineDescription
  | ViewDescription
  | TriggerDescription
  | GrantDescription;

/** An old name, so that a migration renames instead of dropping. All names are the database's. */
export interface RenameDescription {
  readonly kind: "table" | "column" | "enum value";
  /** The table of a column, or the enum of a value, by its new name. */
  readonly of?: string | undefined;
  readonly from: string;
  readonly to: string;
}
