/** What a seed is for: rows every environment needs, or rows to develop with. */
export type SeedKind = "reference" | "dev";

/** What running seeds needs of a database: `Database` has it. */
export interface SeedDatabase {
  transaction<T>(work: () => Promise<T>): Promise<T>;
  sql(strings: TemplateStringsArray, ...values: readonly unknown[]): PromiseLike<readonly object[]>;
}

/** A set of rows, written so that running it again changes nothing. */
export interface Seed<D extends SeedDatabase = SeedDatabase> {
  /** Shown, and unique among the seeds of a run. */
  readonly name: string;
  readonly kind: SeedKind;
  /**
   * Writes the rows. Everything it does with `database` is one transaction; use `upsert`, or insert what is
   * absent, so that a second run finds nothing to do.
   */
  readonly run: (database: D) => Promise<unknown>;
}

/**
 * Gives its argument back: it exists for the editor's completion, and to be the default export of a file in
 * `seeds/reference/` or `seeds/dev/`.
 *
 * @example
 * ```ts
 * export default defineSeed({
 *   name: "roles",
 *   kind: "reference",
 *   run: async (db: Database<typeof schema>) => {
 *     await db.repository(schema.roles).upsert({ slug: "admin", title: "Administrator" }, { on: "slug" });
 *   },
 * });
 * // begin; select pg_try_advisory_xact_lock(…); insert … on conflict (slug) do update …; commit
 * ```
 */
export function defineSeed<D extends SeedDatabase>(seed: Seed<D>): Seed<D> {
  return seed;
}
