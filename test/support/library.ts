import type { Database } from "plinth";
import { factory, type TestDatabaseOptions, testDatabase } from "plinth/testing";
import { afterAll } from "vitest";
import * as domain from "./domain.ts";

export type Library = Awaited<ReturnType<typeof openLibrary>>;

/** A library of the test file's own: repositories, and factories of the rows most tests begin with. */
export async function openLibrary(options: Partial<TestDatabaseOptions<typeof domain>> = {}) {
  const { db, url, close } = await testDatabase({ schema: domain, ...options });
  afterAll(close);
  const repo = {
    authors: db.repository(domain.authors),
    books: db.repository(domain.books),
    samples: db.repository(domain.samples),
    categories: db.repository(domain.categories),
    loans: db.repository(domain.loans),
    tickets: db.repository(domain.tickets),
    visits: db.repository(domain.visits),
    signedVisits: db.repository(domain.signedVisits),
    branches: db.repository(domain.branches),
    librarians: db.repository(domain.librarians),
  };
  const makeAuthor = factory(repo.authors, (n) => ({ email: `author${n}@example.com`, name: `Author ${n}` }));
  const makeBook = factory(repo.books, (n) => ({
    title: `Book ${n}`,
    authorId: async () => (await makeAuthor()).id,
  }));
  return { db, url, close, repo, makeAuthor, makeBook };
}

/**
 * How many statements of the library `work` ran, as the server counts them. Each prepared statement keeps count of
 * its runs in its own session, so the database must have a pool of one connection.
 */
export async function statementsRunBy(
  db: Database<typeof domain>,
  work: () => PromiseLike<unknown>,
): Promise<number> {
  const before = await runs(db);
  await work();
  return (await runs(db)) - before;
}

async function runs(db: Database<typeof domain>): Promise<number> {
  const [row] = await db.sql<{ runs: string | null }>`
    select sum(generic_plans + custom_plans)::text as runs from pg_prepared_statements
    where statement like ${'%"library".%'}`;
  return Number(row?.runs ?? 0);
}
