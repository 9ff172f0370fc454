import { sql } from "drizzle-orm";
import { type AnyPgColumn, bigint, boolean, check, index, text } from "drizzle-orm/pg-core";
import {
  appSchema,
  entity,
  identityKey,
  oneOf,
  publicId,
  relations,
  secret,
  timestamps,
} from "plinth/schema";

export const app = appSchema("snippets");

export const LANGUAGES = [
  "text",
  "bash",
  "go",
  "javascript",
  "json",
  "python",
  "rust",
  "sql",
  "typescript",
] as const;

/** Two ids: `id` is what tables join on and never leaves the application, `publicId` is what clients see. */
export const users = entity(app, "users", {
  id: identityKey(),
  publicId: publicId(),
  email: text().notNull().unique(),
  passwordHash: secret(text().notNull()),
  createdAt: timestamps().createdAt,
});

export const snippets = entity(
  app,
  "snippets",
  {
    id: identityKey(),
    publicId: publicId(),
    ownerId: bigint({ mode: "bigint" })
      .notNull()
      .references((): AnyPgColumn => users.id),
    title: text(),
    body: text().notNull(),
    language: oneOf(LANGUAGES).notNull().default("text"),
    isPublic: boolean().notNull().default(false),
    viewCount: bigint({ mode: "bigint" }).notNull().default(0n),
    // Without updated_at: counting a view is no change to the snippet.
    createdAt: timestamps().createdAt,
  },
  {
    list: { sort: ["createdAt", "publicId"], defaultSort: "-createdAt", limit: 20 },
    constraints: (t) => [
      // An owner's snippets, newest first: one range of this index, in its own order. It serves the foreign key too.
      index("snippets_of_owner").on(t.ownerId, t.createdAt.desc(), t.publicId.desc()),
      check("snippets_body_not_empty", sql`length(${t.body}) > 0`),
    ],
  },
);

export const snippetRelations = relations(snippets, (r) => ({ owner: r.one(users, { via: "ownerId" }) }));
