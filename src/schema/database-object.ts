/**
 * Something a schema needs in the database besides what it declares: a function, a trigger, a table. Rendered into
 * migrations; compared by what the server made of it. A `row` comes when everything else is there, and is compared with
 * nothing: the difference of two catalogs has to know of it by itself.
 */
export interface DatabaseObject {
  readonly kind:
    | "table"
    | "partition"
    | "index"
    | "function"
    | "trigger"
    | "view"
    | "policy"
    | "row security"
    | "row";
  readonly schema: string;
  readonly name: string;
  /** The table that a trigger, an index, a policy, a partition or a row belongs to, or a view reads. */
  readonly table?: string;
  /** One statement that makes it. Names are unqualified: it runs with `search_path` set to the schema. */
  readonly create: string;
  /** One statement that takes it away again; none for a row, which goes with its table. */
  readonly drop: string | undefined;
}
