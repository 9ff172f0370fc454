/** Shapes of a catalog as the linter asks for them, and the interface of whoever answers. */
import type { RelationName } from "../statement-kind.ts";

export type { RelationName };

export type RelationKind =
  | "table"
  | "partitioned"
  | "view"
  | "materialized"
  | "index"
  | "partitioned-index"
  | "sequence"
  | "foreign"
  | "composite";

/** A relation just before a statement. */
export interface Relation {
  readonly id: string;
  readonly schema: string;
  readonly name: string;
  /** As effects call it: bare in the home schema, quoted where SQL needs it. */
  readonly label: string;
  readonly kind: RelationKind;
  /** It was there before the file ran: others may be using it. */
  readonly isOld: boolean;
  readonly persistence: "permanent" | "unlogged" | "temporary";
  readonly owner: string;
  /** Facts below are complete. False for a table that only its name is known of. */
  readonly isKnown: boolean;
  readonly columns: readonly Column[];
  readonly indexes: readonly Index[];
  /** Its own, foreign keys among them. */
  readonly constraints: readonly Constraint[];
  /** Foreign keys of tables that refer to it, its own to itself among them. */
  readonly referencedBy: readonly Constraint[];
  readonly triggers: readonly Trigger[];
  /** Direct parents, of which a partition has one. */
  readonly parents: readonly string[];
  /** Direct children. */
  readonly children: readonly string[];
  readonly partition: PartitionFacts | undefined;
  /** Sequences of its serial and identity columns. */
  readonly sequences: readonly OwnedSequence[];
  /** Of an index. */
  readonly tableId: string | undefined;
  readonly tablespace: string;
  /** Rows can be seen only as policies allow. */
  readonly hasRowSecurity: boolean;
}

export interface Column {
  readonly name: string;
  readonly number: number;
  readonly type: TypeFacts;
  readonly modifier: number;
  readonly isNotNull: boolean;
  /** The default, or what a generated column is made from, as SQL. */
  readonly expression: string | undefined;
  readonly generated: "stored" | "virtual" | undefined;
  readonly isIdentity: boolean;
  /** Name of its collation; `default` is the database's. */
  readonly collation: string | undefined;
}

/** What a type is, with what lies below a domain. */
export interface TypeFacts {
  readonly schema: string;
  /** As `pg_type` has it: `int4`, `varchar`; of an array its element's. */
  readonly name: string;
  readonly isArray: boolean;
  readonly kind: "base" | "domain" | "enum" | "composite" | "range" | "other";
  /** Of a domain: the type below it, which may be a domain. */
  readonly base: TypeFacts | undefined;
  /** Of a domain. */
  readonly baseModifier: number;
  /** Of a domain: it, or one below it, has a check or is not null. */
  readonly isConstrained: boolean;
  /** Of a domain: its default as SQL. */
  readonly expression: string | undefined;
}

export interface Index {
  readonly id: string;
  readonly name: string;
  readonly label: string;
  readonly isOld: boolean;
  readonly method: string;
  readonly isUnique: boolean;
  readonly isPrimary: boolean;
  readonly isValid: boolean;
  readonly nullsNotDistinct: boolean;
  readonly isExclusion: boolean;
  readonly isClustered: boolean;
  readonly isReplicaIdentity: boolean;
  readonly keys: readonly IndexKey[];
  /** Columns it only carries. */
  readonly included: readonly string[];
  /** Every column that its keys, expressions and predicate speak of. */
  readonly uses: readonly string[];
  readonly predicate: string | undefined;
  readonly hasExpressions: boolean;
  /** The constraint it belongs to. */
  readonly constraint: string | undefined;
  /** The index of the partitioned table that this one is a part of. */
  readonly parentId: string | undefined;
  readonly tablespace: string;
}

export interface IndexKey {
  /** Undefined for an expression. */
  readonly column: string | undefined;
  /** As `pg_get_indexdef` writes it, without operator class and order. */
  readonly text: string;
  readonly operatorClass: string;
  readonly collation: string | undefined;
  /** `indoption`: descending, nulls first. */
  readonly options: number;
}

export interface Constraint {
  readonly id: string;
  readonly name: string;
  readonly kind: "check" | "foreign-key" | "primary-key" | "unique" | "exclusion" | "not-null" | "trigger";
  readonly tableId: string;
  readonly columns: readonly string[];
  readonly isValid: boolean;
  readonly isEnforced: boolean;
  readonly isNoInherit: boolean;
  readonly isInherited: boolean;
  /** What a check says, as SQL. */
  readonly expression: string | undefined;
  /** Of a key: its index. */
  readonly indexId: string | undefined;
  readonly reference: Reference | undefined;
  /** The partitioned table's constraint that this one is a part of. */
  readonly parentId: string | undefined;
  readonly isDeferrable: boolean;
}

/** Where a foreign key points. */
export interface Reference {
  readonly tableId: string;
  readonly columns: readonly string[];
  readonly onDelete: ReferenceAction;
  readonly onUpdate: ReferenceAction;
}

export type ReferenceAction = "no action" | "restrict" | "cascade" | "set null" | "set default";

export interface Trigger {
  readonly name: string;
  readonly functionName: RelationName;
  readonly events: readonly ("insert" | "update" | "delete" | "truncate")[];
  readonly isEnabled: boolean;
  readonly isRow: boolean;
}

export interface PartitionFacts {
  /** `RANGE (happened_on)`, where it is partitioned itself. */
  readonly key: string | undefined;
  /** `FOR VALUES FROM (…) TO (…)` or `DEFAULT`, where it is a partition. */
  readonly bound: string | undefined;
  readonly defaultId: string | undefined;
}

export interface OwnedSequence {
  readonly id: string;
  readonly column: string;
  readonly isIdentity: boolean;
}

/** What is dropped, to find what goes with it. */
export type DropSeed =
  | { readonly kind: "relation"; readonly id: string }
  | { readonly kind: "column"; readonly id: string; readonly column: string }
  | { readonly kind: "constraint"; readonly id: string; readonly name: string }
  | { readonly kind: "default"; readonly id: string; readonly column: string }
  | { readonly kind: "type" | "schema" | "statistics"; readonly name: RelationName }
  | { readonly kind: "function"; readonly name: RelationName; readonly arity: number | undefined }
  | { readonly kind: "extension" | "operator" | "owned"; readonly name: string };

/** A relation that a drop locks. */
export interface DropLock {
  readonly relation: Relation;
  readonly mode: "AccessExclusiveLock" | "ShareUpdateExclusiveLock";
  /** It goes away itself. */
  readonly isGone: boolean;
}

/** How the server would run a query. */
export interface PlanFacts {
  /** Relations the plan reads. Pruned partitions are not among them. */
  readonly reads: readonly PlannedRead[];
  /** Relations it writes, leaves of partitioned ones where the plan names them. */
  readonly writes: readonly Relation[];
}

export interface PlannedRead {
  readonly relation: Relation;
  /** From end to end. */
  readonly isSequential: boolean;
}

/** What a name that can be called does. */
export interface FunctionFacts {
  readonly volatility: "immutable" | "stable" | "volatile";
  readonly isBuiltIn: boolean;
  readonly language: string;
  /** `create function …`, where it is not built in. */
  readonly definition: string | undefined;
}

/**
 * Answers questions about the catalog as it is just before a statement. An answer of `undefined` where the thing exists
 * means: not known.
 */
export interface CatalogView {
  /** Major version the effects are worked out for. */
  readonly serverVersion: number;
  /** The schema whose names are bare. */
  readonly home: string;
  /** Everything is known that a server knows: what is not found does not exist. */
  readonly isComplete: boolean;
  /** Several names at once, which costs no more than one; with the tables at the other end of their foreign keys. */
  prefetch(names: readonly RelationName[], withNeighbours?: boolean): Promise<void>;
  find(name: RelationName): Promise<Relation | undefined>;
  get(id: string): Promise<Relation | undefined>;
  type(name: RelationName, isArray: boolean): Promise<TypeFacts | undefined>;
  /** A value of one type is one of the other without being touched. */
  isBinaryCoercible(from: TypeFacts, to: TypeFacts): Promise<boolean | undefined>;
  /** The operator class an index on the type gets by itself. */
  operatorClass(method: string, type: TypeFacts): Promise<string | undefined>;
  /** Every overload with the number of arguments. Empty: there is none. */
  functions(name: RelationName, arity: number | undefined): Promise<readonly FunctionFacts[] | undefined>;
  /** Tables with a column of the type, through domains and arrays. */
  tablesOfType(name: RelationName): Promise<readonly Relation[] | undefined>;
  /** What dropping these locks, cascade or not. */
  dropLocks(seeds: readonly DropSeed[]): Promise<readonly DropLock[] | undefined>;
  /** Whether the table has a policy or rule of that name, or any. */
  hasPart(id: string, kind: "policy" | "rule", name: string | undefined): Promise<boolean | undefined>;
  /** Relations a view reads, directly. */
  readBy(id: string): Promise<readonly Relation[] | undefined>;
  /** The query of a view or materialized view, as SQL. */
  queryOf(id: string): Promise<string | undefined>;
  /** Every relation of a schema. */
  inSchema(schema: string): Promise<readonly Relation[] | undefined>;
  /** The plan of a query, `insert`, `update`, `delete` or `merge`. */
  plan(text: string): Promise<PlanFacts | undefined>;
}
