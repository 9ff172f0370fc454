/** What rows and inputs look like: checked by the compiler, never run. */
import type { AnyEntity, CreateInput, Flat, FullRow, Key, Row, UpdateInput } from "plinth/schema";
import type {
  authors,
  books,
  branches,
  categories,
  loans,
  samples,
  tickets,
  visits,
} from "../support/domain.ts";
import { type Equal, holds } from "./equal.ts";

// ---- Rows ---------------------------------------------------------------------------------------------

holds<
  Equal<
    Row<typeof authors>,
    {
      id: string;
      email: string;
      name: string;
      bio: string | null;
      createdAt: Date;
      updatedAt: Date;
      createdBy: string | null;
      updatedBy: string | null;
      deletedAt: Date | null;
      deletedBy: string | null;
    }
  >
>();
holds<Equal<Row<typeof books>["language"], "en" | "de" | "fr">>();
holds<Equal<Row<typeof books>["views"], bigint>>();
holds<Equal<Row<typeof books>["price"], string | null>>();
holds<Equal<Row<typeof books>["publishedOn"], string | null>>();
holds<Equal<Row<typeof samples>["at"], Date | null>>();
holds<Equal<Row<typeof samples>["exactAt"], string | null>>();
holds<Equal<Row<typeof samples>["grid"], number[][] | null>>();
holds<Equal<Row<typeof categories>["parentId"], bigint | null>>();
holds<Equal<"deletedAt" extends keyof Row<typeof loans> ? true : false, false>>();

// ---- Inputs -------------------------------------------------------------------------------------------

type RequiredKeys<T> = { [K in keyof T]-?: object extends Pick<T, K> ? never : K }[keyof T];

holds<Equal<RequiredKeys<CreateInput<typeof authors>>, "email" | "name">>();
holds<Equal<RequiredKeys<CreateInput<typeof books>>, "authorId" | "title">>();
holds<Equal<RequiredKeys<CreateInput<typeof visits>>, never>>();
holds<Equal<keyof CreateInput<typeof authors>, "id" | "email" | "name" | "bio" | "apiToken" | "createdAt">>();
holds<Equal<keyof UpdateInput<typeof authors>, "email" | "name" | "bio" | "apiToken">>();
holds<Equal<keyof CreateInput<typeof categories>, "parentId" | "slug">>();
holds<Equal<keyof CreateInput<typeof tickets>, "code" | "note">>();
holds<Equal<keyof UpdateInput<typeof tickets>, "note">>();
holds<Equal<keyof UpdateInput<typeof loans>, "dueOn">>();

// ---- Keys ---------------------------------------------------------------------------------------------

holds<Equal<Key<typeof authors>, string>>();
holds<Equal<Key<typeof categories>, bigint>>();
holds<Equal<Key<typeof loans>, { bookId: string; reader: string }>>();
holds<Equal<Row<typeof branches>["headId"], string | null>>();

// ---- As Drizzle has them ------------------------------------------------------------------------------

/** Plinth works rows out from column builders, which is cheaper for the compiler; the answer has to be Drizzle's. */
type IsDrizzles<E extends AnyEntity> = Equal<FullRow<E>, Flat<E["$inferSelect"]>>;

/** Drizzle knows nothing of columns that Plinth keeps, and takes those of `FullRow` otherwise. */
type TakesDrizzles<E extends AnyEntity> = Equal<
  CreateInput<E>,
  Flat<Pick<E["$inferInsert"], keyof CreateInput<E> & keyof E["$inferInsert"]>>
>;

holds<IsDrizzles<typeof authors>>();
holds<IsDrizzles<typeof books>>();
holds<IsDrizzles<typeof branches>>();
holds<IsDrizzles<typeof categories>>();
holds<IsDrizzles<typeof loans>>();
holds<IsDrizzles<typeof samples>>();
holds<IsDrizzles<typeof tickets>>();
holds<IsDrizzles<typeof visits>>();
holds<TakesDrizzles<typeof authors>>();
holds<TakesDrizzles<typeof books>>();
holds<TakesDrizzles<typeof branches>>();
holds<TakesDrizzles<typeof categories>>();
holds<TakesDrizzles<typeof loans>>();
holds<TakesDrizzles<typeof samples>>();
holds<TakesDrizzles<typeof tickets>>();
holds<TakesDrizzles<typeof visits>>();
