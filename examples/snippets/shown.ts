import type { Row } from "plinth/schema";
import type * as schema from "./schema.ts";

type UserRow = Row<typeof schema.users>;
type SnippetRow = Row<typeof schema.snippets>;

/** A user as clients see one: under the public id, which is called `id` there because they know no other. */
export function shownUser({ publicId, email, createdAt }: UserRow) {
  return { id: publicId, email, createdAt };
}

/** A snippet as clients see one. Named field by field, so that a new column is shown only on purpose. */
export function shownSnippet(snippet: SnippetRow, owner: Pick<UserRow, "publicId">) {
  const { publicId, title, body, language, isPublic, viewCount, createdAt } = snippet;
  return {
    id: publicId,
    ownerId: owner.publicId,
    title,
    body,
    language,
    isPublic,
    // JSON has no bigint. A snippet seen a million times a second is exact for 285 years.
    viewCount: Number(viewCount),
    createdAt,
  };
}
