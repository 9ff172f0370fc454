import { type AnyPgColumn, text } from "drizzle-orm/pg-core";
import { appSchema, entity, ulidKey } from "plinth/schema";
import { testDatabase } from "plinth/testing";
import { describe, expect, it, onTestFinished } from "vitest";
import { aProject, person, workshops } from "../../test/support/workshop.ts";
import * as workshopSchema from "../../test/support/workshop-schema.ts";
import { type Connection, connect, parseTarget } from "../driver/index.ts";
import { describeSchema } from "../schema/index.ts";
import { type PurgeOptions, purgeDead } from "./index.ts";

const open = workshops();
const absent = { code: "NOT_FOUND" };

describe("purge", () => {
  it("removes a dead row for good, and gives it back", async () => {
    const { repo } = await open();
    const ann = await repo.people.create(person());
    const dead = await repo.people.delete(ann.id);
    expect(await repo.people.purge(ann.id)).toEqual(dead);
    expect(await repo.people.withDeleted().count()).toBe(0);
    await expect(repo.people.purge(ann.id)).rejects.toMatchObject(absent);
    await expect(repo.people.restore(ann.id)).rejects.toMatchObject(absent);
  });

  it("removes no living row but through withDeleted()", async () => {
    const { repo } = await open();
    const ann = await repo.people.create(person());
    for (const view of [repo.people, repo.people.onlyDeleted()]) {
      await expect(view.purge(ann.id)).rejects.toMatchObject(absent);
      expect(await view.purgeMany({ where: "all" })).toBe(0);
    }
    expect(await repo.people.count()).toBe(1);
    await repo.people.withDeleted().purge(ann.id);
    expect(await repo.people.withDeleted().count()).toBe(0);
  });

  it("takes along what cascades, on every level, as the foreign keys say", async () => {
    const { repo } = await open();
    const { project } = await aProject({ repo });
    const task = await repo.tasks.create({ projectId: project.id, title: "one" });
    await repo.comments.create({ taskId: task.id, body: "x" });
    await repo.projects.delete(project.id);
    await repo.projects.purge(project.id);
    expect([await repo.tasks.withDeleted().count(), await repo.comments.withDeleted().count()]).toEqual([
      0, 0,
    ]);
  });

  it("is refused while a row refers to it that would not go along, dead or living", async () => {
    const { repo, client } = await open();
    const { owner, project } = await aProject({ repo });
    const [[version]] = (await (await client()).run("show server_version_num")) as [[string]];
    // Before PostgreSQL 18 a RESTRICT has the code of a foreign key.
    const code = Number(version) >= 180_000 ? "RESTRICT_VIOLATION" : "FOREIGN_KEY_VIOLATION";
    const refused = { code, table: "projects" };
    await expect(repo.people.withDeleted().purge(owner.id)).rejects.toMatchObject(refused);
    await repo.projects.delete(project.id);
    await repo.people.delete(owner.id);
    await expect(repo.people.purge(owner.id)).rejects.toMatchObject(refused);
    await repo.projects.purge(project.id);
    await repo.people.purge(owner.id);
    expect(await repo.people.withDeleted().count()).toBe(0);
  });

  it("gives no leave to the statements after it in its transaction", async () => {
    const { db, repo } = await open();
    const [one, two, three] = await repo.people.createMany([person(), person(), person()]);
    await repo.people.delete(one?.id ?? "");
    await db.transaction(async (tx) => {
      await repo.people.purge(one?.id ?? "");
      await tx.sql`delete from workshop.people where id = ${two?.id}`;
    });
    await db.batch([repo.people.purge(two?.id ?? ""), repo.people.delete(three?.id ?? "")]);
    expect((await repo.people.withDeleted().list()).data.map(({ id }) => id)).toEqual([three?.id]);
  });

  it("is taken back with its transaction", async () => {
    const { db, repo } = await open();
    const ann = await repo.people.create(person());
    await repo.people.delete(ann.id);
    const work = db.transaction(async () => {
      await repo.people.purge(ann.id);
      throw new Error("no");
    });
    await expect(work).rejects.toThrow("no");
    await repo.people.restore(ann.id);
    expect(await repo.people.count()).toBe(1);
  });

  it("has a composite key, and returns what is asked for", async () => {
    const { repo } = await open();
    const { owner, project } = await aProject({ repo });
    const key = { projectId: project.id, personId: owner.id };
    await repo.members.create(key);
    await repo.members.delete(key);
    expect(await repo.members.purge(key, { returning: ["role"] })).toEqual({ role: "member" });
  });

  it("says in toSQL what it needs the leave for", async () => {
    const { repo } = await open();
    const { text: statement, additions } = repo.people.purge("x").toSQL();
    expect(statement).toMatch(/^delete from "workshop"."people"/);
    expect(additions.map(({ sql }) => sql)).toEqual([
      expect.stringContaining('"deleted_at" is not null'),
      expect.stringContaining("plinth.purging"),
    ]);
  });
});

describe("purgeMany", () => {
  it("removes the dead that are like a condition, in one statement", async () => {
    const { repo } = await open();
    await repo.people.createMany([person({ name: "A" }), person({ name: "A" }), person({ name: "B" })]);
    await repo.people.deleteMany({ where: "all" });
    await repo.people.create(person({ name: "A" }));
    expect(await repo.people.purgeMany({ where: { name: "A" } })).toBe(2);
    expect(await repo.people.withDeleted().count()).toBe(2);
    const long = await repo.people.purgeMany({ where: { deletedAt: { lt: new Date(0) } } });
    expect(long).toBe(0);
    await expect(repo.people.purgeMany({ where: {} })).rejects.toMatchObject({ code: "INVALID_QUERY" });
    expect(await repo.people.purgeMany({ where: "all" }, { returning: ["name"] })).toEqual([{ name: "B" }]);
  });
});

async function purging(url: string, schema: Readonly<Record<string, unknown>>) {
  const connection = await connect(parseTarget(url));
  onTestFinished(() => connection.close());
  const { entities } = describeSchema(schema);
  const run = async (options: Partial<PurgeOptions> = {}) => {
    const purged = await purgeDead({ connection, entities, olderThanDays: 90, ...options });
    return purged
      .filter(({ removedRows, keptRows }) => removedRows + keptRows > 0)
      .map(({ table, removedRows, keptRows }) => [table, removedRows, keptRows]);
  };
  return { connection, run, script: script(connection) };
}

const script = (connection: Connection) => async (sql: string) =>
  (await connection.script(sql)).at(-1)?.rows ?? [];

describe("purgeDead", () => {
  it("removes what has been dead for longer, below its parents first, and nothing else", async () => {
    const { url } = await open();
    const { run, script } = await purging(url, workshopSchema);
    await script(`set search_path to workshop;
      insert into people (id, email, name) values ('ann', 'a', 'Ann'), ('bob', 'b', 'Bob');
      insert into projects (id, owner_id, name) values ('p', 'ann', 'P'), ('q', 'bob', 'Q');
      insert into tasks (id, project_id, title) select 't' || i, 'p', i from generate_series(1, 25) i;
      insert into comments (id, task_id, body) select 'c' || i, 't' || i, 'x' from generate_series(1, 25) i;
      insert into members (project_id, person_id) values ('p', 'bob');
      update projects set deleted_at = now() - interval '91 days' where id = 'p';
      update people set deleted_at = now() - interval '90 days 1 minute' where id = 'ann';
      update projects set deleted_at = now() - interval '89 days' where id = 'q';
      update people set deleted_at = now() - interval '100 days' where id = 'bob'`);
    const counted = await run({ dryRun: true });
    const expected = [
      ["comments", 25, 0],
      ["tasks", 25, 0],
      ["members", 1, 0],
      ["projects", 1, 0],
      ["people", 1, 1],
    ];
    expect([...counted].sort()).toEqual(
      [...expected].map(([a, b, c]) => [a, Number(b) + Number(c), 0]).sort(),
    );
    expect((await run({ batchRows: 3 })).sort()).toEqual(expected.sort());
    expect(await run({ batchRows: 3 })).toEqual([["people", 0, 1]]);
    expect(await script("select id from projects union all select id from people")).toEqual([["q"], ["bob"]]);
  });

  it("takes one table alone, and keeps the rows that others refer to", async () => {
    const { url } = await open();
    const { run, script } = await purging(url, workshopSchema);
    await script(`set search_path to workshop;
      insert into people (id, email, name) values ('ann', 'a', 'Ann');
      insert into projects (id, owner_id, name) values ('p', 'ann', 'P'), ('q', 'ann', 'Q');
      insert into tasks (id, project_id, title) values ('t', 'p', 't');
      update projects set deleted_at = now() - interval '1 year'`);
    expect(await run({ table: "projects" })).toEqual([["projects", 1, 1]]);
    expect(await script("select id from tasks")).toEqual([["t"]]);
    await expect(run({ table: "project" })).rejects.toMatchObject({ code: "INVALID_VALUE" });
    await expect(run({ batchRows: 0 })).rejects.toMatchObject({ code: "INVALID_VALUE" });
  });

  it("takes a tree from its leaves, a row that refers to itself, and keeps a circle", async () => {
    const { url } = await open();
    const { run, script } = await purging(url, workshopSchema);
    await script(`set search_path to workshop;
      insert into folders (id, parent_id, name) values ('self', 'self', 'x'), ('x', 'y', 'x'), ('y', 'x', 'x');
      insert into folders (id, parent_id, name)
        select 'n' || i, case when i > 1 then 'n' || i / 2 end, 'x' from generate_series(1, 40) i;
      update folders set deleted_at = now() - interval '91 days'`);
    expect(await run({ batchRows: 7 })).toEqual([["folders", 41, 2]]);
  });

  it("keeps what a living or younger row refers to, however it came to that", async () => {
    const { url } = await open();
    const { run, script } = await purging(url, workshopSchema);
    await script(`set search_path to workshop; set session_replication_role = replica;
      insert into people (id, email, name) values ('ann', 'a', 'Ann');
      insert into projects (id, owner_id, name, deleted_at) values ('p', 'ann', 'P', now() - interval '1 year');
      insert into tasks (id, project_id, title, deleted_at) values ('t', 'p', 't', null), ('u', 'p', 'u', now());
      set session_replication_role = default`);
    expect(await run()).toEqual([["projects", 0, 1]]);
    await script("delete from tasks");
    expect(await run({ olderThanDays: 90 })).toEqual([["projects", 0, 1]]);
  });

  it("passes over a row that is being restored", async () => {
    const { url, client } = await open();
    const { run, script } = await purging(url, workshopSchema);
    await script(`set search_path to workshop;
      insert into people (id, email, name, deleted_at)
        select i, i, i, now() - interval '1 year' from generate_series(1, 3) i`);
    const other = await client();
    await other.run("begin; update people set deleted_at = null where id = '2'");
    expect(await run()).toEqual([["people", 2, 0]]);
    await other.run("commit");
    expect(await script("select id from people")).toEqual([["2"]]);
  });

  it("is one at a time, and lets go of its lock", async () => {
    const { url, client } = await open();
    const { run } = await purging(url, workshopSchema);
    const other = await client();
    await other.run("select pg_advisory_lock(1886153070, 2)");
    await expect(run()).rejects.toMatchObject({ code: "SAFETY_REFUSED" });
    await other.run("select pg_advisory_unlock(1886153070, 2)");
    await run();
    expect(await other.run("select pg_try_advisory_lock(1886153070, 2)")).toEqual([["t"]]);
  });

  it("stops between two batches, keeps what it did, and goes on the next time", async () => {
    const { url } = await open();
    const { run, script } = await purging(url, workshopSchema);
    await script(`set search_path to workshop;
      insert into people (id, email, name, deleted_at)
        select i, i, i, now() - interval '1 year' from generate_series(1, 20) i`);
    let asked = 0;
    const signal = new Proxy(new AbortController().signal, {
      get: (target, property) => {
        if (property !== "throwIfAborted") return Reflect.get(target, property, target);
        return () => {
          // Six tables come before it, with a batch each.
          if (++asked > 8) throw new Error("enough");
        };
      },
    });
    await expect(run({ batchRows: 5, signal })).rejects.toThrow("enough");
    const left = Number((await script("select count(*) from people"))[0]?.[0]);
    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThan(20);
    expect(await run({ batchRows: 5 })).toEqual([["people", left, 0]]);
  });

  it("knows keys of several columns, odd names and tables that refer to each other", async () => {
    const app = appSchema("odd");
    const left = entity(
      app,
      'le"ft',
      { id: ulidKey(), rightId: text('right"id').references((): AnyPgColumn => right.id) },
      { softDelete: true },
    );
    const right = entity(
      app,
      "right table",
      { id: ulidKey(), leftId: text().references((): AnyPgColumn => left.id) },
      { softDelete: true },
    );
    const schema = { left, right };
    const database = await testDatabase({ schema });
    onTestFinished(() => database.close());
    const { run, script } = await purging(database.url, schema);
    await script(`set search_path to odd;
      insert into "right table" values ('r1', null), ('r2', null); insert into "le""ft" values ('l1', 'r1'), ('l2', null);
      update "right table" set left_id = 'l2' where id = 'r2';
      update "le""ft" set deleted_at = now() - interval '1 year' where id <> 'l2';
      update "right table" set deleted_at = now() - interval '1 year';
      update "le""ft" set deleted_at = now() - interval '1 year'`);
    expect((await run({ batchRows: 1 })).sort()).toEqual([
      ['le"ft', 2, 0],
      ["right table", 2, 0],
    ]);
  });
});
