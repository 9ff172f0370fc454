import { describe, expect, it, vi } from "vitest";
import { type Client, type Workshop, workshops } from "../../test/support/workshop.ts";

const open = workshops();

/** Two sessions and a project with its owner. */
async function twoSessions() {
  const workshop = await open();
  const [one, other] = [await workshop.client(), await workshop.client()];
  await one.run(`insert into people (id, email, name) values ('ann', 'a', 'Ann'), ('bob', 'b', 'Bob');
    insert into projects (id, owner_id, name) values ('p', 'ann', 'P')`);
  return { workshop, one, other };
}

const addTask = "insert into tasks (id, project_id, title) values ('t', 'p', 't')";
const ENDS = {
  "a stamp": "update projects set deleted_at = clock_timestamp() where id = 'p'",
  "a DELETE": "delete from projects where id = 'p'",
};

/** Resolves once the server says that this session waits for a lock. */
async function waiting(watcher: Client, waiter: Client): Promise<void> {
  await vi.waitFor(async () => {
    const state = await watcher.run(
      `select wait_event_type from pg_stat_activity where pid = ${waiter.processId} and state = 'active'`,
    );
    expect(state).toEqual([["Lock"]]);
  }, 10_000);
}

/** Living children of dead parents: what must never be. */
async function orphans({ client }: Workshop): Promise<readonly unknown[]> {
  return (await client()).run(`
    select t.id from tasks t join projects p on p.id = t.project_id where t.deleted_at is null and p.deleted_at is not null
    union all
    select l.id from labels l join projects p on p.id = l.project_id where p.deleted_at is not null
    union all
    select p.id from projects p join people o on o.id = p.owner_id where p.deleted_at is null and o.deleted_at is not null`);
}

describe.each(Object.entries(ENDS))(
  "a child that is inserted while its parent dies by %s",
  (_, killProject) => {
    it("is taken along when it was first", async () => {
      const { workshop, one, other } = await twoSessions();
      const watcher = await workshop.client();
      await one.run(`begin; ${addTask}`);
      const dying = other.run(killProject);
      await waiting(watcher, other);
      await one.run("commit");
      await dying;
      expect(await one.run("select deleted_at is null from tasks")).toEqual([["f"]]);
      expect(await orphans(workshop)).toEqual([]);
    });

    it("is refused when the parent was first", async () => {
      const { workshop, one, other } = await twoSessions();
      const watcher = await workshop.client();
      await one.run(`begin; ${killProject}`);
      const inserting = other.run(addTask);
      // Watched from here on, so that its rejection is nobody's surprise.
      const refused = expect(inserting).rejects.toMatchObject({ code: "FOREIGN_KEY_VIOLATION" });
      await waiting(watcher, other);
      await one.run("commit");
      await refused;
      expect(await orphans(workshop)).toEqual([]);
    });

    it("is let in when the parent's deletion is rolled back", async () => {
      const { workshop, one, other } = await twoSessions();
      const watcher = await workshop.client();
      await one.run(`begin; ${killProject}`);
      const inserting = other.run(addTask);
      await waiting(watcher, other);
      await one.run("rollback");
      await inserting;
      expect(await one.run("select count(*) from tasks where deleted_at is null")).toEqual([["1"]]);
    });

    it("makes a restricted deletion fail when it was first", async () => {
      const { workshop, one, other } = await twoSessions();
      const watcher = await workshop.client();
      await one.run(`begin; insert into projects (id, owner_id, name) values ('q', 'bob', 'Q')`);
      const dying = other.run("update people set deleted_at = clock_timestamp() where id = 'bob'");
      const refused = expect(dying).rejects.toMatchObject({ code: "RESTRICT_VIOLATION" });
      await waiting(watcher, other);
      await one.run("commit");
      await refused;
      expect(await orphans(workshop)).toEqual([]);
    });

    it("is refused in both orders when it has no soft delete itself", async () => {
      const { workshop, one, other } = await twoSessions();
      const watcher = await workshop.client();
      const addLabel = "insert into labels (id, project_id, name) values ('l', 'p', 'x')";
      await one.run(`begin; ${addLabel}`);
      const dying = expect(other.run(killProject)).rejects.toMatchObject({ code: "RESTRICT_VIOLATION" });
      await waiting(watcher, other);
      await one.run("commit");
      await dying;
      await one.run("delete from labels");
      await other.run(killProject);
      await expect(one.run(addLabel)).rejects.toMatchObject({ code: "FOREIGN_KEY_VIOLATION" });
      expect(await orphans(workshop)).toEqual([]);
    });

    it("fails one of two serializable transactions instead of leaving an orphan", async () => {
      const { workshop, one, other } = await twoSessions();
      await one.run("begin isolation level serializable; select * from tasks");
      await other.run("begin isolation level serializable; select * from projects");
      await other.run(addTask);
      await other.run("commit");
      await expect(one.run(`${killProject}; commit`)).rejects.toMatchObject({
        code: "SERIALIZATION_FAILURE",
      });
      await one.run("rollback");
      expect(await orphans(workshop)).toEqual([]);
    });

    it("never survives a dead parent, in a storm of both", async () => {
      const workshop = await open({ pool: { max: 8 } });
      const { repo } = workshop;
      const owners = await repo.people.createMany(
        Array.from({ length: 10 }, (_, i) => ({ email: `o${i}`, name: `o${i}` })),
      );
      const projects = await repo.projects.createMany(
        owners.map((owner) => ({ ownerId: owner.id, name: "P" })),
      );
      const refusals: unknown[] = [];
      const attempts = Array.from({ length: 400 }, (_, i) => {
        const project = projects[i % projects.length]?.id ?? "";
        const owner = owners[(i * 7) % owners.length]?.id ?? "";
        const calls = [
          () => repo.tasks.create({ projectId: project, title: `t${i}`, assignedTo: owner }),
          () => repo.labels.create({ projectId: project, name: `l${i}` }),
          () => repo.projects.delete(project),
          () => repo.projects.restore(project),
          () => repo.people.delete(owner),
          () => repo.people.restore(owner),
          () => repo.projects.create({ ownerId: owner, name: "new" }),
        ];
        const call = calls[(i * 13) % calls.length];
        return Promise.resolve(call?.()).catch((error: unknown) => refusals.push(error));
      });
      await Promise.all(attempts);
      expect(await orphans(workshop)).toEqual([]);
      const codes = new Set(
        refusals.map((error) => (error instanceof Error && "code" in error ? error.code : error)),
      );
      const expected = ["FOREIGN_KEY_VIOLATION", "RESTRICT_VIOLATION", "NOT_FOUND", "DEADLOCK"];
      expect([...codes].filter((code) => !expected.includes(String(code)))).toEqual([]);
      await workshop.quiet();
    });
  },
);

describe("two deletions of one row", () => {
  it("stamp it once by DELETE, though the second one waited for the first", async () => {
    const { workshop, one, other } = await twoSessions();
    const watcher = await workshop.client();
    await one.run(
      `insert into folders (id, name) values ('f', 'F'); begin; ${ENDS["a DELETE"]}; delete from folders`,
    );
    const stamps = "select deleted_at from projects union all select deleted_at from folders";
    const first = await one.run(stamps);
    const second = other.run(`${ENDS["a DELETE"]}; delete from folders`);
    await waiting(watcher, other);
    await one.run("commit");
    await second;
    expect(await one.run(stamps)).toEqual(first);
    expect(first.flat()).not.toContain(null);
  });

  it("kill it once", async () => {
    const workshop = await open({ pool: { max: 4 } });
    const { repo } = workshop;
    const ann = await repo.people.create({ email: "a", name: "Ann" });
    const results = await Promise.allSettled(
      Array.from({ length: 8 }, async () => repo.people.delete(ann.id)),
    );
    expect(results.filter((result) => result.status === "fulfilled")).toHaveLength(1);
    await workshop.quiet();
  });
});
