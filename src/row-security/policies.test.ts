import { integer, text } from "drizzle-orm/pg-core";
import { appSchema, entity } from "plinth/schema";
import { testDatabase } from "plinth/testing";
import { afterAll, describe, expect, it } from "vitest";
import { rejection } from "../../test/support/rejection.ts";
import { type Connection, connect, parseTarget } from "../driver/index.ts";
import { prepareHistory } from "../history/index.ts";
import { describeTable } from "../schema/index.ts";
import { purgeDead } from "../soft-delete/index.ts";
import { openStudios, projects, tasks } from "./studios.fixture.ts";

const { as, repo, run, url, adminUrl, role } = await openStudios();
const client = await connect(parseTarget(url));
await client.script("set search_path to studios");
afterAll(() => client.close());

const ada = await as("ada", async () => {
  const project = await repo.projects.create({ slug: "a", name: "Ada's garden" });
  const task = await repo.tasks.create({ projectId: project.id, title: "t" });
  await repo.projects.update(project.id, { name: "Ada's very own" });
  return { project, task };
});
await as("bob", () => repo.projects.create({ slug: "b", name: "Bob's garden" }));

/** As another service would: SQL in a transaction that says whose it is. The rows of the last statement. */
async function asTenant(tenant: string | undefined, sql: string, of: Connection = client) {
  const say = tenant === undefined ? "" : `select set_config('plinth.tenant_id', '${tenant}', true);`;
  try {
    return (await of.script(`begin; ${say} ${sql}`)).at(-1)?.rows ?? [];
  } finally {
    await of.script("rollback");
  }
}

const databaseIn = (url: string) => new URL(url).pathname.slice(1);

const refused = { code: "ROW_SECURITY_VIOLATION" };

describe("policies", () => {
  it("show a session its tenant's rows, and none where it says nothing, or said it in a transaction before", async () => {
    const slugs = "select slug from projects order by slug";
    expect(await asTenant(undefined, slugs)).toEqual([]);
    expect(await asTenant("ada", slugs)).toEqual([["a"]]);
    expect(await asTenant(undefined, slugs)).toEqual([]);
    expect(await asTenant("", slugs)).toEqual([]);
    expect(await asTenant("bob", slugs)).toEqual([["b"]]);
    expect(await asTenant("nobody", slugs)).toEqual([]);
  });

  it("let no row come in for another tenant, or go to one", async () => {
    const insert = "insert into labels (studio_id, name) values ('ada', 'forged')";
    for (const sql of [
      insert,
      `${insert} on conflict do nothing`,
      "update projects set studio_id = 'ada'",
      "merge into labels l using (select 'ada' as s) v on l.studio_id = v.s when not matched then insert (studio_id, name) values (v.s, 'forged')",
    ])
      expect(await rejection(asTenant("bob", sql)), sql).toMatchObject(refused);
    expect(
      await asTenant("bob", "with d as (delete from projects returning 1) select count(*) from d"),
    ).toEqual([["0"]]);
    expect(
      await asTenant(
        "bob",
        `with u as (update tasks set title = 'x' where id = '${ada.task.id}' returning 1) select count(*) from u`,
      ),
    ).toEqual([["0"]]);
  });

  it("hold keys apart, so that none tells of another tenant's rows", async () => {
    const email = "insert into members values ('m', 'STUDIO', 'm@x', 'M')";
    await run(email.replace("STUDIO", "ada"));
    expect(await asTenant("bob", `${email.replace("STUDIO", "bob")} returning name`)).toEqual([["M"]]);
    expect(
      await rejection(
        asTenant(
          "bob",
          `insert into tasks (id, studio_id, project_id, title) values ('x', 'bob', '${ada.project.id}', 't'); set constraints all immediate`,
        ),
      ),
    ).toMatchObject({ code: "FOREIGN_KEY_VIOLATION" });
  });

  it("hold for views that read as whoever asks, and for what is searched, locked and explained", async () => {
    expect(await asTenant("bob", "select slug from living_projects")).toEqual([["b"]]);
    expect(
      await asTenant(
        "bob",
        "select slug from projects where search_vector @@ to_tsquery('english', 'garden')",
      ),
    ).toEqual([["b"]]);
    expect(await asTenant("bob", "select slug from projects for update")).toEqual([["b"]]);
    const plan = (await asTenant("bob", "explain (costs off) select * from projects where id = 'x'"))
      .flat()
      .join("\n");
    expect(plan).toContain("InitPlan");
    expect(plan).toMatch(/Index Cond: .*studio_id = .*id = 'x'|studio_id = /);
  });

  it("hold for one prepared statement that serves two tenants", async () => {
    await client.script("prepare mine as select slug from projects order by slug");
    for (let i = 0; i < 8; i++)
      expect(await asTenant(i % 2 === 0 ? "ada" : "bob", "execute mine")).toEqual([
        [i % 2 === 0 ? "a" : "b"],
      ]);
    await client.script("deallocate mine");
  });

  it("hold for the history, its partitions and what is made of it", async () => {
    const past = "select operation from projects_history where row_key <> '' order by version";
    expect(await asTenant("ada", past)).toEqual([["insert"], ["update"]]);
    expect(await asTenant("bob", past)).toEqual([["insert"]]);
    expect(await asTenant(undefined, past)).toEqual([]);
    await run(`grant select on projects_history_default to ${role}`);
    // When it began is for everybody.
    const partition = "select operation from projects_history_default order by row_key";
    expect(await asTenant("bob", partition)).toEqual([["begin"], ["insert"]]);
    const keeper = await connect(parseTarget(adminUrl));
    await prepareHistory({ connection: keeper, schemaName: "studios", months: 2 });
    await keeper.close();
    await run(`grant select on all tables in schema studios to ${role}`);
    const [[month]] = (await run(
      "select max(relname) from pg_class where relname like 'plinth_projects_history_%' and relkind = 'r'",
    )) as [[string]];
    expect(await asTenant("bob", `select * from ${month}`)).toEqual([]);
    expect(await run(`select relrowsecurity from pg_class where relname = '${month}'`)).toEqual([["t"]]);
  });

  it("bind the owner of the tables too, and say so to whoever migrates or purges for all tenants", async () => {
    const owner = `${role}_owner`;
    await run(`create role ${owner} login; grant connect on database ${databaseIn(adminUrl)} to ${owner};
      grant all on schema studios to ${owner};
      alter table projects owner to ${owner}; alter table tasks owner to ${owner}`);
    const target = new URL(url);
    target.username = owner;
    target.password = "";
    const own = await connect(parseTarget(target.href));
    await own.script("set search_path to studios");
    try {
      expect(await asTenant(undefined, "select slug from projects", own)).toEqual([]);
      expect(await asTenant("ada", "select slug from projects", own)).toEqual([["a"]]);
      const purge = () =>
        purgeDead({
          connection: own,
          entities: [projects, tasks].map(describeTable),
          olderThanDays: 1,
        });
      expect(await rejection(purge())).toMatchObject({ code: "ROW_SECURITY_VIOLATION" });
      expect((await own.script("show row_security")).at(-1)?.rows).toEqual([["on"]]);
    } finally {
      await own.close();
      await run(`reassign owned by ${owner} to current_user; drop owned by ${owner}; drop role ${owner}`);
    }
  });

  it("take no TRUNCATE from an application's role", async () => {
    expect(await rejection(asTenant("bob", "truncate labels"))).toMatchObject({ code: "PERMISSION_DENIED" });
  });
});

describe("a divided table of tenants", () => {
  it("shows a tenant its own rows by every one of its tables", async () => {
    const app = appSchema("divided");
    const events = entity(
      app,
      "events",
      {
        year: integer().primaryKey(),
        id: text().primaryKey(),
        shopId: integer().notNull(),
        note: text().notNull(),
      },
      {
        tenant: "shopId",
        history: true,
        softDelete: true,
        partitionBy: { range: ["year"], partitions: [{ name: "events_2026", from: 2026, to: 2027 }] },
      },
    );
    const { db, adminUrl: own, close } = await testDatabase({ schema: { app, events } });
    const root = await connect(parseTarget(own));
    const reader = `${role}_reader`;
    await root.script(`create role ${reader} login; grant connect on database ${databaseIn(own)} to ${reader};
      grant usage on schema divided to ${reader};
      grant select, insert, update, delete on all tables in schema divided to ${reader}`);
    const rows = db.repository(events);
    const shop = <T>(tenantId: string, work: () => PromiseLike<T>) => db.as({ tenantId }, work);
    await shop("1", () => rows.create({ year: 2026, id: "e", note: "one" }));
    await shop("2", () => rows.create({ year: 2026, id: "e", note: "two" }));
    expect(await shop("1", () => rows.update({ year: 2026, id: "e" }, { note: "uno" }))).toMatchObject({
      shopId: 1,
    });
    expect((await shop("2", () => rows.history({ year: 2026, id: "e" }))).data).toHaveLength(1);
    expect((await shop("1", () => rows.history({ year: 2026, id: "e" }))).data).toHaveLength(2);
    expect(await rejection(shop("one", () => rows.count()))).toMatchObject({
      code: "INVALID_VALUE",
      message: 'actor.tenantId: must be integer, as shopId of "events" is',
    });
    const target = new URL(own);
    target.username = reader;
    target.password = "";
    const other = await connect(parseTarget(target.href));
    await other.script("set search_path to divided");
    for (const table of ["events", "events_2026", "living_events"]) {
      expect(await asTenant("1", `select note from ${table}`, other), table).toEqual([["uno"]]);
      expect(await asTenant("2", `select note from ${table}`, other), table).toEqual([["two"]]);
      expect(await asTenant(undefined, `select note from ${table}`, other), table).toEqual([]);
    }
    await shop("1", () => rows.delete({ year: 2026, id: "e" }));
    expect(await asTenant("2", "select count(*) from living_events", other)).toEqual([["1"]]);
    await other.close();
    await root.script(`drop owned by ${reader}; drop role ${reader}`);
    await root.close();
    await close();
  });
});
