import { sql } from "drizzle-orm";
import { type AnyPgColumn, foreignKey, integer, text, timestamp } from "drizzle-orm/pg-core";
import { appSchema, entity, ulidKey } from "plinth/schema";
import { testDatabase } from "plinth/testing";
import { describe, expect, it, onTestFinished } from "vitest";
import { aProject, type Client, person, workshops } from "../../test/support/workshop.ts";
import { people } from "../../test/support/workshop-schema.ts";
import { connect, parseTarget } from "../driver/index.ts";
import { describeSchema } from "../schema/index.ts";

const open = workshops();

async function clientWithTree(): Promise<Client> {
  const client = await (await open()).client();
  await client.run(`
    insert into people (id, email, name) values ('ann', 'a', 'Ann'), ('bob', 'b', 'Bob');
    insert into projects (id, owner_id, name) values ('p', 'ann', 'P');
    insert into tasks (id, project_id, title, assigned_to) values ('t1', 'p', '1', 'bob'), ('t2', 'p', '2', 'bob');
    insert into comments (id, task_id, body) values ('c1', 't1', 'x');
    insert into folders (id, parent_id, name) values ('a', null, 'x'), ('b', 'a', 'x'), ('c', 'b', 'x'), ('z', null, 'x')`);
  return client;
}

const living = async (client: Client, table: string) =>
  (await client.run(`select id from ${table} where deleted_at is null order by id`)).map(([id]) => id);
const rows = async (client: Client, table: string) =>
  (await client.run(`select count(*) from ${table}`))[0]?.[0];
const leave = (text: string) => `begin; set local plinth.purging = 'on'; ${text}; commit`;

describe("a DELETE of any client", () => {
  it("stamps the row and what follows it, under one stamp, and removes nothing", async () => {
    const client = await clientWithTree();
    expect(await client.run("delete from projects where id = 'p' returning id")).toEqual([]);
    expect([await living(client, "tasks"), await living(client, "comments")]).toEqual([[], []]);
    expect([await rows(client, "projects"), await rows(client, "tasks")]).toEqual(["1", "2"]);
    const stamps = await client.run(`select count(distinct deleted_at), count(deleted_by) from (
      select deleted_at, deleted_by from projects union all select deleted_at, deleted_by from tasks) all_of_them`);
    expect(stamps).toEqual([["1", "0"]]);
    await client.run("update projects set deleted_at = null where id = 'p'");
    expect([await living(client, "tasks"), await living(client, "comments")]).toEqual([["t1", "t2"], ["c1"]]);
  });

  it("says by whom where the session does", async () => {
    const client = await clientWithTree();
    await client.run("begin; set local plinth.user_id = 'me'; delete from projects; commit");
    expect(await client.run("select distinct deleted_by from tasks")).toEqual([["me"]]);
    await client.run("delete from folders where id = 'z'");
    expect(await client.run("select deleted_by from folders where id = 'z'")).toEqual([[null]]);
  });

  it("stamps nothing twice", async () => {
    const client = await clientWithTree();
    await client.run("delete from tasks where id = 't1'");
    const before = await client.run("select deleted_at from tasks where id = 't1'");
    await client.run("delete from tasks where id = 't1'; delete from projects");
    expect(await client.run("select deleted_at from tasks where id = 't1'")).toEqual(before);
  });

  it("follows RESTRICT and SET NULL as a stamp does", async () => {
    const client = await clientWithTree();
    await expect(client.run("delete from people where id = 'ann'")).rejects.toMatchObject({
      code: "RESTRICT_VIOLATION",
      table: "projects",
    });
    expect(await living(client, "people")).toEqual(["ann", "bob"]);
    await client.run("delete from people where id = 'bob'");
    expect(await client.run("select distinct assigned_to from tasks")).toEqual([[null]]);
  });

  it("takes a tree in one statement, whichever row it meets first", async () => {
    for (const order of ["asc", "desc"]) {
      const client = await clientWithTree();
      await client.run(`create table ordered as table folders order by id ${order};
        begin; set local plinth.purging = 'on'; delete from folders; commit;
        insert into folders select * from ordered; delete from folders where id <> 'z'`);
      expect(await living(client, "folders")).toEqual(["z"]);
      expect(await rows(client, "folders")).toBe("4");
      await client.run("delete from folders; delete from folders");
      expect(await living(client, "folders")).toEqual([]);
    }
  });

  it("takes thousands of rows of a tree in one statement", async () => {
    const client = await clientWithTree();
    await client.run(`insert into folders (id, parent_id, name)
      select 'n' || i, case when i > 1 then 'n' || i / 2 end, 'x' from generate_series(1, 3001) i`);
    await client.run("delete from folders where id like 'n%'");
    expect(await living(client, "folders")).toEqual(["a", "b", "c", "z"]);
  });

  it("leaves nothing of a tree behind in the transaction when it is taken back", async () => {
    const client = await clientWithTree();
    await client.run(`begin; savepoint s; delete from folders where id = 'b'; rollback to s;
      delete from folders where id = 'z'; commit`);
    expect(await living(client, "folders")).toEqual(["a", "b", "c"]);
  });

  it("is one through Drizzle, the raw door and a data-modifying WITH", async () => {
    const { db, repo } = await open();
    const made = await repo.people.createMany([person(), person(), person()]);
    const [one, two, three] = made.map(({ id }) => id);
    await db.drizzle.delete(people).where(sql`${people.id} = ${one}`);
    await db.sql`delete from workshop.people where id = ${two}`;
    await db.sql`with gone as (delete from workshop.people where id = ${three} returning 1) select count(*) from gone`;
    expect([await repo.people.count(), await repo.people.onlyDeleted().count()]).toEqual([0, 3]);
    await repo.people.restore(one ?? "");
    expect(await repo.people.count()).toBe(1);
  });

  it("is taken back with its transaction, and with a nested one", async () => {
    const { db, repo } = await open();
    const { project } = await aProject({ repo });
    await db.transaction(async (tx) => {
      const inner = tx.transaction(async (nested) => {
        await nested.sql`delete from workshop.projects where id = ${project.id}`;
        expect(await repo.projects.count()).toBe(0);
        throw new Error("no");
      });
      await expect(inner).rejects.toThrow("no");
      expect(await repo.projects.count()).toBe(1);
    });
  });

  it("is refused, and not passed over in silence, where a policy keeps the role from the stamp", async () => {
    const client = await clientWithTree();
    const role = `clerk_${process.pid}`;
    await client.run(`drop role if exists ${role}; create role ${role};
      grant usage on schema workshop to ${role}; grant select, delete, update on tasks, folders, comments to ${role};
      alter table tasks enable row level security; alter table folders enable row level security;
      create policy seen on tasks for select using (true); create policy ended on tasks for delete using (true);
      create policy seen on folders for select using (true); create policy ended on folders for delete using (true)`);
    for (const table of ["tasks", "folders"]) {
      const work = client.run(`begin; set local role ${role}; delete from ${table}; commit`);
      await expect(work).rejects.toMatchObject({ code: "PERMISSION_DENIED", table });
      await client.run("rollback");
    }
    await client.run(`drop owned by ${role}; drop role ${role}`);
  });
});

describe("TRUNCATE", () => {
  it("is refused with what to do, also where it comes by CASCADE, unless there is leave", async () => {
    const client = await clientWithTree();
    for (const text of ["truncate folders", "truncate people cascade"]) {
      await expect(client.run(text)).rejects.toMatchObject({
        code: "PERMISSION_DENIED",
        serverMessage: expect.stringContaining("TRUNCATE would remove them for good"),
      });
    }
    expect(await rows(client, "folders")).toBe("4");
    await client.run(leave("truncate people cascade"));
    expect(await rows(client, "comments")).toBe("0");
  });
});

describe("the leave to purge", () => {
  it("holds until the transaction ends, and cascades", async () => {
    const client = await clientWithTree();
    await client.run(leave("delete from projects"));
    expect([await rows(client, "tasks"), await rows(client, "comments")]).toEqual(["0", "0"]);
    await client.run("delete from folders where id = 'z'");
    expect(await rows(client, "folders")).toBe("4");
  });
});

describe("a foreign key between a soft-deleted and another entity", () => {
  const app = appSchema("mixed");
  const soft = (name: string, onDelete?: "cascade" | "restrict" | "set null") => {
    const parents = entity(app, `${name}_parents`, { id: ulidKey() });
    const children = entity(
      app,
      `${name}_children`,
      {
        id: ulidKey(),
        parentId: text().references(
          (): AnyPgColumn => parents.id,
          onDelete === undefined ? {} : { onDelete },
        ),
      },
      { softDelete: true },
    );
    return { parents, children };
  };

  it("cannot cascade, in either direction", () => {
    expect(() => describeSchema(soft("a", "cascade"))).toThrow(
      expect.objectContaining({
        code: "SCHEMA_INVALID",
        message: expect.stringContaining(
          'cascades between "a_children", which is soft-deleted, and "a_parents", which is not',
        ),
      }),
    );
    const parents = entity(app, "b_parents", { id: ulidKey() }, { softDelete: true });
    const parentId = () => text().references((): AnyPgColumn => parents.id, { onDelete: "cascade" });
    const children = entity(app, "b_children", { id: ulidKey(), parentId: parentId() });
    expect(() => describeSchema({ parents, children })).toThrow('Declare softDelete for "b_children" too');
    const others = entity(app, "b_others", { id: ulidKey(), parentId: parentId() }, { softDelete: true });
    expect(() => describeSchema({ parents, others })).not.toThrow();
  });

  it("empties or refuses as PostgreSQL does where the parent is really deleted, for dead children too", async () => {
    const { database } = await fresh({
      ...rename(soft("c", "set null"), "c"),
      ...rename(soft("d"), "d"),
      ...rename(soft("e", "restrict"), "e"),
    });
    for (const name of ["c", "d", "e"]) {
      await database(`insert into ${name}_parents values ('p'); insert into ${name}_children (id, parent_id) values ('1', 'p'), ('2', 'p');
        delete from ${name}_children where id = '1'`);
    }
    await database("delete from c_parents");
    expect(await database("select count(*), count(parent_id), count(deleted_at) from c_children")).toEqual([
      ["2", "0", "1"],
    ]);
    for (const name of ["d", "e"]) {
      await expect(database(`delete from ${name}_parents`)).rejects.toMatchObject({
        table: `${name}_children`,
      });
      await database(`delete from ${name}_children`);
      // A dead row keeps its reference, so that it can be restored.
      await expect(database(`delete from ${name}_parents`)).rejects.toMatchObject({
        table: `${name}_children`,
      });
      await database(leave(`delete from ${name}_children`));
      await database(`delete from ${name}_parents`);
      expect(await database(`select count(*) from ${name}_parents`)).toEqual([["0"]]);
    }
  });
});

describe("a tree with a key of two odd columns, one of an enum, and a domain that takes no null", () => {
  const app = appSchema("mixed");
  const kind = app.enum("ki'nd", ["a", "b"]);
  const email = app.domain("email", text().notNull());
  const nodes = entity(
    app,
    'no"des',
    {
      kind: kind("ki'nd").primaryKey(),
      number: integer('num"ber').primaryKey(),
      parentKind: kind("parent kind"),
      parentNumber: integer(),
      email: email(),
    },
    {
      softDelete: true,
      constraints: (t) => [
        foreignKey({ columns: [t.parentKind, t.parentNumber], foreignColumns: [t.kind, t.number] }),
      ],
    },
  );

  it("is stamped in one statement, though its foreign key restricts, and not in part", async () => {
    const { database } = await fresh({ app, kind, email, nodes });
    await database(
      `insert into "no""des" values ('a', 1, null, null, 'x'), ('b', 1, 'a', 1, 'x'), ('b', 2, 'b', 1, 'x')`,
    );
    const part = database(`delete from "no""des" where "num""ber" = 1`);
    await expect(part).rejects.toMatchObject({ code: "RESTRICT_VIOLATION" });
    await database(`delete from "no""des"`);
    expect(await database(`select count(*), count(deleted_at) from "no""des"`)).toEqual([["3", "3"]]);
  });
});

describe("a divided table", () => {
  const app = appSchema("mixed");
  const events = entity(
    app,
    "events",
    { id: text().primaryKey(), year: integer().primaryKey(), at: timestamp(), note: text() },
    {
      softDelete: true,
      partitionBy: {
        range: ["year"],
        partitions: [
          { name: "events_2025", from: 2025, to: 2026 },
          { name: "events_2026", from: 2026, to: 2028 },
        ],
      },
    },
  );

  it("moves a row to another partition, which is no end of it", async () => {
    const { database } = await fresh({ events });
    await database("insert into events (id, year) values ('a', 2025), ('b', 2025), ('c', 2026)");
    await database("update events set year = 2026 where id = 'a'");
    expect(await database("select id, tableoid::regclass::text, deleted_at from events order by id")).toEqual(
      [
        ["a", "events_2026", null],
        ["b", "events_2025", null],
        ["c", "events_2026", null],
      ],
    );
    await database(
      `begin; update events set year = year + 1; delete from events where id in ('a', 'c'); commit`,
    );
    expect(await database("select id, year, deleted_at is null from events order by id")).toEqual([
      ["a", "2027", "f"],
      ["b", "2026", "t"],
      ["c", "2027", "f"],
    ]);
  });

  it("keeps the rows of its partitions, whichever is named", async () => {
    const { database } = await fresh({ events });
    await database("insert into events (id, year) values ('a', 2025), ('b', 2026), ('c', 2026)");
    await database("delete from events_2025; delete from events where id = 'b'");
    for (const table of ["events", "events_2026"]) {
      await expect(database(`truncate ${table}`)).rejects.toMatchObject({ code: "PERMISSION_DENIED" });
    }
    expect(await database("select id from events where deleted_at is null")).toEqual([["c"]]);
    await database(leave("delete from events where deleted_at is not null"));
    expect(await database("select count(*) from events")).toEqual([["1"]]);
  });
});

function rename(schema: object, name: string): Record<string, unknown> {
  return Object.fromEntries(Object.entries(schema).map(([key, value]) => [`${name}_${key}`, value]));
}

/** A database of a schema, and a client of it. */
async function fresh(schema: Record<string, unknown>) {
  const database = await testDatabase({ schema });
  const connection = await connect(parseTarget(database.url));
  onTestFinished(async () => {
    await connection.close();
    await database.close();
  });
  await connection.script("set search_path to mixed");
  return { database: async (text: string) => (await connection.script(text)).at(-1)?.rows ?? [] };
}
