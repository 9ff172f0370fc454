import { createDatabase } from "plinth";
import { afterAll, describe, expect, it } from "vitest";
import { rejection } from "../../test/support/rejection.ts";
import { openStudios, repositoriesOf, schema } from "./studios.fixture.ts";

const { db, as, repo, run } = await openStudios();

/** Nothing listens there: what is sent fails otherwise. */
const nowhere = await createDatabase({ schema, url: "postgres://nobody@127.0.0.1:1/none", boot: "lazy" });
afterAll(() => nowhere.close());
const away = repositoriesOf(nowhere);

async function drained(rows: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of rows) return;
}

const REQUIRED = {
  code: "TENANT_REQUIRED",
  hint: "Run it inside db.as({ tenantId }, …).",
};

const { tasks, projects } = away;
const input = { projectId: "p", title: "t" };
const calls: Readonly<Record<string, () => PromiseLike<unknown>>> = {
  find: () => tasks.find("x"),
  "find of many at once": () => Promise.all(Array.from({ length: 20 }, () => tasks.find("x"))),
  get: () => tasks.get("x"),
  findBy: () => projects.findBy({ slug: "s" }),
  findMany: () => tasks.findMany(["x"]),
  list: () => tasks.list(),
  "list of nothing but its estimate": () => tasks.list({ total: "estimated" }),
  stream: () => drained(tasks.stream()),
  count: () => tasks.count(),
  exists: () => tasks.exists({ id: "x" }),
  aggregate: () => tasks.aggregate({ count: true }),
  distinct: () => tasks.distinct("title"),
  search: () => tasks.search("x"),
  copyOut: () => drained(tasks.copyOut()),
  create: () => tasks.create(input),
  createMany: () => tasks.createMany([input]),
  createGraph: () => projects.createGraph({ slug: "s", name: "n", tasks: [{ title: "t" }] }),
  update: () => tasks.update("x", { title: "t" }),
  "update of nothing": () => tasks.update("x", {}),
  updateMany: () => tasks.updateMany({ where: "all" }, { points: 1 }),
  updateEach: () => tasks.updateEach([{ key: "x", patch: { points: 1 } }]),
  upsert: () => projects.upsert({ slug: "s", name: "n" }, { on: "slug" }),
  upsertMany: () => projects.upsertMany([{ slug: "s", name: "n" }], { on: "slug" }),
  increment: () => tasks.increment("x", { points: 1 }),
  delete: () => tasks.delete("x"),
  deleteMany: () => tasks.deleteMany({ where: "all" }),
  restore: () => tasks.restore("x"),
  purge: () => tasks.purge("x"),
  purgeMany: () => tasks.purgeMany({ where: "all" }),
  withDeleted: () => tasks.withDeleted().list(),
  onlyDeleted: () => tasks.onlyDeleted().count(),
  history: () => tasks.history("x"),
  revert: () => tasks.revert("x", 1n),
  "a past": () => tasks.asOf(new Date()).find("x"),
  "a nested read": () => away.studios.list({ with: { projects: true } }),
  "a nested count": () => away.studios.list({ counts: { projects: true } }),
  "a condition on related rows": () => away.studios.list({ where: { projects: { some: { slug: "s" } } } }),
  explain: () => tasks.list().explain(),
  batch: () => nowhere.batch([tasks.count()]),
};

describe("a call on no tenant's behalf", () => {
  it.each(Object.entries(calls))("is refused before anything is sent: %s", async (_, call) => {
    expect(await rejection(call())).toMatchObject(REQUIRED);
    expect(await rejection(nowhere.as({ userId: "u", reason: "no tenant" }, call))).toMatchObject(REQUIRED);
    expect(await rejection(nowhere.as({ tenantId: "" }, call))).toMatchObject(REQUIRED);
    // Of a tenant's it goes on its way.
    expect(await rejection(nowhere.as({ tenantId: "ada" }, call))).not.toMatchObject(REQUIRED);
  });

  it("names the table, and nothing else", async () => {
    const error = await rejection(tasks.find("secret"));
    expect(error).toMatchObject({
      summary: 'rows of "tasks" belong to tenants, and this call is on behalf of none',
      entity: "tasks",
    });
  });

  it("needs none for rows that belong to nobody", async () => {
    expect(await repo.studios.get("ada")).toEqual({ id: "ada", name: "Ada's" });
  });

  it("is refused in a transaction too, which goes on", async () => {
    await as("ada", () => repo.labels.create({ name: "in a transaction" }));
    const found = await db.transaction(async (tx) => {
      expect(await rejection(tx.repository(schema.labels).count())).toMatchObject(REQUIRED);
      return as("ada", () => tx.repository(schema.labels).count());
    });
    expect(found).toBe(1);
  });

  it("finds and writes nothing by SQL of the application's own", async () => {
    await as("ada", () => repo.labels.create({ name: "hidden" }));
    expect(await db.sql`select * from studios.labels`).toEqual([]);
    expect(await db.drizzle.select().from(schema.labels)).toEqual([]);
    expect(await db.sql`update studios.labels set uses = 9 returning id`).toEqual([]);
    expect(
      await rejection(db.sql`insert into studios.labels (studio_id, name) values ('ada', 'forged')`),
    ).toMatchObject({ code: "ROW_SECURITY_VIOLATION" });
    expect(await run("select count(*) from labels where uses = 9 or name = 'forged'")).toEqual([["0"]]);
  });
});

describe("a call with the tenant as a value", () => {
  it("is refused: whose row it is, db.as says alone", async () => {
    const message = "studioId: is the tenant, which db.as({ tenantId }) says, and takes no value";
    for (const studioId of ["bob", "ada"]) {
      const writes: readonly (() => PromiseLike<unknown>)[] = [
        () => repo.labels.create({ name: "n", studioId } as never),
        () => repo.labels.upsert({ name: "n", studioId } as never, { on: "name" }),
        () => repo.labels.updateMany({ where: "all" }, { studioId } as never),
      ];
      for (const write of writes)
        expect(await rejection(as("ada", write))).toMatchObject({ code: "INVALID_VALUE", message });
    }
    expect(
      await rejection(
        as("ada", () =>
          repo.studios.createGraph({ id: "new", name: "New", projects: [{ slug: "s", name: "S" }] }),
        ),
      ),
    ).toMatchObject({
      code: "INVALID_VALUE",
      message:
        "projects.0: belongs to the tenant that makes it, so it cannot be made inside the tenant's row",
    });
  });

  it("takes no COPY in, which PostgreSQL has none of under row security", async () => {
    const refused = {
      code: "INVALID_QUERY",
      message:
        'entity: "labels" has a tenant, and PostgreSQL takes no COPY into a table with row security; use createMany',
    };
    expect(await rejection(as("ada", () => repo.labels.copyIn([{ name: "c" }])))).toMatchObject(refused);
    expect(await rejection(as("ada", () => db.copyIn(schema.labels, ["1\tbob\tc\t0\n"])))).toMatchObject(
      refused,
    );
  });
});
