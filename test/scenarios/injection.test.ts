/** Faults 54 to 56: whatever a caller passes, the SQL keeps its shape. */
import type { Query } from "plinth";
import { beforeAll, describe, expect, it } from "vitest";
import { openLibrary } from "../support/library.ts";
import { rejection } from "../support/rejection.ts";

const { db, repo, makeAuthor, makeBook } = await openLibrary();

const HOSTILE = [
  "'; drop table library.books; --",
  "' or '1'='1",
  '"; drop table library.books; --',
  '" or 1=1 --',
  "\\'; drop table library.books; --",
  "$1; drop table library.books",
  "$$; drop table library.books; $$",
  "1); drop table library.books; --",
  "*/ drop table library.books; /*",
  "x' || pg_sleep(10) || '",
  '{"a",NULL}',
  '{"',
  "%' or title like '%",
  "\u02bc; drop table library.books",
  "＇; drop table library.books; --",
  "a\nb; drop table library.books;",
  "-- ",
];

beforeAll(async () => {
  await makeBook({ title: "canary" });
});

async function expectCanaryAlive(): Promise<void> {
  expect(await repo.books.count({ title: "canary" })).toBe(1);
}

describe("a hostile value", () => {
  const calls: Record<string, (value: string) => Query<unknown>> = {
    "find key": (value) => repo.books.find(value),
    "get key": (value) => repo.books.get(value),
    "composite key": (value) => repo.loans.find({ bookId: value, reader: value }),
    findMany: (value) => repo.books.findMany([value, "b"]),
    "findMany of composite keys": (value) => repo.loans.findMany([{ bookId: value, reader: value }]),
    findBy: (value) => repo.authors.findBy({ email: value }),
    "where equals": (value) => repo.books.list({ where: { title: value } }),
    "where in": (value) => repo.books.list({ where: { title: { in: [value, value] } } }),
    "where notIn": (value) => repo.books.count({ title: { notIn: [value] } }),
    "where gt": (value) => repo.books.exists({ title: { gt: value } }),
    "where startsWith": (value) => repo.books.list({ where: { title: { startsWith: value } } }),
    "where contains": (value) =>
      repo.books.list({ where: { title: { contains: value, mode: "insensitive" } } }),
    "where nested": (value) => repo.books.list({ where: { or: [{ not: { title: value } }] } }),
    "where of a relation": (value) => repo.authors.list({ with: { books: { where: { title: value } } } }),
    create: (value) => repo.authors.create({ email: value, name: value, bio: value }),
    createMany: (value) =>
      repo.authors.createMany([
        { email: `1${value}`, name: value },
        { email: `2${value}`, name: value },
      ]),
    update: (value) => repo.authors.update(value, { name: value, bio: value }),
    upsert: (value) => repo.authors.upsert({ email: `3${value}`, name: value }, { on: "email" }),
    delete: (value) => repo.authors.delete(value),
    restore: (value) => repo.authors.restore(value),
    "json value": (value) => repo.samples.create({ document: { [value]: value } }),
    "array value": (value) => repo.samples.create({ texts: [value, value] }),
    "template hole": (value) => db.sql`select ${value}::text as v`,
    "template array": (value) => db.sql`select ${[value]}::text[] as v`,
  };

  it.each(Object.entries(calls))("changes nothing of the SQL: %s", async (_name, call) => {
    const benign = call("benign").toSQL().text;
    for (const value of HOSTILE) {
      expect(call(value).toSQL().text).toBe(benign);
      const error = await Promise.resolve(call(value)).then(
        () => undefined,
        (reason: { code?: string }) => reason,
      );
      // Absence is the only thing that may be wrong with it.
      if (error !== undefined) expect(error.code).toBe("NOT_FOUND");
    }
    await expectCanaryAlive();
  });

  it("comes back as it was", async () => {
    for (const value of HOSTILE) {
      const author = await makeAuthor({ name: value, bio: value });
      expect(await repo.authors.list({ where: { id: author.id, name: value } })).toMatchObject({
        data: [{ name: value, bio: value }],
      });
      const [row] = await repo.samples.createMany([{ texts: [value], document: [value] }, {}]);
      expect(row).toMatchObject({ texts: [value], document: [value] });
    }
  });

  it("signs as it is: the user of an actor", async () => {
    for (const value of HOSTILE) {
      const author = await db.as({ userId: value }, () => makeAuthor());
      expect(author.createdBy).toBe(value);
    }
  });
});

describe("a hostile name", () => {
  const calls: Record<string, (name: string) => Query<unknown>> = {
    "where key": (name) => repo.books.list({ where: { [name]: "x" } as never }),
    operator: (name) => repo.books.list({ where: { title: { [name]: "x" } } as never }),
    mode: (name) => repo.books.list({ where: { title: { contains: "x", mode: name } } as never }),
    sort: (name) => repo.books.list({ sort: name as never }),
    "descending sort": (name) => repo.books.list({ sort: `-${name}` as never }),
    "sort of a relation": (name) => repo.authors.list({ with: { books: { sort: name as never } } }),
    with: (name) => repo.books.list({ with: { [name]: true } as never }),
    reveal: (name) => repo.authors.list({ reveal: [name] as never }),
    limit: (name) => repo.books.list({ limit: name as never }),
    "limit of a relation": (name) => repo.authors.list({ with: { books: { limit: name as never } } }),
    page: (name) => repo.books.list({ page: name as never }),
    cursor: (name) => repo.books.list({ after: name }),
    "findBy key": (name) => repo.authors.findBy({ [name]: "x" } as never),
    "create key": (name) => repo.authors.create({ [name]: "x" } as never),
    "update key": (name) => repo.authors.update("x", { [name]: "x" } as never),
    "increment key": (name) => repo.books.increment("x", { [name]: 1 } as never),
    "increment amount": (name) => repo.books.increment("x", { stars: name } as never),
    "upsert on": (name) => repo.authors.upsert({ email: "x", name: "x" }, { on: name as never }),
    "upsert update": (name) =>
      repo.authors.upsert({ email: "x", name: "x" }, { on: "email", update: [name as never] }),
    onConflict: (name) => repo.authors.createMany([], { onConflict: name as never }),
    option: (name) => repo.books.list({ [name]: 1 } as never),
    "enum value": (name) => repo.books.list({ where: { genre: name as never } }),
    "oneOf value": (name) => repo.books.list({ where: { language: name as never } }),
  };
  const NAMES = [
    ...HOSTILE,
    "constructor",
    "__proto__",
    "toString",
    "hasOwnProperty",
    'title" desc; --',
    "t0.title",
    "title;",
    "deleted_at",
  ];

  it.each(Object.entries(calls))("is refused before anything is sent: %s", async (_name, call) => {
    for (const name of NAMES) {
      expect((await rejection(call(name))).code, name).toMatch(/^INVALID_(QUERY|VALUE|CURSOR)$/);
    }
    await expectCanaryAlive();
  });
});
