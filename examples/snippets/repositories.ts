import type { Database } from "plinth";
import type { CreateInput } from "plinth/schema";
import * as schema from "./schema.ts";

export type SnippetsDatabase = Database<typeof schema>;

/** What the application knows of the database. */
export type Repositories = ReturnType<typeof repositoriesOn>;

export type NewUser = CreateInput<typeof schema.users>;
export type NewSnippet = CreateInput<typeof schema.snippets>;

/** Which of an owner's snippets, and from where. */
export interface OwnerListing {
  /** The cursor of the page before; null for the first page. */
  readonly after: string | null;
  readonly limit?: number;
  /** Also those that only the owner may see. */
  readonly withPrivate: boolean;
}

/** The queries of the application. Each names the index it runs on. */
export function repositoriesOn(db: SnippetsDatabase) {
  const users = db.repository(schema.users);
  const snippets = db.repository(schema.snippets);
  return Object.freeze({
    users: Object.freeze({
      insertUser: (user: NewUser) => users.create(user),
      /** On `users_public_id_unique`. */
      getByPublicId: (publicId: string) => users.findBy({ publicId }),
      /** On `users_email_unique`. */
      getByEmail: (email: string) => users.findBy({ email }),
    }),
    snippets: Object.freeze({
      /** Draws the public id, again when it is taken; the database counts the internal one. */
      insertSnippet: (snippet: NewSnippet) => snippets.create(snippet),
      /** On `snippets_public_id_unique`; the owner on `users_pkey`, in the same statement. */
      getByPublicId: (publicId: string) => snippets.findBy({ publicId }, { with: { owner: true } }),
      /** On `snippets_of_owner`. Newest first; the public id breaks ties, so that no cursor holds an internal id. */
      listByOwner: (ownerId: bigint, { after, limit, withPrivate }: OwnerListing) =>
        snippets.list({
          where: { ownerId, ...(withPrivate ? {} : { isPublic: true }) },
          sort: ["-createdAt", "-publicId"],
          after,
          ...(limit === undefined ? {} : { limit }),
        }),
      /** Adds one in the database: of a hundred at once, none is lost. On `snippets_pkey`. */
      recordView: (id: bigint) => snippets.increment(id, { viewCount: 1n }),
    }),
  });
}
