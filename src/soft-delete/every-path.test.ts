import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { eq } from "drizzle-orm";
import { type AnyPgColumn, integer, text } from "drizzle-orm/pg-core";
import { appSchema, entity, relations, timestamps, ulidKey, versioned } from "plinth/schema";
import { testDatabase } from "plinth/testing";
import { afterAll, beforeEach, describe, expect, it } from "vitest";

/** Every way to end a row, beside every way to look at rows: whoever ends it, nobody sees it. */
const app = appSchema("paths");
const authors = entity(app, "authors", { id: ulidKey(), name: text().notNull() }, { softDelete: true });
const books = entity(
  app,
  "books",
  {
    id: ulidKey(),
    authorId: text()
      .notNull()
      .references((): AnyPgColumn => authors.id, { onDelete: "cascade" }),
    title: text().notNull().unique(),
    pages: integer().notNull().default(100),
    ...timestamps(),
    ...versioned(),
  },
  { softDelete: true, history: true, search: { columns: ["title"] } },
);
const authorRelations = relations(authors, (r) => ({ books: r.many(books) }));
const bookRelations = relations(books, (r) => ({ author: r.one(authors, { via: "authorId" }) }));
const schema = { app, authors, books, authorRelations, bookRelations };

const { db, url, close } = await testDatabase({ schema });
afterAll(close);
const repo = { authors: db.repository(authors), books: db.repository(books) };

const DEBIAN_PYTHON = "/usr/bin/python3";
const DRIVER = "/usr/lib/python3/dist-packages/psycopg2/__init__.py";
/** What a program in another language prints. */
function python(lines: string): string {
  if (!existsSync(DRIVER)) throw new Error("psycopg2 is not installed: run scripts/setup-system");
  const head = `import psycopg2, sys\nc = psycopg2.connect(sys.argv[1])\nk = c.cursor()\nk.execute("set search_path to paths")\n`;
  return execFileSync(DEBIAN_PYTHON, ["-c", `${head}${lines}\nc.commit()`, url], { encoding: "utf8" });
}

beforeEach(async () => {
  await repo.books.withDeleted().purgeMany({ where: "all" });
  await repo.authors.withDeleted().purgeMany({ where: "all" });
  await repo.authors.createMany([
    { id: "ann", name: "Ann" },
    { id: "bob", name: "Bob" },
  ]);
  await repo.books.createMany([
    { id: "kept", authorId: "ann", title: "a kept story" },
    { id: "gone", authorId: "ann", title: "a lost story", pages: 7 },
  ]);
});

const WAYS: Readonly<Record<string, () => Promise<unknown>>> = {
  delete: async () => repo.books.delete("gone"),
  deleteMany: async () => repo.books.deleteMany({ where: { pages: 7 } }),
  "a batch": () => db.batch([repo.books.update("kept", { pages: 3 }), repo.books.delete("gone")]),
  "a nested transaction": () =>
    db.transaction((tx) => tx.transaction(async () => void (await repo.books.delete("gone")))),
  "a raw DELETE": async () => db.sql`delete from paths.books where id = 'gone'`,
  "a raw DELETE ... USING": async () =>
    db.sql`delete from paths.books b using paths.authors a where a.id = b.author_id and b.pages = 7`,
  "a MERGE": async () =>
    db.sql`merge into paths.books b using (values ('gone')) v(id) on b.id = v.id when matched then delete`,
  "a DELETE of the view": async () => db.sql`delete from paths.living_books where id = 'gone'`,
  "Drizzle's delete": async () => db.drizzle.delete(books).where(eq(books.id, "gone")),
  "Drizzle's delete in a transaction": () =>
    db.drizzle.transaction(async (tx) => void (await tx.delete(books).where(eq(books.id, "gone")))),
  "a DELETE from Python": async () => python("k.execute(\"delete from books where id = 'gone'\")"),
  "its parent's end": async () => {
    await repo.books.update("kept", { authorId: "bob" });
    await repo.authors.delete("ann");
  },
  "its parent's DELETE from Python": async () => {
    await repo.books.update("kept", { authorId: "bob" });
    python("k.execute(\"delete from authors where id = 'ann'\")");
  },
};

/** What each way of reading shows of books: their ids. */
async function seen(): Promise<Readonly<Record<string, unknown>>> {
  const ids = (rows: readonly { readonly id: string }[]) => rows.map(({ id }) => id);
  const streamed: string[] = [];
  for await (const { id } of repo.books.stream()) streamed.push(id);
  const copied: string[] = [];
  for await (const piece of repo.books.copyOut({ columns: ["id"] })) copied.push(String(piece));
  const page = await repo.books.list();
  const nested = await repo.authors.list({ with: { books: true }, sort: "id" });
  const single = await repo.authors.list({ with: { books: { limit: 5 } }, sort: "id" });
  const [row] = await db.sql<{ ids: string }>`select string_agg(id, ',') as ids from paths.living_books`;
  return {
    find: ids(
      [await repo.books.find("gone"), await repo.books.find("kept")].filter((one) => one !== undefined),
    ),
    findBy: (await repo.books.findBy({ title: "a lost story" }))?.id ?? "kept",
    findMany: ids((await repo.books.findMany(["gone", "kept"])).filter((one) => one !== undefined)),
    list: [ids(page.data), page.meta.total],
    keyset: ids((await repo.books.list({ after: null, sort: "id" })).data),
    search: ids((await repo.books.search("story")).data.map(({ row }) => row)),
    count: await repo.books.count(),
    exists: await repo.books.exists({ pages: 7 }),
    aggregate: await repo.books.aggregate({ count: true, min: "pages" }).then(({ count }) => count),
    distinct: (await repo.books.distinct("title")).length,
    stream: streamed,
    copyOut: copied.join(""),
    nested: nested.data.flatMap((author) => ids(author.books)),
    limited: single.data.flatMap((author) => ids(author.books)),
    related: await repo.authors.count({ books: { some: { pages: 7 } } }),
    view: row?.ids,
    python: python('k.execute("select id from living_books"); print(k.fetchall())'),
  };
}

const KEPT = {
  find: ["kept"],
  findBy: "kept",
  findMany: ["kept"],
  list: [["kept"], 1],
  keyset: ["kept"],
  search: ["kept"],
  count: 1,
  exists: false,
  aggregate: 1,
  distinct: 1,
  stream: ["kept"],
  copyOut: "kept\n",
  nested: ["kept"],
  limited: ["kept"],
  related: 0,
  view: "kept",
  python: "[('kept',)]\n",
};

describe.each(Object.keys(WAYS))("a row that was ended by %s", (way) => {
  it("is seen and changed by nobody, stays, and cannot return where its unique key was taken", async () => {
    const before = await repo.books.get("gone");
    await WAYS[way]?.();
    expect(await seen()).toEqual(KEPT);
    const dead = await repo.books.onlyDeleted().get("gone");
    expect(dead).toEqual({
      ...before,
      deletedAt: expect.any(Date),
      deletedBy: null,
      updatedAt: expect.any(Date),
      version: before.version + 1,
    });
    await expect(repo.books.update("gone", { pages: 1 })).rejects.toMatchObject({ code: "NOT_FOUND" });
    expect(await repo.books.updateMany({ where: { pages: 7 } }, { pages: 1 })).toBe(0);
    expect(await repo.books.updateEach([{ key: "gone", patch: { pages: 1 } }]).catch(() => 0)).toBe(0);
    const again = await repo.books.upsert({ authorId: "bob", title: "a lost story" }, { on: "title" });
    expect(again.id).not.toBe("gone");
    // A row that would come back with its parent is in the way of the parent's return.
    const work = way.startsWith("its parent") ? repo.authors.restore("ann") : repo.books.restore("gone");
    await expect(work).rejects.toMatchObject({
      code: "UNIQUE_VIOLATION",
      table: "books",
      columns: ["title"],
    });
  });

  it("returns as it was, and is in the history as deleted once and restored", async () => {
    await WAYS[way]?.();
    await (way.startsWith("its parent") ? repo.authors.restore("ann") : repo.books.restore("gone"));
    const { data } = await repo.books.history("gone");
    expect(data.map(({ operation }) => operation).slice(0, 2)).toEqual(["restore", "delete"]);
    expect(await repo.books.get("gone")).toMatchObject({ title: "a lost story", pages: 7 });
  });
});

describe("rows that arrive dead", () => {
  it("are in no read, by COPY from Python and by INSERT", async () => {
    const copy = `import io
k.copy_expert("copy books (id, author_id, title, deleted_at) from stdin", io.StringIO("old\\tann\\told story\\t2020-01-01\\n"))`;
    python(copy);
    await db.sql`delete from paths.books where id = 'gone'`;
    expect(await seen()).toEqual(KEPT);
    const rows = python('k.execute("select id from books order by id"); print(k.fetchall())');
    expect(rows).toBe("[('gone',), ('kept',), ('old',)]\n");
  });
});

describe("a transaction that is taken back", () => {
  it.each(Object.keys(WAYS).filter((way) => !/Python|Drizzle|batch|nested/.test(way)))(
    "leaves the row that %s had ended, inside a nested one too",
    async (way) => {
      await db.transaction(async (tx) => {
        const nested = tx.transaction(async () => {
          await WAYS[way]?.();
          expect(await repo.books.find("gone")).toBeUndefined();
          throw new Error("back");
        });
        await expect(nested).rejects.toThrow("back");
        expect(await repo.books.count()).toBe(2);
      });
      expect(await repo.books.get("gone")).toMatchObject({ deletedAt: null, version: 1 });
    },
  );
});
