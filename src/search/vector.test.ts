import { sql } from "drizzle-orm";
import { integer, text, varchar } from "drizzle-orm/pg-core";
import { appSchema, entity, timestamps, ulidKey } from "plinth/schema";
import { describe, expect, it } from "vitest";
import { declaredGrounds } from "../../test/support/declared.ts";

const grounds = declaredGrounds();

const app = appSchema("shelf");
const search = { columns: ["title", 'Odd $$ "name"'] } as const;
const columns = {
  id: ulidKey(),
  title: text().notNull(),
  'Odd $$ "name"': varchar('Odd $$ "name"', { length: 200 }),
  twice: integer().generatedAlwaysAs(sql`length(title) * 2`),
  ...timestamps(),
};
const items = entity(app, "items", columns, { search, softDelete: true });
const parts = entity(
  app,
  "parts",
  { id: ulidKey(), year: integer().primaryKey(), title: text().notNull() },
  {
    search: { columns: ["title"], config: "simple" },
    partitionBy: {
      list: ["year"],
      partitions: [
        { name: "parts_26", values: [2026] },
        { name: "parts_rest", default: true },
      ],
    },
  },
);

async function open() {
  const ground = await grounds.open({ app, items, parts });
  const vector = async (table = "items") =>
    (await ground.rows(`select search_vector from shelf.${table} order by id`)).map(([words]) => words);
  await ground.connection.script("set search_path to shelf");
  return { ...ground, run: (text: string) => ground.connection.script(text), vector };
}

describe("the words of a row", () => {
  it("follow every write of a repository, which names the column in none", async () => {
    const { db, vector } = await open();
    const repo = db.repository(items);
    await repo.createMany([
      { id: "a", title: "Write notes", 'Odd $$ "name"': "released" },
      { id: "b", title: "Old" },
    ]);
    expect(await vector()).toEqual(["'note':2A 'releas':3B 'write':1A", "'old':1A"]);
    await repo.update("a", { title: "Read" });
    await repo.upsert({ id: "b", title: "New" }, { on: ["id"] });
    await repo.updateMany({ where: { id: { in: ["a", "b"] } } }, { 'Odd $$ "name"': "both" });
    expect(await vector()).toEqual(["'read':1A", "'new':1A"]);
    await repo.delete("a");
    await repo.withDeleted().restore("a");
    expect(Object.keys(await repo.get("a"))).not.toContain("searchVector");
    expect(await vector()).toEqual(["'read':1A", "'new':1A"]);
  });

  it("are what was computed, whatever somebody writes there", async () => {
    const { run, vector } = await open();
    await run(
      `insert into items (id, title, search_vector) values ('a', 'Notes', 'forged'), ('b', 'Old', null)`,
    );
    expect(await vector()).toEqual(["'note':1A", "'old':1A"]);
    await run(`update items set search_vector = 'forged'`);
    await run(`update items set title = 'New', search_vector = 'forged' where id = 'b'`);
    await run(
      `insert into items (id, title) values ('a', 'x') on conflict (id) do update set search_vector = 'forged'`,
    );
    await run(
      `merge into items using (values ('a')) v (id) on v.id = items.id when matched then update set search_vector = null`,
    );
    expect(await vector()).toEqual(["'note':1A", "'new':1A"]);
  });

  it("are those of what triggers before it have made of the row", async () => {
    const { run, vector } = await open();
    await run(`create function loud() returns trigger language plpgsql as $$
        begin new.title = new.title || ' loudly'; return new; end $$;
      create trigger items_loud before insert or update on items for each row execute function loud();
      insert into items (id, title) values ('a', 'Sing');
      update items set updated_at = now()`);
    expect(await vector()).toEqual(["'loud':2A,3A 'sing':1A"]);
  });

  it("are the same under any search_path, also one with functions and operators of those names", async () => {
    const { run, vector } = await open();
    await run(`create schema evil;
      create function evil.to_tsvector(text, text) returns tsvector language sql as $$ select 'evil'::tsvector $$;
      create function evil.never(text, text) returns boolean language sql as $$ select false $$;
      create function evil.same(text, text) returns boolean language sql as $$ select true $$;
      create operator evil.= (leftarg = text, rightarg = text, function = evil.same);
      create text search configuration evil.english (copy = pg_catalog.simple);
      set search_path to evil, pg_catalog;
      insert into shelf.items (id, title) values ('a', 'Notes');
      update shelf.items set title = 'Dogs'`);
    expect(await vector()).toEqual(["'dog':1A"]);
    await run("set search_path to ''; update shelf.items set title = 'Cats'");
    expect(await vector()).toEqual(["'cat':1A"]);
  });

  it("move with a row from one partition to another", async () => {
    const { run, vector, rows } = await open();
    await run(`insert into parts (id, year, title, search_vector) values ('a', 2026, 'the notes', 'forged');
      update parts set year = 2030, search_vector = 'forged';
      insert into parts_26 (id, year, title) values ('b', 2026, 'straight')`);
    expect(await vector("parts")).toEqual(["'notes':2A 'the':1A", "'straight':1A"]);
    expect(await rows("select tableoid::regclass::text from shelf.parts order by id")).toEqual([
      ["parts_rest"],
      ["parts_26"],
    ]);
  });

  it("are computed again for rows whose words are set to null, as after a change of the dictionary", async () => {
    const { run, vector } = await open();
    await run(`alter table items disable trigger zz_search_vector;
      insert into items (id, title, search_vector) values ('a', 'Notes', 'stale'), ('b', 'Old', null);
      alter table items enable trigger zz_search_vector;
      update items set search_vector = 'forged' where id = 'b'; update items set search_vector = null where id = 'a'`);
    expect(await vector()).toEqual(["'note':1A", "'old':1A"]);
  });
});

describe("a fill", () => {
  const filling = (table: string, update: string) =>
    `do $$ begin perform set_config('plinth.fill', '${table}'::regclass::oid::text, true); ${update}; end $$`;

  it("changes the words and nothing else in its table, and any other table as ever", async () => {
    const { run, rows, vector } = await open();
    await run(`insert into items (id, title) values ('a', 'Notes'); insert into parts (id, year, title) values ('p', 1, 'Old');
      create function onward() returns trigger language plpgsql as $$
        begin update items set title = 'Onward' where id = 'b'; update parts set title = 'new'; return null; end $$;
      insert into items (id, title) values ('b', 'Notes');
      alter table items disable trigger items_touch; update items set updated_at = '2001-01-01'; alter table items enable trigger items_touch;
      create trigger onward after update on items for each row when (old.id = 'a') execute function onward()`);
    await run(filling("items", "update items set search_vector = 'x', title = 'lost' where id = 'a'"));
    expect(await vector()).toEqual(["'note':1A", "'onward':1A"]);
    expect(await vector("parts")).toEqual(["'new':1A"]);
    expect(
      await rows("select id, title, twice, updated_at < '2002-01-01' from shelf.items order by id"),
    ).toEqual([
      ["a", "Notes", "10", "t"],
      ["b", "Onward", "12", "f"],
    ]);
    await run("update items set title = 'Later' where id = 'a'");
    expect(await vector()).toEqual(["'later':1A", "'onward':1A"]);
  });
});
