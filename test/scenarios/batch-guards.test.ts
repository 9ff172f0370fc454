import { describe, expect, it, onTestFinished } from "vitest";
import { batchIndexOf } from "../../src/driver/index.ts";
import { startProxy } from "../support/proxy.ts";
import { rejection } from "../support/rejection.ts";
import { aProject, person, type Workshop, workshops } from "../support/workshop.ts";

const open = workshops();
const WIRES = ["plinth", "pg"] as const;
/** Enough for two batches to lock each other out. */
const ROUNDS = 10;

describe.each(WIRES)("a batch that must find its rows, on the %s wire", (wire) => {
  const opened = () => open({ session: { wire } });

  it("gives what its calls give alone", async () => {
    const { db, repo, quiet } = await opened();
    const ann = await repo.people.create(person());
    const gone = await repo.people.create(person());
    const { project, owner } = await aProject({ repo });
    const [updated, raised, nothing, part, read, related, deleted, same] = await db.batch([
      repo.people.update(ann.id, { name: "Anna" }),
      repo.people.increment(ann.id, { score: 2 }),
      repo.people.increment(ann.id, { score: 3 }, { returning: false }),
      repo.people.update(ann.id, { score: 9 }, { where: { score: 5 }, returning: ["id", "score"] }),
      repo.people.get(ann.id),
      repo.projects.get(project.id, { with: { owner: true, tasks: true } }),
      repo.people.delete(gone.id),
      repo.people.update(ann.id, {}),
    ]);
    expect(updated).toMatchObject({ id: ann.id, name: "Anna", score: 0 });
    expect(updated.createdAt).toEqual(ann.createdAt);
    expect(raised).toMatchObject({ score: 2, name: "Anna" });
    expect(nothing).toBeUndefined();
    expect(part).toEqual({ id: ann.id, score: 9 });
    expect(read).toMatchObject({ id: ann.id, score: 9 });
    expect(related).toMatchObject({ id: project.id, owner: { id: owner.id }, tasks: [] });
    expect(deleted).toMatchObject({ id: gone.id });
    expect(same).toMatchObject({ id: ann.id, name: "Anna" });
    expect(await repo.people.find(gone.id)).toBeUndefined();
    await quiet();
  });

  it("undoes all of it when a row is missing, with the error that the call has alone", async () => {
    const { db, repo, quiet } = await opened();
    const ann = await repo.people.create(person());
    const calls = [
      () => repo.people.update("none", { name: "x" }),
      () => repo.people.update("none", { name: "x" }, { returning: false }),
      () => repo.people.update("none", { name: "x" }, { where: { score: 0 } }),
      () => repo.people.update(ann.id, { name: "x" }, { where: { score: 7 } }),
      () => repo.people.increment("none", { score: 1 }, { returning: ["id"] }),
      () => repo.people.delete("none"),
      () => repo.people.restore(ann.id),
      () => repo.people.get("none"),
      () => repo.projects.get("none", { with: { tasks: true } }),
    ];
    for (const call of calls) {
      const alone = await rejection(Promise.resolve(call()));
      const batch = db.batch([repo.people.create(person()), call(), repo.people.create(person())]);
      const error = await rejection(batch);
      expect({ ...error, message: error.message }).toEqual({ ...alone, message: alone.message });
      expect(error.stack).toContain("batch-guards.test.ts");
    }
    expect(await repo.people.count()).toBe(1);
    await quiet();
  });

  it("keeps the error of a statement that fails before a row is missing", async () => {
    const { db, repo, quiet } = await opened();
    const ann = await repo.people.create(person());
    const taken = person({ email: ann.email });
    const error = await rejection(
      db.batch([repo.people.create(taken), repo.people.increment("none", { score: 1 })]),
    );
    expect(error).toMatchObject({ code: "UNIQUE_VIOLATION" });
    expect(batchIndexOf(error)).toBe(0);
    await quiet();
  });

  it("tries again when others were in its way", async () => {
    const { db, repo, quiet } = await opened();
    const [ann, bob] = await repo.people.createMany([person(), person()]);
    const both = (one = "", other = "") =>
      db.batch([repo.people.increment(one, { score: 1 }), repo.people.increment(other, { score: 1 })]);
    for (let round = 0; round < ROUNDS; round++)
      await Promise.all([both(ann?.id, bob?.id), both(bob?.id, ann?.id)]);
    expect((await repo.people.list()).data.map(({ score }) => score)).toEqual([2 * ROUNDS, 2 * ROUNDS]);
    await quiet();
  });

  it("takes no failure of the application's own for a missing row", async () => {
    const { db, repo, client, quiet } = await opened();
    const ann = await repo.people.create(person());
    await (await client()).run(`create function workshop.refuse() returns trigger language plpgsql
      as $$ begin perform 'no number'::int; return new; end $$`);
    await (await client()).run(`create trigger refuse before update on workshop.people
      for each row execute function workshop.refuse()`);
    const error = await rejection(
      db.batch([repo.people.create(person()), repo.people.increment(ann.id, { score: 1 })]),
    );
    expect(error).toMatchObject({ code: "INVALID_DATA", sqlstate: "22P02" });
    expect(batchIndexOf(error)).toBe(1);
    expect(await repo.people.count()).toBe(1);
    await quiet();
  });

  it("writes to a table whose rules forbid a guard", async () => {
    const { db, repo, client, quiet } = await opened();
    const ann = await repo.people.create(person());
    await (await client()).run("create table workshop.raises (person text)");
    await (await client()).run(`create rule noted as on update to workshop.people
      do also insert into workshop.raises values (new.id)`);
    const raise = (id: string) =>
      db.batch([repo.people.create(person()), repo.people.increment(id, { score: 1 }, { returning: false })]);
    await raise(ann.id);
    await raise(ann.id);
    expect(await rejection(raise("none"))).toMatchObject({ code: "NOT_FOUND" });
    expect((await repo.people.get(ann.id)).score).toBe(2);
    expect(await repo.people.count()).toBe(3);
    expect(await db.sql`select count(*) as n from workshop.raises`).toEqual([{ n: 2n }]);
    await quiet();
  });

  it("fails as a whole where a deferred constraint fails at its commit", async () => {
    const { db, repo, client, quiet } = await opened();
    const ann = await repo.people.create(person());
    await (await client()).run(`alter table workshop.people add constraint one_score
      unique (score) deferrable initially deferred`);
    const error = await rejection(
      db.batch([
        repo.people.increment(ann.id, { score: 4 }),
        repo.people.create({ ...person(), score: 4 }),
        repo.people.count(),
      ]),
    );
    expect(error).toMatchObject({ code: "UNIQUE_VIOLATION", constraint: "one_score" });
    expect(batchIndexOf(error)).toBeUndefined();
    expect(await repo.people.list()).toMatchObject({ data: [{ id: ann.id, score: 0 }] });
    await quiet();
  });

  it("runs under the time-outs of a transaction, also behind a pooler", async () => {
    const { db, repo, quiet } = await opened();
    const [, settings] = await db.batch([
      repo.people.create(person()),
      db.sql<{ statement: string; lock: string }>`select current_setting('statement_timeout') as statement,
        current_setting('lock_timeout') as lock`,
    ]);
    expect(settings).toEqual(
      await db.transaction(
        async () => db.sql`select
      current_setting('statement_timeout') as statement, current_setting('lock_timeout') as lock`,
      ),
    );
    await quiet();
  });

  it("runs again in the same flight when a table changed under its prepared statements", async () => {
    const { db, repo, client, quiet } = await opened();
    const ann = await repo.people.create(person());
    const raise = () => db.batch([repo.people.create(person()), repo.people.increment(ann.id, { score: 1 })]);
    await raise();
    // The view of the living is in the way of another type.
    await (await client()).run("drop view workshop.living_people");
    await (await client()).run("alter table workshop.people alter column score type bigint");
    await (await client()).run("alter table workshop.people alter column score type integer");
    await raise();
    expect((await repo.people.get(ann.id)).score).toBe(2);
    expect(await repo.people.count()).toBe(3);
    await quiet();
  });
});

/** A batch whose second statement waits for a row that somebody else has locked, and how to let it go on. */
async function waiting({ db, repo, client }: Workshop) {
  const ann = await repo.people.create(person());
  const other = await client();
  await other.run("begin");
  await other.run(`select 1 from workshop.people where id = '${ann.id}' for update`);
  const work = rejection(
    db.batch([repo.people.create(person()), repo.people.increment(ann.id, { score: 1 })]),
  );
  const observer = await client();
  const waiters =
    "select pid from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()";
  let pid: string | null | undefined;
  while (pid === undefined) pid = (await observer.run(waiters))[0]?.[0];
  return {
    ann,
    work,
    kill: () => observer.run(`select pg_terminate_backend(${pid})`),
    async goOn() {
      await other.run("commit");
      while (
        (await observer.run(`select 1 from pg_stat_activity where pid = ${pid} and state = 'active'`)).length
      ) {}
    },
  };
}

describe.each(WIRES)("a batch that loses its connection, on the %s wire", (wire) => {
  it("says that its outcome is unknown when the network goes while it is on its way", async () => {
    const direct = await open();
    const proxy = await startProxy(direct.url);
    onTestFinished(() => proxy.close());
    const workshop = await open({ session: { wire }, via: (url) => proxy.urlFor(url) });
    const { repo } = workshop;
    const { ann, work, goOn } = await waiting(workshop);
    proxy.resetAll();
    const error = await work;
    expect(error).toMatchObject({ code: "COMMIT_OUTCOME_UNKNOWN", cause: { code: "CONNECTION_LOST" } });
    expect(error.stack).toContain("batch-guards.test.ts");
    await goOn();
    // The server had all of it, and knew nothing of the network.
    expect((await repo.people.get(ann.id)).score).toBe(1);
    expect(await repo.people.count()).toBe(2);
  });

  it("says that it was undone when the server ends its session in the middle of it", async () => {
    const workshop = await open({ session: { wire } });
    const { repo, quiet } = workshop;
    const { ann, work, kill, goOn } = await waiting(workshop);
    await kill();
    expect(await work).toMatchObject({ code: expect.not.stringMatching("COMMIT_OUTCOME_UNKNOWN") });
    await goOn();
    expect((await repo.people.get(ann.id)).score).toBe(0);
    expect(await repo.people.count()).toBe(1);
    await quiet();
  });
});
