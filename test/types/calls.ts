/** What calls of a repository take and give: checked by the compiler, never run. */
import type { Database, KeysetPage, Page, Query } from "plinth";
import type { Row } from "plinth/schema";
import * as domain from "../support/domain.ts";
import { type Equal, holds } from "./equal.ts";

type Author = Row<typeof domain.authors>;
type Book = Row<typeof domain.books>;

export async function reads(db: Database<typeof domain>) {
  const authors = db.repository(domain.authors);
  const books = db.repository(domain.books);
  const categories = db.repository(domain.categories);
  const branches = db.repository(domain.branches);

  const found = await authors.find("x");
  holds<Equal<typeof found, Author | undefined>>();
  const got = authors.get("x");
  holds<Equal<typeof got, Query<Author>>>();
  const many = await authors.findMany(["x"]);
  holds<Equal<typeof many, (Author | undefined)[]>>();
  const page = await books.list();
  holds<Equal<typeof page, Page<Book>>>();
  const keyset = await books.list({ after: null });
  holds<Equal<typeof keyset, KeysetPage<Book>>>();

  // A relation over a column that is not null is there; over one that may be null it may be null.
  const withAuthor = await books.get("x", { with: { author: true } });
  holds<Equal<typeof withAuthor.author, Author>>();
  const withHead = await branches.get("x", { with: { head: { with: { branch: true } } } });
  holds<Equal<NonNullable<typeof withHead.head>["branch"], Row<typeof domain.branches>>>();
  holds<Equal<null extends typeof withHead.head ? true : false, true>>();
  const withBooks = await authors.get("x", { with: { books: { limit: 1 } } });
  holds<Equal<typeof withBooks.books, Book[]>>();
  const tree = await categories.get(1n, { with: { parent: true, children: { with: { children: true } } } });
  holds<Equal<(typeof tree.children)[number]["children"], Row<typeof domain.categories>[]>>();
  holds<Equal<typeof tree.parent, Row<typeof domain.categories> | null>>();
  const wanted: boolean = Date.now() > 0;
  const maybeAuthor = await books.get("x", { with: { author: wanted } });
  holds<Equal<typeof maybeAuthor.author, Author | undefined>>();
  const withoutAuthor = await books.get("x", { with: { author: false } });
  holds<Equal<"author" extends keyof typeof withoutAuthor ? true : false, false>>();

  const revealed = await authors.get("x", { reveal: ["apiToken"] });
  holds<Equal<typeof revealed.apiToken, string | null>>();

  // @ts-expect-error a secret is in no row that did not ask for it
  (await authors.get("x")).apiToken;
  // @ts-expect-error only secrets are revealed
  authors.get("x", { reveal: ["name"] });
  // @ts-expect-error a key is a text here
  authors.find(1);
  // @ts-expect-error a composite key needs all its parts
  db.repository(domain.loans).find({ bookId: "x" });
  // @ts-expect-error there is no such relation
  books.get("x", { with: { autor: true } });
  // @ts-expect-error nor one level deeper
  books.get("x", { with: { author: { with: { boks: true } } } });
  // @ts-expect-error one row has no order and no limit
  books.get("x", { with: { author: { limit: 1 } } });
  // @ts-expect-error no such column of the related row
  authors.get("x", { with: { books: { sort: "titel" } } });
  // @ts-expect-error a page and a cursor exclude each other
  books.list({ page: 1, after: null });
}

export function conditions(db: Database<typeof domain>) {
  const books = db.repository(domain.books);
  const authors = db.repository(domain.authors);
  books.list({
    where: {
      title: "x",
      pages: { gte: 1, lt: 2 },
      price: null,
      or: [{ views: 1n }, { not: { language: "en" } }],
    },
  });
  books.list({
    where: { title: { contains: "x", mode: "insensitive" }, genre: { in: ["novel"] } },
    sort: ["-title", "id"],
  });
  // @ts-expect-error no such column
  books.list({ where: { titel: "x" } });
  // @ts-expect-error of another type
  books.list({ where: { pages: "1" } });
  // @ts-expect-error no such value
  books.list({ where: { language: "xx" } });
  // @ts-expect-error a filter that is undefined would fall away
  books.list({ where: { title: undefined } });
  // @ts-expect-error texts only
  books.list({ where: { pages: { contains: "1" } } });
  // @ts-expect-error secrets cannot be filtered
  authors.list({ where: { apiToken: "x" } });
  // @ts-expect-error nor sorted by
  authors.list({ sort: "apiToken" });
  // @ts-expect-error nor found by
  authors.findBy({ apiToken: "x" });
  // @ts-expect-error no such column to sort by
  books.list({ sort: "-titel" });
}

export function writes(db: Database<typeof domain>) {
  const authors = db.repository(domain.authors);
  const books = db.repository(domain.books);
  const created = authors.create({ email: "e", name: "n" });
  holds<Equal<typeof created, Query<Author>>>();
  books.increment("x", { views: 1n, pages: 1 });
  authors.upsert({ email: "e", name: "n" }, { on: "email", update: ["name"] });
  // @ts-expect-error name is required
  authors.create({ email: "e" });
  // @ts-expect-error kept by Plinth
  authors.create({ email: "e", name: "n", updatedAt: new Date() });
  // @ts-expect-error kept by Plinth
  authors.create({ email: "e", name: "n", createdBy: "me" });
  // @ts-expect-error the key cannot change
  authors.update("x", { id: "y" });
  // @ts-expect-error nor can when it was made
  authors.update("x", { createdAt: new Date() });
  // @ts-expect-error nor can a public id
  db.repository(domain.tickets).update(1n, { code: "x" });
  // @ts-expect-error made by the database
  db.repository(domain.categories).create({ id: 1n, slug: "s" });
  // @ts-expect-error no such column
  authors.update("x", { nmae: "y" });
  // @ts-expect-error not null
  authors.update("x", { name: null });
  // @ts-expect-error not a number
  books.increment("x", { title: 1 });
  // @ts-expect-error no such column to meet on
  authors.upsert({ email: "e", name: "n" }, { on: "emial" });
}

export async function softDelete(db: Database<typeof domain>) {
  const restored = await db.repository(domain.authors).restore("x");
  holds<Equal<typeof restored, Author>>();
  const purged = await db.repository(domain.authors).purge("x", { returning: ["name"] });
  holds<Equal<typeof purged, { name: string }>>();
  const purgedMany = await db
    .repository(domain.authors)
    .withDeleted()
    .purgeMany({ where: { name: "x" } });
  holds<Equal<typeof purgedMany, number>>();
  const dead = await db.repository(domain.authors).onlyDeleted().find("x");
  holds<Equal<typeof dead, Author | undefined>>();
  // @ts-expect-error loans are deleted for good
  db.repository(domain.loans).restore({ bookId: "x", reader: "y" });
  // @ts-expect-error what is deleted there is gone already
  db.repository(domain.loans).purge({ bookId: "x", reader: "y" });
  // @ts-expect-error likewise
  db.repository(domain.loans).withDeleted();
}

// A function that takes any database may name any relation; one of an unknown schema knows none.
// biome-ignore lint/suspicious/noExplicitAny: this is what it is about
export async function ofAnySchema(db: Database<any>) {
  const found = await db.repository(domain.books).get("x", { with: { author: true } });
  holds<Equal<typeof found.title, string>>();
}
export async function ofUnknownSchema(db: Database<Record<string, unknown>>) {
  const books = db.repository(domain.books);
  const page = await books.list({ where: { title: "x" }, sort: "-title" });
  holds<Equal<typeof page, Page<Book>>>();
  // @ts-expect-error who knows
  books.get("x", { with: { author: true } });
}
