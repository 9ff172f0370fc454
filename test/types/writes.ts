/** What writes of many rows, changes and graphs take and give: checked by the compiler, never run. */
import { add, append, type Database, given, merge, multiply, now, type Query, remove, toggle } from "plinth";
import type { Row } from "plinth/schema";
import * as domain from "../support/domain.ts";
import { type Equal, holds } from "./equal.ts";

type Author = Row<typeof domain.authors>;
type Book = Row<typeof domain.books>;

export async function returned(db: Database<typeof domain>) {
  const authors = db.repository(domain.authors);
  const input = { email: "e", name: "n" };
  const row = authors.create(input, { returning: true });
  holds<Equal<typeof row, Query<Author>>>();
  const nothing = authors.create(input, { returning: false });
  holds<Equal<typeof nothing, Query<undefined>>>();
  const some = await authors.update("x", { name: "y" }, { returning: ["id", "bio"] });
  holds<Equal<typeof some, { id: string; bio: string | null }>>();
  const updated = authors.update("x", { name: "y" });
  holds<Equal<typeof updated, Query<Author>>>();
  const wanted: boolean = Date.now() > 0;
  const maybe = await authors.delete("x", { returning: wanted });
  holds<Equal<typeof maybe, Author | undefined>>();
  const many = authors.createMany([input]);
  holds<Equal<typeof many, Query<Author[]>>>();
  const ignoring = authors.createMany([input], { onConflict: "ignore", on: "email" });
  holds<Equal<typeof ignoring, Query<Author[]>>>();
  const counted = authors.createMany([input], { returning: false });
  holds<Equal<typeof counted, Query<number>>>();
  const met = authors.upsertMany([input], { on: "email", returning: ["id"] });
  holds<Equal<typeof met, Query<{ id: string }[]>>>();
  const changed = authors.updateMany({ where: { name: "x" } }, { name: "y" });
  holds<Equal<typeof changed, Query<number>>>();
  const rows = authors.deleteMany({ where: "all" }, { returning: true });
  holds<Equal<typeof rows, Query<Author[]>>>();
  const each = authors.updateEach([{ key: "x", patch: { name: "y" } }], { returning: ["id"] });
  holds<Equal<typeof each, Query<({ id: string } | undefined)[]>>>();
  // @ts-expect-error no such column
  authors.updateEach([{ key: "x", patch: { nmae: "y" } }]);
  // @ts-expect-error a secret is not given back
  authors.create(input, { returning: ["apiToken"] });
  // @ts-expect-error no such column
  authors.updateMany({ where: "all" }, { name: "y" }, { returning: ["nmae"] });
  // @ts-expect-error which rows has to be said
  authors.deleteMany({});
  // @ts-expect-error "every" is no condition
  authors.deleteMany({ where: "every" });
  // @ts-expect-error a condition that is undefined would be about every row
  authors.updateMany({ where: undefined }, { name: "y" });
  // @ts-expect-error no such column
  authors.updateMany({ where: { nmae: "x" } }, { name: "y" });
}

export function changes(db: Database<typeof domain>) {
  const books = db.repository(domain.books);
  const samples = db.repository(domain.samples);
  books.update("x", { views: add(1n), stars: multiply(2), price: add("1.10"), shelvedAt: now() });
  books.update("x", { stars: add(1) }, { where: { stars: { lt: 5 }, author: { is: { name: "n" } } } });
  samples.update("x", {
    flag: toggle(),
    texts: append(["a"]),
    ints: remove(1),
    grid: append([[1]]),
    document: merge({ a: 1 }),
    day: now(),
  });
  books.upsert(
    { authorId: "a", title: "t", views: 1n },
    { on: "id", update: { views: add(given()), title: given() } },
  );
  // @ts-expect-error a text is no number
  books.update("x", { title: add(1) });
  // @ts-expect-error an integer takes no bigint
  books.update("x", { stars: add(1n) });
  // @ts-expect-error a numeric is text
  books.update("x", { price: add(1) });
  // @ts-expect-error numbers have no time
  books.update("x", { stars: now() });
  // @ts-expect-error items of another type
  samples.update("x", { ints: append(["a"]) });
  // @ts-expect-error an update is given no row
  books.update("x", { title: given() });
  // @ts-expect-error nor is there one to work with
  books.update("x", { views: add(given()) });
  // @ts-expect-error a new row has no value yet
  books.create({ authorId: "a", title: "t", views: add(1) });
}

export async function graphs(db: Database<typeof domain>) {
  const authors = db.repository(domain.authors);
  const made = await authors.createGraph({
    email: "e",
    name: "n",
    books: [{ title: "t", samples: [{ int: 1 }], loans: [{ reader: "r" }] }],
  });
  holds<Equal<(typeof made)["name"], string>>();
  const [book] = made.books;
  const sample = book?.samples[0];
  holds<Equal<NonNullable<typeof sample>, Row<typeof domain.samples>>>();
  holds<Equal<NonNullable<typeof book>["title"], Book["title"]>>();
  // @ts-expect-error it was given no such relation
  made.books[0]?.author;
  // @ts-expect-error no such column
  authors.createGraph({ email: "e", name: "n", bok: [] });
  // @ts-expect-error nor one level deeper
  authors.createGraph({ email: "e", name: "n", books: [{ title: "t", titel: "t" }] });
  authors.createGraph({
    email: "e",
    name: "n",
    // @ts-expect-error nor two
    books: [{ title: "t", loans: [{ reader: "r", raeder: "r" }] }],
  });
  // @ts-expect-error of another type
  authors.createGraph({ email: "e", name: "n", books: [{ title: 1 }] });
  // @ts-expect-error kept by Plinth
  authors.createGraph({ email: "e", name: "n", books: [{ title: "t", deletedAt: null }] });
}
