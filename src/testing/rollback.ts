import type { Database, SchemaModule, Transaction } from "../database.ts";
import type { TransactionOptions } from "../transaction/index.ts";

/**
 * Runs `work` in a transaction that is always rolled back, and gives its result. The transaction is ambient:
 * everything of `db` that is called inside joins it, and a `db.transaction` inside is a savepoint.
 *
 * Before it rolls back, deferred constraints are checked, which COMMIT would have done. What only a commit shows is
 * not seen: another connection, `now()` moving on, a serialization failure. Such a test wants `testDatabase` alone.
 *
 * Round trips: five besides those of `work`. Holds one connection meanwhile.
 *
 * @throws whatever `work` throws, and the constraint that a commit would have failed on.
 * @throws {TRANSACTION_ABORTED} when a statement failed and its error was swallowed, as a commit would.
 *
 * @example
 * ```ts
 * // vitest: every test of the file rolls back
 * aroundEach((runTest) => withRollback(db, runTest));
 * // any other runner: one test
 * it("gives a new user no projects", () => withRollback(db, async () => { … }));
 * // begin; savepoint plinth_1; …; release savepoint plinth_1; set constraints all immediate; rollback
 * ```
 */
export async function withRollback<S extends SchemaModule, T>(
  db: Pick<Database<S>, "transaction">,
  work: (tx: Transaction<S>) => PromiseLike<T>,
  options: TransactionOptions = {},
): Promise<T> {
  // Ours alone, so that an error of `work` can never be taken for it.
  const rollback = new Error("withRollback rolls back");
  let finished: { readonly result: T } | undefined;
  const ended = db.transaction(
    async (tx) => {
      // In a savepoint, which fails as a transaction does when an error was swallowed.
      finished = { result: await tx.transaction(work) };
      await tx.sql`set constraints all immediate`;
      throw rollback;
    },
    { retry: false, ...options },
  );
  return ended.catch((error: unknown) => {
    if (error !== rollback || finished === undefined) throw error;
    return finished.result;
  });
}
