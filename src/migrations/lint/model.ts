/** What a statement does to a relation that was there before its file ran. `mode` is as `pg_locks` names it. */
export interface StatementLock {
  /** Bare in the home schema, else with its schema; quoted where SQL would need it. Tables, views, indexes, sequences. */
  readonly relation: string;
  readonly mode: LockMode;
}

/** PostgreSQL's table locks, weakest first. */
export type LockMode =
  | "AccessShareLock"
  | "RowShareLock"
  | "RowExclusiveLock"
  | "ShareUpdateExclusiveLock"
  | "ShareLock"
  | "ShareRowExclusiveLock"
  | "ExclusiveLock"
  | "AccessExclusiveLock";

/**
 * What running a statement costs others. Relations are those that were there before the file ran: nobody waits for a
 * table that has just been made. The same in both modes: trace reads it off the server, static works it out.
 */
export interface StatementEffects {
  /** The strongest lock the statement itself takes on each relation, sorted by relation. */
  readonly locks: readonly StatementLock[];
  /** Tables, materialized views and indexes whose storage is written anew (`relfilenode` changes), sorted. */
  readonly rewrites: readonly string[];
  /** Tables read from end to end, sorted. */
  readonly scans: readonly string[];
}

/** One statement of a report. */
export interface LintStatement extends StatementEffects {
  readonly file: string;
  /** Counted from 1, in the file. */
  readonly line: number;
  readonly direction: "up" | "down";
  readonly sql: string;
  /** Ids of the rules that found something, sorted. */
  readonly rules: readonly string[];
  /**
   * While its transaction holds a lock that keeps readers or writers of a relation out (`ShareLock` and stronger), it
   * rewrites or scans; or that cannot be known.
   */
  readonly blocking: boolean;
}

/** What a check found; the fix is ready to paste. */
export interface LintFinding {
  readonly rule: string;
  readonly level: "error" | "warning";
  /** `file:line` */
  readonly object: string;
  readonly why: string;
  readonly fix: string;
  readonly file: string;
  readonly line: number;
}

/** What `lintMigrations` gives. */
export interface LintReport {
  readonly mode: "static" | "trace";
  /** Major version the effects hold for. */
  readonly serverVersion: number;
  readonly statements: readonly LintStatement[];
  readonly findings: readonly LintFinding[];
}
