/**
 * The statement tree: what a repository call means, before it is text. Repositories build it, behaviours add to
 * it, the compiler in `statement/` writes it down. Nodes are plain immutable data; none holds SQL text of a
 * caller.
 */
import type { Call, Encoded } from "./call.ts";

export type ParameterValue = Encoded | ((call: Call) => Encoded);

/** A table as one statement refers to it; the alias is unique within the statement. */
export interface TableReference {
  readonly schema: string;
  readonly name: string;
  readonly alias: string;
  /** The table is read as it was. */
  readonly past?: PastTable | undefined;
}

/** A table as of a moment. */
export interface PastTable {
  readonly moment: ParameterNode;
  /** A subselect with the table's columns, for SQL of the moment. */
  readonly source: (moment: string) => string;
}

export interface ColumnNode {
  readonly kind: "column";
  readonly table: TableReference;
  readonly name: string;
}

/** A value that travels beside the text. The same node used twice is one parameter. */
export interface ParameterNode {
  readonly kind: "parameter";
  /** The same in every call, or how to take it from one. */
  readonly value: ParameterValue;
  /** Written as a cast where PostgreSQL could not infer the type. */
  readonly type?: string;
  /** It is what the actor alone says, and the database has to be told of that actor with the statement. @default false */
  readonly isOfActor?: boolean;
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

/** Two values made one: numbers, arrays or jsonb documents. */
export interface ArithmeticNode {
  readonly kind: "arithmetic";
  readonly operator: "+" | "-" | "*" | "||";
  readonly left: Expression;
  readonly right: Expression;
}

/** The other truth value. */
export interface NegationNode {
  readonly kind: "negation";
  readonly of: Expression;
}

export interface CoalesceNode {
  readonly kind: "coalesce";
  readonly of: readonly Expression[];
}

/** `count(*)` of the statement's own rows. */
export interface CountNode {
  readonly kind: "count";
}

/** One value of a group of rows. */
export interface AggregateNode {
  readonly kind: "aggregate";
  readonly name: "count" | "sum" | "avg" | "min" | "max";
  readonly of: Expression;
  /** Equal values are taken once. */
  readonly isDistinct: boolean;
}

/** A subselect that counts the rows of another select. */
export interface CountOfNode {
  readonly kind: "count-of";
  readonly of: Select;
}

/** A part of the key that a `forEach` is at. */
export interface ForEachKeyNode {
  readonly kind: "for-each-key";
  readonly alias: string;
  readonly part: number;
  /** What to read it as, where it travelled as text. */
  readonly type?: string;
}

/** A function of PostgreSQL's own, or of an extension. */
export interface FunctionNode {
  readonly kind: "function";
  readonly name:
    | "array_remove"
    | "cardinality"
    | "greatest"
    | "jsonb_typeof"
    | "to_tsquery"
    | "to_tsvector"
    | "ts_headline"
    | "ts_rank_cd"
    | "tsquery_and"
    | "tsquery_or"
    | "websearch_to_tsquery"
    | "word_similarity";
  /** Where an extension has it. */
  readonly schema?: string;
  readonly of: readonly Expression[];
}

/** A value that is the same for all rows, worked out once for all of them. */
export interface OnceNode {
  readonly kind: "once";
  readonly of: Expression;
}

/**
 * A text that stands in the statement itself, because PostgreSQL compares it with an index's expression: the
 * configuration of a text search. It is quoted when it is written, and part of the shape.
 */
export interface LiteralNode {
  readonly kind: "literal";
  readonly text: string;
}

/** What stands at a path of a JSON document, as jsonb. */
export interface JsonPathNode {
  readonly kind: "json-path";
  readonly of: Expression;
  readonly path: ParameterNode;
  /** The document is json, and what is found is read as jsonb. */
  readonly isCast: boolean;
}

/** An application's own SQL, from a template of its code: texts, with columns and parameters between them. */
export interface SqlNode {
  readonly kind: "sql";
  readonly parts: readonly (string | Expression)[];
  /** What it is cast to. */
  readonly type: string;
}

export type Expression =
  | SqlNode
  | ColumnNode
  | ParameterNode
  | NowNode
  | ExcludedNode
  | ArithmeticNode
  | NegationNode
  | CoalesceNode
  | CountNode
  | AggregateNode
  | CountOfNode
  | ForEachKeyNode
  | WalkDepthNode
  | FunctionNode
  | OnceNode
  | LiteralNode
  | JsonPathNode;

export type ComparisonOperator =
  | "="
  | "<>"
  | "<"
  | "<="
  | ">"
  | ">="
  | "like"
  | "ilike"
  /** Contains, is contained by, overlaps: of arrays, jsonb and ranges. */
  | "@>"
  | "<@"
  | "&&"
  /** A jsonb object has the key. */
  | "?"
  /** A tsvector matches a tsquery. */
  | "@@"
  /** A network contains or is contained by another, or is the same. */
  | ">>="
  | "<<=";

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
  /** `(a, b) > ($1, $2)`: column by column, which an index on them follows from the first row to the last. */
  | {
      readonly kind: "row-comparison";
      readonly operator: "<" | ">";
      readonly left: readonly Expression[];
      readonly right: readonly Expression[];
    }
  | { readonly kind: "and" | "or"; readonly of: readonly Condition[] }
  | { readonly kind: "not"; readonly of: Condition }
  /** False or null: `not` alone would leave the null ones out. */
  | { readonly kind: "untrue"; readonly of: Condition }
  /** Whether the condition holds, compared with a truth that only the call knows. */
  | { readonly kind: "truth"; readonly of: Condition; readonly is: ParameterNode }
  | { readonly kind: "exists"; readonly of: Select; readonly negated: boolean }
  /** An application's own SQL, from a template of its code: texts, with columns and parameters between them. */
  | { readonly kind: "sql"; readonly parts: readonly (string | Expression)[] };

/** A condition of a statement, and the behaviour that added it, if the caller did not. */
export interface Filter {
  readonly condition: Condition;
  readonly addedBy?: string;
}

export interface Ordering {
  readonly of: Expression;
  readonly descending: boolean;
  /** Where it is not what PostgreSQL does by itself: last, and first when descending. */
  readonly nulls?: "first" | "last" | undefined;
}

/** One thing a select gives: a value, or related rows folded into one JSON value of text cells. */
export type Projection =
  | { readonly kind: "value"; readonly of: Expression }
  | { readonly kind: "nested"; readonly many: boolean; readonly of: Select };

/** A table that gives each row at most one more: its columns are null where it has none. */
export interface Join {
  readonly table: TableReference;
  readonly on: readonly Filter[];
}

/** Keys to read rows for, each on its own: where every key has a limit. */
export interface ForEach {
  /** The rows of keys: one array for each part, with its type. */
  readonly keys: readonly ParameterNode[];
  readonly alias: string;
}

/**
 * The rows above or below the outer row in a tree of one table, each once, with how far away it is. A row that has been
 * met before ends its branch, so that a circle ends too.
 */
export interface Walk {
  readonly alias: string;
  readonly direction: "up" | "down";
  /** The table as the walk's steps refer to it, and which of its rows may be stepped on. */
  readonly step: TableReference;
  readonly filters: readonly Filter[];
  readonly outer: TableReference;
  /** The columns that tell a row's own key, and its parent's. */
  readonly key: readonly string[];
  readonly parent: readonly string[];
  readonly maxDepth: ParameterNode | undefined;
}

/** How many steps away a walk has found the row. */
export interface WalkDepthNode {
  readonly kind: "walk-depth";
  readonly alias: string;
}

export interface Select {
  readonly kind: "select";
  readonly from: TableReference;
  /** Of `from`, the rows that this finds. */
  readonly walk?: Walk | undefined;
  /** At most one row each, so they neither add nor take away rows. */
  readonly joins?: readonly Join[] | undefined;
  /** Those of them that the order needs: the rows of a page are found with their help. */
  readonly orderJoins?: readonly Join[] | undefined;
  /** Of the rows that are equal in these, the first in the order. The order begins with them. */
  readonly distinctOn?: readonly Expression[] | undefined;
  /** One row for each group of rows that are equal in these; the projections are of groups. */
  readonly groupBy?: readonly Expression[] | undefined;
  readonly having?: Condition | undefined;
  /** Joined to `from` as a matter of course: the table that links two others. */
  readonly link?: Join | undefined;
  /** The statement's order and limit hold within each of these keys, which `forEachKey` refers to. */
  readonly forEach?: ForEach | undefined;
  readonly projections: readonly Projection[];
  readonly filters: readonly Filter[];
  readonly orderBy: readonly Ordering[];
  /** A number stands in the text, where the planner sees it. */
  readonly limit?: ParameterNode | number | undefined;
  readonly offset?: ParameterNode | undefined;
  /** Of the rows of `from` that it finds, until the transaction ends. */
  readonly lock?: RowLock | undefined;
}

/** https://www.postgresql.org/docs/current/explicit-locking.html#LOCKING-ROWS */
export interface RowLock {
  readonly strength: "update" | "no key update" | "share" | "key share";
  /** What happens where somebody else has the row: an error, or it is left out. @default waits */
  readonly wait: "nowait" | "skip" | undefined;
}

/** A column of an insert: a value per row, or one expression for all of them. */
export type InsertColumn =
  | {
      readonly kind: "per-row";
      readonly name: string;
      readonly type: string;
      /** Of one row the value itself, of several an array of them as PostgreSQL's text. */
      readonly values: ParameterValue;
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
  /** One row's statement differs from that of several, which is one for any number. */
  readonly rows: "one" | "many";
  readonly columns: readonly (InsertColumn & { readonly addedBy?: string })[];
  readonly conflict?: Conflict | undefined;
  readonly returning: readonly Projection[];
  /** The database is told on whose behalf it runs. @default false */
  readonly tellsActor?: boolean | undefined;
}

export interface Update {
  readonly kind: "update";
  readonly table: TableReference;
  /** Keys with values, each for a row of its own, which conditions and assignments refer to by `forEachKey`. */
  readonly forEach?: ForEach | undefined;
  readonly set: readonly Assignment[];
  readonly filters: readonly Filter[];
  readonly returning: readonly Projection[];
  readonly tellsActor?: boolean | undefined;
}

export interface Delete {
  readonly kind: "delete";
  /** The rows are to be removed even where a behaviour would keep them. */
  readonly isForGood?: boolean;
  readonly from: TableReference;
  readonly filters: readonly Filter[];
  readonly returning: readonly Projection[];
  readonly tellsActor?: boolean | undefined;
}

export type Write = Insert | Update | Delete;
export type Tree = Select | Write;
