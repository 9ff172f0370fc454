/**
 * Something a schema needs in the database besides its tables: a function, a trigger, a view. Rendered into
 * migrations; compared by what the server made of it.
 */
export interface DatabaseObject {
  readonly kind: "function" | "trigger";
  readonly schema: string;
  readonly name: string;
  /** The table a trigger is on. */
  readonly table?: string;
  /** One statement that makes it. Names are unqualified: it runs with `search_path` set to the schema. */
  readonly create: string;
  /** One statement that takes it away again. */
  readonly drop: string;
}
