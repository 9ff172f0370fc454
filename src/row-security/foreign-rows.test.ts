import { describe, expect, it } from "vitest";
import { rejection } from "../../test/support/rejection.ts";
import { openStudios, repositoriesOf } from "./studios.fixture.ts";

const { db, admin, run } = await openStudios();

/** All there is of a tenant, by an eye that policies do not bind. */
async function rowsOf(tenant: string) {
  const tables = ["projects", "tasks", "members", "labels", "task_labels"];
  const found = tables.map((table) =>
    run(`select '${table}', t.* from ${table} t where studio_id = '${tenant}' order by 2, 3, 4`),
  );
  const pasts = ["projects", "tasks", "members"].map((table) =>
    run(
      `select version, row_key, operation from ${table}_history where row_key like '(${tenant},%' order by version`,
    ),
  );
  return Promise.all([...found, ...pasts]);
}

const missing = { code: "NOT_FOUND" };

describe.each([
  ["a role that policies bind", db, "p"],
  ["a role that policies do not bind, so that each statement has to keep to its tenant", admin, "s"],
])("%s", (_, own, suffix) => {
  const repo = repositoriesOf(own);
  const ada = <T>(work: () => T | PromiseLike<T>) => own.as({ tenantId: "ada", userId: "a" }, work);
  const bob = <T>(work: () => T | PromiseLike<T>) => own.as({ tenantId: "bob", userId: "b" }, work);
  const slug = `site-${suffix}`;
  const made = ada(async () => {
    const project = await repo.projects.create({ slug, name: `Garden ${suffix}` });
    const member = await repo.members.create({ email: `m-${suffix}@x`, name: "Mia" });
    const [task, child, dead] = await repo.tasks.createMany(
      ["plan", "dig", "gone"].map((title) => ({
        projectId: project.id,
        memberId: member.id,
        title: `${title} ${suffix}`,
      })),
    );
    if (task === undefined || child === undefined || dead === undefined) throw new Error("not made");
    await repo.tasks.update(child.id, { parentId: task.id, points: 3 });
    await repo.tasks.delete(dead.id);
    const label = await repo.labels.create({ name: `urgent-${suffix}` });
    await repo.taskLabels.create({ taskId: task.id, member: "m" });
    return { project, member, task, child, dead, label };
  });

  it("finds no row of another tenant, by any read", async () => {
    const { project, task, dead, label, member } = await made;
    const { id } = task;
    const now = new Date(Date.now() + 60_000);
    const reads = await bob(async () => {
      const streamed = [];
      for await (const row of repo.tasks.stream({ where: { id } })) streamed.push(row);
      const copied: Buffer[] = [];
      for await (const piece of repo.members.copyOut()) copied.push(piece);
      return {
        find: await repo.tasks.find(id),
        withRelations: await repo.tasks.find(id, { with: { project: true, member: true } }),
        findBy: await repo.projects.findBy({ slug }),
        findMany: await repo.tasks.findMany([id, id]),
        many: await Promise.all(Array.from({ length: 30 }, () => repo.tasks.find(id))),
        list: (await repo.tasks.list({ where: { title: task.title }, sort: "project.name" })).meta.total,
        related: (await repo.tasks.list({ where: { project: { is: { slug } } } })).data,
        lists: (await repo.studios.list({ where: { projects: { some: { slug } } } })).data,
        counted: await repo.studios.get("ada", { counts: { projects: true } }),
        nested: await repo.studios.get("ada", { with: { projects: { limit: 3 } } }),
        stream: streamed,
        copied: Buffer.concat(copied).toString(),
        count: await repo.tasks.count({ id }),
        exists: await repo.tasks.exists({ id }),
        sums: await repo.tasks.aggregate({ where: { id }, count: true, sum: ["points"] }),
        distinct: await repo.tasks.distinct("title", { where: { id } }),
        search: (await repo.tasks.search("plan")).meta.total,
        searched: (await repo.projects.search("Gardn")).meta.total,
        deleted: await repo.tasks.withDeleted().find(dead.id),
        dead: (await repo.tasks.onlyDeleted().list()).data,
        history: (await repo.tasks.history(id)).data,
        ofGone: (await repo.tasks.history(dead.id)).data,
        past: await repo.tasks.asOf(now).find(id),
        pasts: await repo.projects.asOf(now).count({ slug }),
        label: await repo.labels.find(label.id),
        link: await repo.taskLabels.find({ taskId: id, member: "m" }),
        tree: (await repo.tasks.list({ with: { below: true, above: true } })).data.filter(
          (row) => row.id === id,
        ),
      };
    });
    expect(reads).toEqual({
      find: undefined,
      withRelations: undefined,
      findBy: undefined,
      findMany: [undefined, undefined],
      many: Array.from({ length: 30 }, () => undefined),
      list: 0,
      related: [],
      lists: [],
      counted: { id: "ada", name: "Ada's", counts: { projects: 0 } },
      nested: { id: "ada", name: "Ada's", projects: [] },
      stream: [],
      copied: expect.not.stringContaining(member.email) as string,
      count: 0,
      exists: false,
      sums: { count: 0, sum: { points: null } },
      distinct: [],
      search: 0,
      searched: 0,
      deleted: undefined,
      dead: [],
      history: [],
      ofGone: [],
      past: undefined,
      pasts: 0,
      label: undefined,
      link: undefined,
      tree: [],
    });
    const gets: (() => PromiseLike<unknown>)[] = [
      () => repo.tasks.get(id),
      () => repo.projects.get(project.id),
      () => repo.tasks.get(id, { with: { marks: true } }),
    ];
    for (const get of gets) expect(await rejection(bob(get))).toMatchObject(missing);
  });

  it("changes no row of another tenant, by any write", async () => {
    const { project, task, child, dead, label, member } = await made;
    const before = await rowsOf("ada");
    const { id } = task;
    const [version] = (await ada(() => repo.tasks.history(id))).data;
    if (version === undefined) throw new Error("no version");
    const refused: [string, () => PromiseLike<unknown>, object][] = [
      ["update", () => repo.tasks.update(id, { title: "x" }), missing],
      ["update if", () => repo.tasks.update(id, { title: "x" }, { where: { points: 0 } }), missing],
      ["update version", () => repo.projects.update(project.id, { name: "x" }, { ifVersion: 1 }), missing],
      ["update nothing", () => repo.tasks.update(id, {}), missing],
      ["increment", () => repo.tasks.increment(id, { points: 1 }), missing],
      ["delete", () => repo.tasks.delete(id), missing],
      ["delete hard", () => repo.members.delete(member.id), missing],
      ["restore", () => repo.tasks.restore(dead.id), missing],
      ["purge", () => repo.tasks.purge(dead.id), missing],
      ["revert", () => repo.tasks.revert(id, version.version), { code: "INVALID_QUERY" }],
      [
        "refer",
        () => repo.tasks.create({ projectId: project.id, title: "t" }),
        { code: "FOREIGN_KEY_VIOLATION" },
      ],
      ["link", () => repo.taskLabels.create({ taskId: id, member: "n" }), { code: "FOREIGN_KEY_VIOLATION" }],
      [
        "graph",
        () =>
          repo.projects.createGraph({ slug: "g", name: "G", tasks: [{ title: "t", memberId: member.id }] }),
        { code: "FOREIGN_KEY_VIOLATION" },
      ],
      ["batch", () => own.batch([repo.tasks.count(), repo.tasks.update(id, { title: "x" })]), missing],
      [
        "batch of writes",
        () => own.batch([repo.labels.create({ name: "w" }), repo.tasks.delete(child.id)]),
        missing,
      ],
    ];
    for (const [what, write, error] of refused)
      expect(await rejection(bob(write)), what).toMatchObject(error);
    const counts = await bob(async () => [
      await repo.tasks.updateMany({ where: { id } }, { title: "x" }),
      await repo.tasks.updateMany({ where: { project: { is: { slug } } } }, { title: "x" }),
      await repo.tasks.updateEach([{ key: id, patch: { title: "x" } }], { returning: false }),
      await repo.tasks.deleteMany({ where: { id: { in: [id, child.id] } } }),
      await repo.members.deleteMany({ where: "all" }),
      await repo.labels.updateMany({ where: { id: label.id } }, { uses: 5 }),
      await repo.tasks.purgeMany({ where: "all" }),
    ]);
    expect(counts).toEqual([0, 0, 0, 0, 0, 0, 0]);
    expect(await rowsOf("ada")).toEqual(before);
  });

  it("has the keys of other tenants to itself", async () => {
    const { project, task, label, member } = await made;
    const before = await rowsOf("ada");
    await bob(async () => {
      const own = await repo.projects.upsert({ slug, name: "Bob's" }, { on: "slug" });
      expect(own).toMatchObject({ studioId: "bob", name: "Bob's", version: 1 });
      expect(own.id).not.toBe(project.id);
      expect(await repo.projects.upsert({ slug, name: "again" }, { on: "slug" })).toMatchObject({
        id: own.id,
      });
      expect(
        await repo.members.upsert({ id: member.id, email: member.email, name: "Bo" }, { on: "id" }),
      ).toMatchObject({ id: member.id, studioId: "bob" });
      const twin = await repo.tasks.create({
        id: task.id,
        projectId: own.id,
        memberId: member.id,
        title: "twin",
      });
      expect(twin).toMatchObject({ id: task.id, studioId: "bob" });
      expect(await repo.tasks.update(task.id, { title: "mine" })).toMatchObject({ studioId: "bob" });
      expect((await repo.tasks.history(task.id)).data.map(({ operation }) => operation)).toEqual([
        "update",
        "insert",
      ]);
      expect(
        await repo.labels.upsertMany([{ name: label.name }, { name: `b-${suffix}` }], { on: "name" }),
      ).toHaveLength(2);
      expect(await repo.labels.createMany([{ name: label.name }], { onConflict: "ignore" })).toEqual([]);
      await repo.taskLabels.upsert({ taskId: task.id, member: "m", weight: 9 }, { on: ["taskId", "member"] });
      await repo.taskLabels.delete({ taskId: task.id, member: "m" });
      await repo.tasks.delete(task.id);
      await repo.tasks.restore(task.id);
      await repo.projects.delete(own.id);
      expect(await repo.tasks.find(task.id)).toBeUndefined();
      await repo.projects.restore(own.id);
      expect(await repo.tasks.find(task.id)).toMatchObject({ title: "mine" });
      await repo.members.delete(member.id);
      expect(await repo.tasks.get(task.id)).toMatchObject({ memberId: null, studioId: "bob" });
      await repo.tasks.delete(task.id);
      await repo.tasks.purge(task.id);
    });
    expect(await rowsOf("ada")).toEqual(before);
    expect(
      await ada(() => repo.tasks.get(task.id, { with: { project: true, member: true, below: true } })),
    ).toMatchObject({
      project: { id: project.id },
      member: { id: member.id },
      below: [{ title: `dig ${suffix}` }],
    });
  });

  it("answers the same where another tenant has rows of the same keys", async () => {
    const { project, member, task, child } = await made;
    const where = { id: { in: [task.id, child.id] } };
    const read = () =>
      ada(async () => ({
        one: await repo.tasks.get(child.id, {
          with: { project: true, parent: true, above: true, below: true },
        }),
        up: await repo.tasks.get(task.id, { with: { below: true }, counts: { marks: true } }),
        many: await repo.tasks.list({
          where,
          with: { project: true, above: { strategy: "json" }, marks: { strategy: "json" } },
          sort: ["project.name", "title"],
        }),
        followed: await repo.projects.list({
          where: { slug },
          with: { tasks: { strategy: "statement", sort: "title" } },
        }),
        some: await repo.projects.count({ tasks: { some: { below: { some: { title: child.title } } } } }),
        links: await repo.members.get(member.id, { with: { projects: true }, counts: { projects: true } }),
        grouped: await repo.tasks.aggregate({ where, groupBy: ["project.name"], count: true }),
        past: await repo.tasks
          .asOf(new Date(Date.now() + 60_000))
          .get(child.id, { with: { above: true, project: true } }),
        history: (await repo.tasks.history(child.id)).data.length,
        found: (await repo.tasks.search("plan dig")).meta.total,
      }));
    const before = await read();
    await bob(async () => {
      await repo.projects.create({ id: project.id, slug: `twin-${suffix}`, name: project.name });
      await repo.members.create({ id: member.id, email: `twin-${suffix}@x`, name: "Twin" });
      const twins = [task, child].map(({ id, title }) => ({
        id,
        title,
        projectId: project.id,
        memberId: member.id,
      }));
      await repo.tasks.createMany(twins);
      await repo.tasks.update(child.id, { parentId: task.id });
      await repo.taskLabels.create({ taskId: task.id, member: "m" });
    });
    expect(await read()).toEqual(before);
    expect(before.one.above).toMatchObject([{ id: task.id, studioId: "ada" }]);
    await bob(async () => {
      await repo.taskLabels.deleteMany({ where: "all" });
      await repo.projects.delete(project.id);
      await repo.projects.purge(project.id);
      await repo.members.delete(member.id);
    });
    expect(await read()).toEqual(before);
  });
});
