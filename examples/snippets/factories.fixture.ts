import { factory } from "plinth/testing";
import type { SnippetsDatabase } from "./repositories.ts";
import * as schema from "./schema.ts";

/** Rows for tests; the hash is no hash, because nobody logs in. */
export function factoriesOn(db: SnippetsDatabase) {
  const makeUser = factory(db.repository(schema.users), (n) => ({
    email: `user${n}@example.com`,
    passwordHash: "none",
  }));
  const makeSnippet = factory(db.repository(schema.snippets), (n) => ({
    title: `Snippet ${n}`,
    body: `select ${n}`,
    language: "sql" as const,
    isPublic: true,
    ownerId: async () => (await makeUser()).id,
  }));
  return { makeUser, makeSnippet };
}
