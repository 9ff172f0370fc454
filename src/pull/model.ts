/** What of the database the schema file does not say, or says otherwise. */
export interface PullFinding {
  /**
   * `not-declared`: there is no declaration for it, so it is missing from the file. `partly-declared`: it is in the file
   * without something it has. `left-out`: it belongs to another tool. `pull-differs`: the file, built on a shadow
   * server, makes something else than the database has.
   */
  readonly rule: "not-declared" | "partly-declared" | "left-out" | "pull-differs";
  readonly level: "warning";
  /** The object, as the catalog calls it: `table scratch`, `column people.body`. */
  readonly object: string;
  readonly why: string;
  readonly fix: string;
}

/** There is no declaration for it. */
export function notDeclared(object: string, why: string): PullFinding {
  return {
    rule: "not-declared",
    level: "warning",
    object,
    why,
    fix: "It stays in the migrations only. Take care that plinth migrate generate does not drop it.",
  };
}

/** It is declared, but for something. */
export function partlyDeclared(object: string, why: string): PullFinding {
  return {
    rule: "partly-declared",
    level: "warning",
    object,
    why,
    fix: "It stays in the migrations only. Take care that plinth migrate generate does not undo it.",
  };
}
