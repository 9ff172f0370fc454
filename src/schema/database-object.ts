/**
 * Something a schema needs in the database besides what it declares: a function, a trigger, a table. Rendered into
 * migrations; compared by what the server made of it.
 */
export interface DatabaseObject {
  readonly kind: "table" | "partition" | "index" | "function" | "trigger" | "view";
  readonly schema: string;
  readonly name: string;
  /** The table that a trigger, an index or a partition belongs to, or a view reads. */
  readonly table?: string;
  /** One statement that makes it. Names are unqualified: it runs with `search_path` set to the schema. */
  readonly create: string;
  /** One statement that takes it away again. */
  readonly drop: string;
}
