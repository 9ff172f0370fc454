import { describe, expect, it } from "vitest";
import { aProject, workshops } from "../../test/support/workshop.ts";

const open = workshops();

/** A project with a task that is deleted by itself, one that goes along, and comments of the latter, likewise. */
async function family() {
  const opened = await open();
  const { repo } = opened;
  const { project } = await aProject(opened);
  const [alone, along] = await repo.tasks.createMany([
    { projectId: project.id, title: "alone" },
    { projectId: project.id, title: "along" },
  ]);
  const [said, unsaid] = await repo.comments.createMany([
    { taskId: along?.id ?? "", body: "said" },
    { taskId: along?.id ?? "", body: "unsaid" },
  ]);
  const living = async () => [
    (await repo.tasks.list({ sort: "title" })).data.map(({ title }) => title),
    (await repo.comments.list({ sort: "body" })).data.map(({ body }) => body),
  ];
  const ids = { project: project.id, alone: alone?.id ?? "", unsaid: unsaid?.id ?? "", said: said?.id ?? "" };
  return { ...opened, ids, living };
}

const RETURNED = [["along"], ["said"]];

describe("two deletions in one transaction, where now() is one moment", () => {
  it("are two when a repository makes them, in a transaction and in one flight", async () => {
    for (const way of ["transaction", "batch"] as const) {
      const { db, repo, ids, living } = await family();
      if (way === "batch") {
        await db.batch([
          repo.comments.delete(ids.unsaid),
          repo.tasks.delete(ids.alone),
          repo.projects.delete(ids.project),
        ]);
      } else {
        await db.transaction(async () => {
          await repo.comments.delete(ids.unsaid);
          await repo.tasks.deleteMany({ where: { id: ids.alone } });
          await repo.projects.delete(ids.project);
        });
      }
      expect(await living()).toEqual([[], []]);
      await repo.projects.restore(ids.project);
      expect([way, await living()]).toEqual([way, RETURNED]);
    }
  });

  it("are two when any client's DELETE makes them", async () => {
    const { client, repo, ids, living } = await family();
    const other = await client();
    await other.run(`begin;
      delete from comments where id = '${ids.unsaid}';
      delete from tasks where id = '${ids.alone}';
      delete from projects where id = '${ids.project}';
      commit`);
    expect(await living()).toEqual([[], []]);
    await other.run(`update projects set deleted_at = null where id = '${ids.project}'`);
    expect(await living()).toEqual(RETURNED);
    expect(await repo.projects.find(ids.project)).toBeDefined();
  });

  it("are two where the parent died, returned and died again around the child's own", async () => {
    const { db, repo, ids, living } = await family();
    await db.transaction(async () => {
      await repo.projects.delete(ids.project);
      await repo.projects.restore(ids.project);
      await repo.tasks.delete(ids.alone);
      await repo.comments.delete(ids.unsaid);
      await repo.projects.delete(ids.project);
      await db.transaction(async () => {
        await repo.projects.restore(ids.project);
      });
    });
    expect(await living()).toEqual(RETURNED);
  });

  it("gives everything that goes along the very stamp of the row that was deleted", async () => {
    const { db, repo, ids } = await family();
    await db.transaction(async () => {
      await repo.tasks.delete(ids.alone);
      await repo.projects.delete(ids.project);
    });
    const stamps = await db.sql<{ n: number; of: string }>`
      select count(distinct deleted_at)::int as n, 'along' as of from (
        select deleted_at from workshop.projects union all
        select deleted_at from workshop.tasks where title = 'along' union all
        select deleted_at from workshop.comments) s
      union all
      select count(distinct deleted_at)::int, 'all' from workshop.tasks order by 2`;
    expect(stamps.map(({ n }) => n)).toEqual([2, 1]);
  });
});

describe("what SET NULL emptied", () => {
  it("stays empty when the parent returns", async () => {
    const opened = await open();
    const { repo } = opened;
    const { project } = await aProject(opened);
    const [ann] = await repo.people.createMany([{ email: "ann@set-null", name: "Ann" }]);
    const task = await repo.tasks.create({ projectId: project.id, title: "t", assignedTo: ann?.id ?? null });
    await repo.people.delete(ann?.id ?? "");
    expect((await repo.tasks.get(task.id)).assignedTo).toBeNull();
    await repo.people.restore(ann?.id ?? "");
    expect((await repo.tasks.get(task.id)).assignedTo).toBeNull();
  });
});
