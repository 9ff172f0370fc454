import { createDatabase } from "plinth";
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { type Connection, connect, parseTarget } from "../../src/driver/index.ts";
import * as domain from "../support/domain.ts";
import { openLibrary } from "../support/library.ts";
import { throughPooler } from "../support/pooler.ts";
import { rejection } from "../support/rejection.ts";

const WIRES = ["plinth", "pg"] as const;

const library = await openLibrary();
const { url } = library;
let admin: Connection;

beforeAll(async () => {
  admin = await connect(parseTarget(url));
  // PostgreSQL changes no column that a view shows: a migration drops it before, and makes it again.
  await admin.script("drop view library.living_books");
});
afterAll(() => admin.close());

/** What a migration does to what a prepared statement answers. Each can be done again. */
const CHANGES = [
  ["a wider type", "alter table library.books alter column stars type bigint"],
  ["a narrower type", "alter table library.books alter column stars type smallint"],
  ["a type of another kind", "alter table library.books alter column title type varchar(300)"],
  ["a new column", "alter table library.books add column added text"],
  [
    "a column that was dropped and made again",
    "alter table library.books drop column stars; alter table library.books add column stars bigint default 5",
  ],
  [
    "a table that was made again",
    `create table library.books_again (like library.books including all);
     insert into library.books_again select (jsonb_populate_record(null::library.books_again, to_jsonb(b))).*
       from library.books b;
     alter table library.books rename to books_before;
     alter table library.books_again rename to books`,
  ],
] as const;

const BACK = `
  do $$ begin
    if to_regclass('library.books_before') is not null then
      drop table library.books;
      alter table library.books_before rename to books;
    end if;
  end $$;
  alter table library.books drop column if exists added;
  alter table library.books alter column stars drop default;
  alter table library.books alter column stars type integer;
  alter table library.books alter column title type text`;

describe.each(WIRES)("a process whose statements are prepared, on the %s wire,", (wire) => {
  beforeEach(() => admin.script(BACK));

  /** One connection, on which every statement has run often enough to be prepared and read in binary. */
  async function opened() {
    const db = await createDatabase({
      schema: domain,
      url: throughPooler(url),
      pool: { max: 1 },
      session: { wire },
      onWarning: () => {},
    });
    onTestFinished(() => db.close());
    const books = db.repository(domain.books);
    const authors = db.repository(domain.authors);
    const author = await library.makeAuthor();
    const { id } = await books.create({ title: "T", stars: 5, authorId: author.id });
    const where = { authorId: author.id };
    const seen = ({ title, stars }: { title: string; stars: number | null }) => `${title} ${stars}`;
    /** Every way to the one book; each answers the same. */
    const ways = {
      get: async () => seen(await books.get(id)),
      list: async () => (await books.list({ where })).data.map(seen).join(),
      with: async () => (await authors.get(author.id, { with: { books: true } })).books.map(seen).join(),
      update: async () => seen(await books.update(id, { pages: 3 })),
      many: async () =>
        (await books.updateMany({ where }, { pages: 4 }, { returning: true })).map(seen).join(),
      sql: async () => {
        const rows = await db.sql<{ title: string; stars: unknown }>`
          select title, stars from library.books where id = ${id}`;
        return rows.map(({ title, stars }) => `${title} ${String(stars)}`).join();
      },
      batch: async () => {
        const [row] = await db.batch([books.get(id), books.count(where)]);
        return seen(row);
      },
      stream: async () => {
        const found: string[] = [];
        for await (const row of books.stream({ where })) found.push(seen(row));
        return found.join();
      },
    };
    for (let run = 0; run < 3; run++) {
      for (const [name, way] of Object.entries(ways)) expect([name, await way()]).toEqual([name, "T 5"]);
    }
    return { db, books, id, ways };
  }

  it.each(CHANGES)("goes on after %s: every call runs once more by itself", async (_what, change) => {
    const { ways } = await opened();
    for (const [name, way] of Object.entries(ways)) {
      await admin.script(BACK);
      await way();
      await admin.script(change);
      expect([name, await way()]).toEqual([name, "T 5"]);
      expect([name, await way()]).toEqual([name, "T 5"]);
    }
  });

  it.each(CHANGES)("begins its transactions after %s", async (_what, change) => {
    const { db, ways } = await opened();
    for (const [name, way] of Object.entries(ways)) {
      await admin.script(BACK);
      await db.transaction(way);
      await admin.script(change);
      expect([name, await db.transaction(way)]).toEqual([name, "T 5"]);
    }
  });

  it("loses at most the transaction that is open meanwhile, and says that it may run again", async () => {
    const { db, books, id, ways } = await opened();
    const work = () =>
      db.transaction(async () => {
        await db.sql`select 1`;
        return (await books.get(id)).stars;
      });
    await work();
    await admin.script("alter table library.books alter column stars type bigint");
    const first = await work().catch((error: unknown) => error);
    // Behind a pooler no statement of a transaction has a name that could be stale.
    if (first !== 5) expect(first).toMatchObject({ code: "STALE_STATEMENT" });
    expect(await work()).toBe(5);
    expect(await ways.get()).toBe("T 5");
  });

  it("reports a column that is gone as it is: nothing is tried for ever", async () => {
    const { ways } = await opened();
    await admin.script("alter table library.books rename column stars to stars_gone");
    onTestFinished(async () => {
      await admin.script("alter table library.books rename column stars_gone to stars");
    });
    for (const way of [ways.get, ways.list, ways.sql]) {
      expect(await rejection(way())).toMatchObject({ code: "STATEMENT_INVALID", sqlstate: "42703" });
    }
  });
});
