import { InputError, unknownName } from "../errors/index.ts";
import type { RowLock } from "../sql/index.ts";
import type { Given } from "./given.ts";
import { refuse } from "./options.ts";

/** What a read may take to keep its rows as they are; see `Locking`. */
export const LOCK_OPTION_NAMES: readonly string[] = ["lock", "wait"] satisfies readonly (keyof Locking)[];

/** Rows that a read keeps as they are until the transaction ends. */
export interface Locking {
  /**
   * `update` before changing or deleting a row, `share` to keep others from it; `no key update` and `key share` are weaker and
   * leave foreign keys alone. Inside a transaction only, as it would be over at once elsewhere. Related rows are not locked.
   * @see https://www.postgresql.org/docs/current/explicit-locking.html#LOCKING-ROWS
   */
  readonly lock?: RowLock["strength"];
  /** Where somebody else has the row: `nowait` fails with `LOCK_TIMEOUT`, `skip` leaves it out. @default waits for it */
  readonly wait?: NonNullable<RowLock["wait"]>;
}

const STRENGTHS: readonly RowLock["strength"][] = ["update", "no key update", "share", "key share"];
const WAITS: readonly NonNullable<RowLock["wait"]>[] = ["nowait", "skip"];

/** @throws {INVALID_QUERY} for a word that is none of these, and for a wait without a lock. */
export function lockOf({ value }: Given): RowLock | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { lock, wait } = value as { readonly lock?: unknown; readonly wait?: unknown };
  if (lock === undefined) {
    if (wait !== undefined) refuse("wait", "says how to wait for a lock, and there is none: add lock");
    return undefined;
  }
  return {
    strength: oneOf("lock", "lock", lock, STRENGTHS),
    wait: wait === undefined ? undefined : oneOf("wait", "way to wait", wait, WAITS),
  };
}

function oneOf<T extends string>(path: string, what: string, given: unknown, known: readonly T[]): T {
  const found = known.find((name) => name === given);
  if (found === undefined) refuse(path, unknownName(what, String(given), known));
  return found;
}

/** A lock lasts as long as its transaction: outside one it is gone before the caller has the row. */
export function refuseLockOutside(): never {
  throw new InputError(
    "INVALID_QUERY",
    [{ path: "lock", message: "lasts as long as the transaction, and none is open here" }],
    { hint: "Read it inside db.transaction." },
  );
}
