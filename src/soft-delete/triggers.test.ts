import { describe, expect, it } from "vitest";
import { type Client, workshops } from "../../test/support/workshop.ts";

/** Everything here goes through a session as psql has: the rules are the database's. */
const open = workshops();

async function clientWithProject(): Promise<Client> {
  const client = await (await open()).client();
  await client.run(`
    insert into people (id, email, name) values ('ann', 'a', 'Ann'), ('bob', 'b', 'Bob');
    insert into projects (id, owner_id, name) values ('p', 'ann', 'P');
    insert into tasks (id, project_id, title, assigned_to) values ('t1', 'p', '1', 'bob'), ('t2', 'p', '2', 'bob');
    insert into comments (id, task_id, body) values ('c1', 't1', 'x');
    insert into members (project_id, person_id) values ('p', 'bob')`);
  return client;
}

const kill = (table: string, id: string) =>
  `update ${table} set deleted_at = clock_timestamp() where id = '${id}'`;
const revive = (table: string, id: string) => `update ${table} set deleted_at = null where id = '${id}'`;
const living = async (client: Client, table: string) =>
  (await client.run(`select id from ${table} where deleted_at is null order by id`)).map(([id]) => id);

describe("a dying parent", () => {
  it("takes cascading children along on every level, under the same stamp", async () => {
    const client = await clientWithProject();
    await client.run(`update projects set deleted_at = clock_timestamp(), deleted_by = 'me' where id = 'p'`);
    const stamps = await client.run(`
      select count(distinct deleted_at), count(*), count(distinct deleted_by) from (
        select deleted_at, deleted_by from projects union all select deleted_at, deleted_by from tasks
        union all select deleted_at, deleted_by from comments union all select deleted_at, deleted_by from members) all_of_them`);
    expect(stamps).toEqual([["1", "5", "1"]]);
  });

  it("is refused by a restricting child that has no soft delete", async () => {
    const client = await clientWithProject();
    await client.run("insert into labels (id, project_id, name) values ('l1', 'p', 'x')");
    await expect(client.run(kill("projects", "p"))).rejects.toMatchObject({
      code: "RESTRICT_VIOLATION",
      table: "labels",
    });
    await client.run("delete from labels");
    await client.run(kill("projects", "p"));
    expect(await living(client, "projects")).toEqual([]);
  });

  it("is refused by a restricting child with its constraint and no values", async () => {
    const client = await clientWithProject();
    await expect(client.run(kill("people", "ann"))).rejects.toMatchObject({
      code: "RESTRICT_VIOLATION",
      sqlstate: "23001",
      table: "projects",
    });
    expect(await living(client, "people")).toEqual(["ann", "bob"]);
  });

  it("empties references that are set null, those of the dead too", async () => {
    const client = await clientWithProject();
    await client.run(kill("tasks", "t2"));
    await client.run(kill("people", "bob"));
    expect(await client.run("select id, assigned_to from tasks order by id")).toEqual([
      ["t1", null],
      ["t2", null],
    ]);
    await client.run(revive("tasks", "t2"));
    expect(await living(client, "tasks")).toEqual(["t1", "t2"]);
  });

  it("takes many rows of one statement, and rows of one statement that refer to each other", async () => {
    const client = await clientWithProject();
    await client.run("update tasks set deleted_at = clock_timestamp()");
    expect([await living(client, "tasks"), await living(client, "comments")]).toEqual([[], []]);
    await client.run(
      "insert into folders (id, parent_id, name) values ('child', 'root', 'x'), ('root', null, 'x')",
    );
    await client.run("update folders set deleted_at = clock_timestamp()");
    expect(await living(client, "folders")).toEqual([]);
  });

  it("changes nothing when it is stamped again", async () => {
    const client = await clientWithProject();
    await client.run(kill("tasks", "t1"));
    await client.run(revive("comments", "c1")).catch(() => {});
    await client.run(kill("tasks", "t1"));
    expect([await living(client, "tasks"), await living(client, "comments")]).toEqual([["t2"], []]);
  });
});

describe("a dead parent", () => {
  it("takes no new child, hard or soft, and no child that moves to it", async () => {
    const client = await clientWithProject();
    await client.run("insert into projects (id, owner_id, name) values ('q', 'ann', 'Q')");
    await client.run("insert into tasks (id, project_id, title) values ('t3', 'q', '3')");
    await client.run(kill("projects", "p"));
    const refusal = { code: "FOREIGN_KEY_VIOLATION", sqlstate: "23503" };
    const attempts = [
      "insert into tasks (id, project_id, title) values ('t4', 'p', '4')",
      "insert into labels (id, project_id, name) values ('l2', 'p', 'x')",
      "insert into members (project_id, person_id) values ('p', 'ann')",
      "update tasks set project_id = 'p' where id = 't3'",
      revive("tasks", "t1"),
    ];
    for (const attempt of attempts) await expect(client.run(attempt)).rejects.toMatchObject(refusal);
    await expect(client.run(attempts[0] ?? "")).rejects.toMatchObject({
      table: "tasks",
      columns: ["project_id"],
    });
  });

  it("takes a child that is dead itself, as an import of old rows needs", async () => {
    const client = await clientWithProject();
    await client.run(kill("projects", "p"));
    await client.run(
      "insert into tasks (id, project_id, title, deleted_at) values ('old', 'p', 'old', now())",
    );
    await client.run("update tasks set title = 'older' where id = 'old'");
    expect(await client.run("select title from tasks where id = 'old'")).toEqual([["older"]]);
  });

  it("does not hinder changes of a living child that leave the reference alone", async () => {
    const client = await clientWithProject();
    await client.run("update tasks set title = 'new' where id = 't1'");
    await client.run("update tasks set assigned_to = null where id = 't1'");
    expect(await client.run("select title, assigned_to from tasks where id = 't1'")).toEqual([["new", null]]);
  });

  it("that never was is refused as a foreign key refuses it", async () => {
    const client = await clientWithProject();
    const work = client.run("insert into tasks (id, project_id, title) values ('t4', 'nothing', '4')");
    await expect(work).rejects.toMatchObject({ code: "FOREIGN_KEY_VIOLATION", columns: ["project_id"] });
  });
});

describe("a returning parent", () => {
  it("brings back what died with it, by the stamp", async () => {
    const client = await clientWithProject();
    await client.run(kill("tasks", "t1"));
    await client.run(kill("projects", "p"));
    await client.run(revive("projects", "p"));
    expect(await living(client, "tasks")).toEqual(["t2"]);
    expect(await client.run("select count(*) from members where deleted_at is null")).toEqual([["1"]]);
    await client.run(revive("tasks", "t1"));
    expect(await living(client, "comments")).toEqual(["c1"]);
  });
});

describe("an entity that refers to itself", () => {
  it("dies and returns as a tree", async () => {
    const client = await (await open()).client();
    await client.run(`insert into folders (id, parent_id, name)
      values ('a', null, 'x'), ('b', 'a', 'x'), ('c', 'b', 'x'), ('d', 'c', 'x'), ('other', null, 'x')`);
    await client.run(kill("folders", "b"));
    expect(await living(client, "folders")).toEqual(["a", "other"]);
    await client.run(kill("folders", "a"));
    await client.run(revive("folders", "a"));
    expect(await living(client, "folders")).toEqual(["a", "other"]);
    await client.run(revive("folders", "b"));
    expect(await living(client, "folders")).toEqual(["a", "b", "c", "d", "other"]);
  });

  it("may hold a row that is its own parent, and rows that are each other's", async () => {
    const client = await (await open()).client();
    await client.run("insert into folders (id, parent_id, name) values ('self', 'self', 'x')");
    await client.run("insert into folders (id, parent_id, name) values ('x', 'y', 'x'), ('y', 'x', 'x')");
    for (const id of ["self", "x"]) {
      await client.run(kill("folders", id));
      await client.run(revive("folders", id));
    }
    expect(await living(client, "folders")).toEqual(["self", "x", "y"]);
  });
});
