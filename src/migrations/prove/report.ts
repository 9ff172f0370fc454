/**
 * How far a migration was proven. `up-down-up`: both ways, and up again. `up`: it has no way back. `replayed`: it only
 * ran, because it comes before the first one asked for. `failed`: one of its findings is an error.
 */
export type ProofKind = "up-down-up" | "up" | "replayed" | "failed";

/** What was proven of one migration. */
export interface ProvenMigration {
  readonly version: string;
  readonly name: string;
  readonly fileName: string;
  readonly proof: ProofKind;
  /** Tables that held rows while it ran, and how many rows in all. */
  readonly tables: number;
  readonly rows: number;
  readonly durationMs: number;
}

/** What a proof can find; `docs/reference/prove.md` explains each. */
export type ProofRule =
  | "up-fails"
  | "up-fails-with-rows"
  | "up-again-fails"
  | "up-differs"
  | "down-fails"
  | "down-fails-with-rows"
  | "down-differs"
  | "rows-lost"
  | "irreversible"
  | "unproven-with-data"
  | "schema-differs";

/** Something a migration does not keep its word about. */
export interface ProofFinding {
  readonly rule: ProofRule;
  readonly level: "error" | "warning";
  /** The file's name; of `schema-differs` the object. */
  readonly object: string;
  readonly why: string;
  readonly fix: string;
  readonly file: string | undefined;
  /** Of the statement that failed, counted from 1, in the file. */
  readonly line: number | undefined;
  /** The two sides of a difference, as SQL; `undefined` where there is nothing. */
  readonly left: string | undefined;
  readonly right: string | undefined;
}

/** What `proveMigrations` gives. */
export interface ProofReport {
  readonly schemaName: string;
  /** Major version of the server it was proven on. */
  readonly serverVersion: number;
  /** In order, up to the last one that could run. */
  readonly migrations: readonly ProvenMigration[];
  readonly findings: readonly ProofFinding[];
  readonly durationMs: number;
}
