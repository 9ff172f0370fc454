/**
 * The statement tree: what a repository call means, before it is text. Repositories build it, behaviours add to
 * it, the compiler in `statement/` writes it down. Nodes are plain immutable data; none holds SQL text of a
 * caller.
 */

/** A table as one statement refers to it; the alias is unique within the statement. */
export interface TableReference {
  readonly schema: string;
  readonly name: string;
  readonly alias: string;
}

export interface ColumnNode {
  readonly kind: "column";
  readonly table: TableReference;
  readonly name: string;
}

/** A value that travels beside the text, already encoded. The same node used twice is one parameter. */
export interface ParameterNode {
  readonly kind: "parameter";
  readonly value: string | Buffer | null;
  /** Written as a cast where PostgreSQL could not infer the type. */
  readonly type?: string;
}

/**
 * `clock_timestamp()`: this moment, by the database's clock. Not `now()`, which stands still inside a transaction: two
 * rows deleted one after the other would seem to have died together.
 */
export interface NowNode {
  readonly kind: "now";
}

/** The row an `on conflict … do update` would have inserted. */
export interface ExcludedNode {
  readonly kind: "excluded";
  readonly name: string;
}

export interface SumNode {
  readonly kind: "sum";
  readonly left: Expression;
  readonly right: Expression;
}

export interface CoalesceNode {
  readonly kind: "coalesce";
  readonly of: readonly Expression[];
}

/** `count(*)` of the statement's own rows. */
export interface CountNode {
  readonly kind: "count";
}

/** A subselect that counts the rows of another select. */
export interface CountOfNode {
  readonly kind: "count-of";
  readonly of: Select;
}

export type Expression =
  | ColumnNode
  | ParameterNode
  | NowNode
  | ExcludedNode
  | SumNode
  | CoalesceNode
  | CountNode
  | CountOfNode;

export type ComparisonOperator = "=" | "<>" | "<" | "<=" | ">" | ">=" | "like" | "ilike";

export type Condition =
  | {
      readonly kind: "comparison";
      readonly operator: ComparisonOperator;
      readonly left: Expression;
      readonly right: Expression;
    }
  | { readonly kind: "null"; readonly of: Expression; readonly negated: boolean }
  /** `of = any($1)`: one array parameter, whatever the number of values. */
  | {
      readonly kind: "any-of";
      readonly of: Expression;
      readonly values: ParameterNode;
      readonly negated: boolean;
    }
  /** `(a, b) in (select * from unnest($1, $2))`: one array parameter for each part of a composite key. */
  | {
      readonly kind: "any-row-of";
      readonly of: readonly Expression[];
      readonly values: readonly ParameterNode[];
    }
  | { readonly kind: "and" | "or"; readonly of: readonly Condition[] }
  | { readonly kind: "not"; readonly of: Condition };

/** A condition of a statement, and the behaviour that added it, if the caller did not. */
export interface Filter {
  readonly condition: Condition;
  readonly addedBy?: string;
}

export interface Ordering {
  readonly of: Expression;
  readonly descending: boolean;
}

/** One thing a select gives: a value, or related rows folded into one JSON value of text cells. */
export type Projection =
  | { readonly kind: "value"; readonly of: Expression }
  | { readonly kind: "nested"; readonly many: boolean; readonly of: Select };

export interface Select {
  readonly kind: "select";
  readonly from: TableReference;
  readonly projections: readonly Projection[];
  readonly filters: readonly Filter[];
  readonly orderBy: readonly Ordering[];
  readonly limit?: ParameterNode | undefined;
  readonly offset?: ParameterNode | undefined;
}

/** A column of an insert: a value per row, or one expression for all of them. */
export type InsertColumn =
  | {
      readonly kind: "per-row";
      readonly name: string;
      readonly type: string;
      readonly values: readonly (string | Buffer | null)[];
    }
  | { readonly kind: "constant"; readonly name: string; readonly value: Expression };

export interface Conflict {
  /** The columns of the unique key; empty means any key. */
  readonly columns: readonly string[];
  /** The predicate of a partial unique index, so that PostgreSQL can infer it. */
  readonly indexFilter?: Condition | undefined;
  /** What to set on the row that is there; absent means leave it alone. */
  readonly set?: readonly Assignment[] | undefined;
}

export interface Assignment {
  readonly name: string;
  readonly value: Expression;
  readonly addedBy?: string;
}

export interface Insert {
  readonly kind: "insert";
  readonly into: TableReference;
  readonly rowCount: number;
  readonly columns: readonly (InsertColumn & { readonly addedBy?: string })[];
  readonly conflict?: Conflict | undefined;
  readonly returning: readonly Projection[];
}

export interface Update {
  readonly kind: "update";
  readonly table: TableReference;
  readonly set: readonly Assignment[];
  readonly filters: readonly Filter[];
  readonly returning: readonly Projection[];
}

export interface Delete {
  readonly kind: "delete";
  readonly from: TableReference;
  readonly filters: readonly Filter[];
  readonly returning: readonly Projection[];
}

export type Write = Insert | Update | Delete;
export type Tree = Select | Write;
