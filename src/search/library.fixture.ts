/** Articles to search, with and without typos, in a language and in none. */
import { type AnyPgColumn, integer, text, varchar } from "drizzle-orm/pg-core";
import { appSchema, entity, relations, secret, ulidKey } from "plinth/schema";
import { testDatabase } from "plinth/testing";
import { afterAll } from "vitest";

const app = appSchema("library");
app.extension("pg_trgm");

export const authors = entity(
  app,
  "authors",
  { id: ulidKey(), name: text().notNull(), token: secret(text()) },
  { search: { columns: ["name"], config: "simple" } },
);

export const articles = entity(
  app,
  "articles",
  {
    id: ulidKey(),
    authorId: text().references((): AnyPgColumn => authors.id, { onDelete: "set null" }),
    title: text().notNull(),
    body: text(),
    code: varchar({ length: 40 }),
    rank: integer(),
  },
  {
    softDelete: true,
    search: { columns: ["title", "body", "code"], weights: { code: "D" }, typos: true },
  },
);

export const notes = entity(app, "notes", { id: ulidKey(), text: text().notNull() });

export const authorRelations = relations(authors, (r) => ({ articles: r.many(articles) }));
export const articleRelations = relations(articles, (r) => ({
  author: r.one(authors, { via: "authorId" }),
}));

export const schema = { app, authors, articles, notes, authorRelations, articleRelations };

/** A database of the test file's own. */
export async function openLibrary() {
  const { db, close } = await testDatabase({ schema });
  afterAll(close);
  return {
    db,
    authors: db.repository(authors),
    articles: db.repository(articles),
    notes: db.repository(notes),
  };
}
