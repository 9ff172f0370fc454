/**
 * A live database as a typed, ordered model: what `readCatalog` reads, `compareCatalogs` compares and
 * `planDifference` writes as SQL.
 *
 * Names: `schema` is `undefined` for objects of the home schema (the application's own), so that copies under two
 * schema names are equal, and for objects that live in no schema (extensions, schemas). Every expression and
 * definition is the server's own text, read with `search_path` set to the home schema as migrations run: names in
 * the home schema are bare there, all others are qualified.
 *
 * An object's id is `kind name`, with the schema before the name where it is not home: `table tasks`,
 * `column tasks.title`, `constraint tasks.tasks_pkey`, `index tasks_title_idx`, `function touch(integer)`,
 * `table audit.entries`. Identifiers in ids are quoted as SQL quotes them, only where they must be.
 */
export type CatalogObject =
  | SchemaObject
  | ExtensionObject
  | EnumObject
  | DomainObject
  | CompositeObject
  | RangeObject
  | SequenceObject
  | TableObject
  | ConstraintObject
  | IndexObject
  | ViewObject
  | RoutineObject
  | TriggerObject
  | PolicyObject
  | RuleObject
  | StatisticsObject
  | OtherObject;

export type ObjectKind = CatalogObject["kind"];

/** What one role may do with an object; the owner's own rights are left out. `grantee` is `public` for everybody. */
export interface Grant {
  readonly grantee: string;
  /** In the server's order, lower case: `select`, `insert`, `execute`, `usage`. */
  readonly privileges: readonly string[];
  /** Those of them it may hand on. */
  readonly grantable: readonly string[];
}

/** What every object has. */
interface ObjectBase {
  readonly id: string;
  readonly schema: string | undefined;
  readonly name: string;
  readonly comment: string | undefined;
  /** Sorted by grantee. Empty for kinds that carry no rights. */
  readonly grants: readonly Grant[];
  /**
   * Ids of the objects it needs, from `pg_depend`, and ids of columns (`column tasks.title`) where the server
   * records them. Sorted. Only objects of this catalog; never itself, never its own parts.
   */
  readonly dependsOn: readonly string[];
}

/** A schema other than home. */
export interface SchemaObject extends ObjectBase {
  readonly kind: "schema";
}

export interface ExtensionObject extends ObjectBase {
  readonly kind: "extension";
  /** The schema its objects live in; `undefined` when that is home. */
  readonly home: string | undefined;
  readonly version: string;
}

export interface EnumObject extends ObjectBase {
  readonly kind: "enum";
  readonly values: readonly string[];
}

export interface DomainObject extends ObjectBase {
  readonly kind: "domain";
  readonly type: string;
  readonly collation: string | undefined;
  readonly default: string | undefined;
  readonly notNull: boolean;
  readonly checks: readonly DomainCheck[];
}

export interface DomainCheck {
  readonly name: string;
  /** `CHECK ((VALUE > 0))`, without NOT VALID. */
  readonly definition: string;
  readonly isValid: boolean;
}

export interface CompositeObject extends ObjectBase {
  readonly kind: "composite type";
  readonly attributes: readonly {
    readonly name: string;
    readonly type: string;
    readonly collation: string | undefined;
  }[];
}

export interface RangeObject extends ObjectBase {
  readonly kind: "range type";
  /** `create type …` as one statement. */
  readonly definition: string;
}

export interface SequenceOptions {
  readonly type: string;
  readonly start: string;
  readonly increment: string;
  readonly minimum: string;
  readonly maximum: string;
  readonly cache: string;
  readonly cycles: boolean;
}

/** A sequence, but for those of identity columns, which are part of the column. */
export interface SequenceObject extends ObjectBase {
  readonly kind: "sequence";
  readonly options: SequenceOptions;
  /** Id of the column it ends with (`serial`), such as `column tasks.id`. */
  readonly ownedBy: string | undefined;
  readonly isUnlogged: boolean;
}

export interface TableObject extends ObjectBase {
  readonly kind: "table";
  readonly isUnlogged: boolean;
  /** `RANGE (created_at)`, for a partitioned table. */
  readonly partitionKey: string | undefined;
  /** For a partition: the id of the table it belongs to, and `FOR VALUES …` or `DEFAULT`. */
  readonly partitionOf: { readonly parent: string; readonly bound: string } | undefined;
  /** Ids of the tables it inherits from, without partitioning. */
  readonly inherits: readonly string[];
  /** `fillfactor=70`, sorted. */
  readonly options: readonly string[];
  readonly rowSecurity: boolean;
  readonly forceRowSecurity: boolean;
  /** `default`, `full`, `nothing`, or `index NAME`. */
  readonly replicaIdentity: string;
  /** By position; comparison goes by name. */
  readonly columns: readonly CatalogColumn[];
}

export interface CatalogColumn {
  readonly id: string;
  readonly name: string;
  /** As `format_type` writes it. */
  readonly type: string;
  /** Only where it is not the type's own. */
  readonly collation: string | undefined;
  readonly notNull: boolean;
  /** False for a NOT NULL that existing rows were never checked for (PostgreSQL 18). */
  readonly isNotNullValid: boolean;
  readonly default: string | undefined;
  readonly identity:
    | { readonly mode: "always" | "by default"; readonly options: SequenceOptions }
    | undefined;
  readonly generated: { readonly expression: string; readonly mode: "stored" | "virtual" } | undefined;
  /** Only where it is not the type's own: `plain`, `external`, `extended`, `main`. */
  readonly storage: string | undefined;
  /** `pglz` or `lz4`, where set. */
  readonly compression: string | undefined;
  /** `set statistics`, where set. */
  readonly statistics: number | undefined;
  /** It comes from the parent of a partition or an inheriting table, and is not declared here as well. */
  readonly isInherited: boolean;
  readonly comment: string | undefined;
  readonly grants: readonly Grant[];
  /** What its type, default and generated expression need. */
  readonly dependsOn: readonly string[];
}

/** A key, foreign key, check or exclusion. NOT NULL belongs to the column, on every version. */
export interface ConstraintObject extends ObjectBase {
  readonly kind: "constraint";
  /** Id of its table. */
  readonly table: string;
  readonly type: "primary key" | "unique" | "foreign key" | "check" | "exclusion" | "trigger";
  /** As `pg_get_constraintdef` writes it, without NOT VALID and NOT ENFORCED. */
  readonly definition: string;
  readonly isValid: boolean;
  /** False for NOT ENFORCED (PostgreSQL 18). */
  readonly isEnforced: boolean;
  /** The triggers that check it are disabled, by `disable trigger all`: the server lets everything through. */
  readonly isSuspended: boolean;
  /** Columns of the table it names, in its order. */
  readonly columns: readonly string[];
  /** Id of the table a foreign key refers to. */
  readonly references: string | undefined;
  /** It comes from the parent of a partition, and goes with it. */
  readonly isInherited: boolean;
  /** The server or Drizzle made the name up: it follows from table and columns. */
  readonly isNameGenerated: boolean;
}

/** An index that no constraint owns. */
export interface IndexObject extends ObjectBase {
  readonly kind: "index";
  readonly table: string;
  readonly isUnique: boolean;
  readonly isValid: boolean;
  readonly method: string;
  /** `create index NAME on TABLE …`, as one statement without CONCURRENTLY; with `on only` for partitioned tables. */
  readonly definition: string;
  /** Columns it names directly, in its order; expressions as `undefined`. */
  readonly columns: readonly (string | undefined)[];
  /** Id of the parent's index a partition's index is attached to: it goes with it. */
  readonly attachedTo: string | undefined;
  readonly isNameGenerated: boolean;
}

/** A view or a materialized view, which may have indexes. */
export interface ViewObject extends ObjectBase {
  readonly kind: "view" | "materialized view";
  readonly options: readonly string[];
  /** The query, without the final semicolon. */
  readonly query: string;
  readonly columns: readonly {
    readonly name: string;
    readonly type: string;
    readonly comment: string | undefined;
  }[];
}

export interface RoutineObject extends ObjectBase {
  readonly kind: "function" | "procedure" | "aggregate";
  /** `integer, text`: with the name it is the identity. */
  readonly signature: string;
  /** `create or replace …` as one statement, the name bare where it is home. */
  readonly definition: string;
  /** What it returns; a change of it cannot be replaced in place. Empty for procedures. */
  readonly returns: string;
  /** Names, modes and defaults of its arguments: a change of them cannot always be replaced in place either. */
  readonly arguments: string;
}

export interface TriggerObject extends ObjectBase {
  readonly kind: "trigger";
  /** Id of its table or view. */
  readonly table: string;
  /** `create trigger …` as one statement. */
  readonly definition: string;
  readonly enabled: "origin" | "disabled" | "replica" | "always";
  /** A partition's copy of its parent's. */
  readonly isInherited: boolean;
}

export interface PolicyObject extends ObjectBase {
  readonly kind: "policy";
  readonly table: string;
  readonly command: "all" | "select" | "insert" | "update" | "delete";
  readonly isPermissive: boolean;
  /** `public` for everybody; sorted. */
  readonly roles: readonly string[];
  readonly using: string | undefined;
  readonly check: string | undefined;
}

/** A rewrite rule, other than a view's own. */
export interface RuleObject extends ObjectBase {
  readonly kind: "rule";
  readonly table: string;
  readonly definition: string;
}

export interface StatisticsObject extends ObjectBase {
  readonly kind: "statistics";
  readonly table: string;
  readonly definition: string;
}

/** Something Plinth compares but does not take apart: a collation, a text search configuration, an operator. */
export interface OtherObject extends ObjectBase {
  readonly kind:
    | "collation"
    | "text search dictionary"
    | "text search configuration"
    | "operator"
    | "operator class"
    | "cast"
    | "event trigger"
    | "publication"
    | "foreign table"
    | "foreign server";
  /** What makes it; with statements after the first, each behind `;` and a line end, where one cannot say it all. */
  readonly definition: string;
}

/** A live database, ordered by kind and id. */
export interface Catalog {
  /** The schema whose names are bare. */
  readonly home: string;
  /** Major version of the server it was read from. */
  readonly serverVersion: number;
  readonly objects: readonly CatalogObject[];
}
