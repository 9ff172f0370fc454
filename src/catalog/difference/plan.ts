/** Something that the statements delete or overwrite for good. */
export interface Loss {
  /** In the home schema without the schema's name: `tasks`, `tasks.due_date`, `task_status.archived`. */
  readonly object: string;
  /** `data`: values of rows. `position`: the number a sequence had got to. `value`: one that an enum allowed. */
  readonly what: "data" | "position" | "value";
}

/** The SQL that turns one database into another. */
export interface DifferencePlan {
  /** One statement an item, in an order that runs, without final semicolons; `search_path` is the home schema. */
  readonly statements: readonly string[];
  /** Sorted by object. What can be computed again (views, indexes, generated columns) is no loss. */
  readonly losses: readonly Loss[];
  /** Sentences about rows that would make a statement fail; without them it runs. */
  readonly mayFail: readonly string[];
  /** Sentences about what no statement here can make, drop or bring back. */
  readonly irreversible: readonly string[];
}
