import { createDatabase, isPlinthError } from "plinth";
import { describe, expect, it } from "vitest";
import { openStudios, repositoriesOf, type Studios, schema } from "../../src/row-security/studios.fixture.ts";
import { canPool, startPgBouncer } from "../support/pgbouncer.ts";
import { randomFrom } from "../support/random-schema.ts";
import { SOAK_TIMEOUT_MS, soakRuns } from "../support/soak.ts";

const REQUESTS = soakRuns(100_000);
const AT_ONCE = 24;
const TENANTS = ["ada", "bob", "eve", 'o\'neil, "inc"', "ünïcode (1)"];

class Thrown extends Error {}

/** Every text that a tenant writes begins with its name; its points are its number. */
function isOf(tenant: string, row: object): boolean {
  const { studioId = tenant, title = tenant, name = tenant, points = 0 } = row as Record<string, unknown>;
  const isOwnText = [title, name].every((text) => String(text).startsWith(tenant));
  return studioId === tenant && isOwnText && [0, TENANTS.indexOf(tenant)].includes(Number(points));
}

/** One request: it reads and writes as somebody, and may end in any way. */
function requests(db: Studios, random: () => number, foreign: unknown[]) {
  const repo = repositoriesOf(db);
  let serial = 0;
  const any = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T;
  const ids: string[] = [];

  const look = (tenant: string, rows: readonly (object | undefined)[]) => {
    for (const row of rows) if (row !== undefined && !isOf(tenant, row)) foreign.push({ tenant, row });
  };
  const id = () => (ids.length === 0 ? "none" : any(ids.slice(-60)));
  const title = (tenant: string) => `${tenant} ${++serial}`;

  /** Things that a request does, of which any may meet another tenant's key. */
  const acts: readonly ((tenant: string) => PromiseLike<unknown>)[] = [
    async (tenant) => look(tenant, [await repo.tasks.find(id(), { with: { project: true } })]),
    async (tenant) =>
      look(tenant, await Promise.all(Array.from({ length: 15 }, () => repo.tasks.find(id())))),
    async (tenant) => look(tenant, await repo.tasks.findMany([id(), id(), id()])),
    async (tenant) => look(tenant, (await repo.tasks.list({ limit: 20, sort: "project.name" })).data),
    async (tenant) => {
      const { data } = await repo.projects.list({ limit: 5, with: { tasks: { limit: 5 } } });
      look(tenant, [...data, ...data.flatMap(({ tasks }) => tasks)]);
    },
    async (tenant) => {
      const [sums] = await repo.tasks.aggregate({ groupBy: ["studioId"], min: ["points"], max: ["points"] });
      if (sums !== undefined) look(tenant, [{ points: sums.min.points }, { points: sums.max.points }, sums]);
    },
    async (tenant) =>
      look(
        tenant,
        (await repo.tasks.search(any(TENANTS).slice(0, 3))).data.map(({ row }) => row),
      ),
    async (tenant) => {
      let left = 7;
      for await (const row of repo.tasks.stream({ batchSize: 3 })) {
        look(tenant, [row]);
        if (--left === 0) break;
      }
    },
    async (tenant) =>
      look(
        tenant,
        (await repo.tasks.history(id())).data.map(({ after }) => after ?? {}),
      ),
    async (tenant) => look(tenant, [await repo.tasks.asOf(new Date()).find(id())]),
    async (tenant) =>
      look(tenant, await db.sql<{ title: string }>`select title, points from studios.tasks limit 20`),
    async (tenant) => look(tenant, await db.drizzle.select().from(schema.tasks).limit(10)),
    async (tenant) => {
      const name = title(tenant);
      const project = await repo.projects.upsert({ slug: `s${serial % 7}`, name }, { on: "slug" });
      const points = TENANTS.indexOf(tenant);
      const made = await repo.tasks.create({ projectId: project.id, title: title(tenant), points });
      ids.push(made.id);
      look(tenant, [project, made]);
    },
    async (tenant) => look(tenant, [await repo.tasks.update(id(), { title: title(tenant) })]),
    (tenant) => repo.tasks.updateMany({ where: { id: { in: [id(), id()] } } }, { title: title(tenant) }),
    async (tenant) =>
      db.batch([
        repo.tasks.update(id(), { title: title(tenant) }),
        repo.tasks.delete(id()),
        repo.tasks.count(),
      ]),
    () => repo.tasks.delete(id()),
    () => repo.tasks.restore(id()),
    (tenant) => db.sql`update studios.tasks set title = ${title(tenant)} where id = ${id()}`,
    () => db.sql`select 1 / 0 from studios.tasks`,
    (tenant) =>
      db.sql`insert into studios.labels (studio_id, name) values (${any(TENANTS)}, ${title(tenant)})`,
  ];

  const aborted = async (tenant: string) => {
    const abort = new AbortController();
    const reason = setTimeout(() => abort.abort(), random() * 4);
    try {
      look(tenant, (await repo.tasks.list({ limit: 50 }).withSignal(abort.signal)).data);
      await db.sql`select pg_sleep(0.01), title from studios.tasks limit 3`.withSignal(abort.signal);
    } finally {
      clearTimeout(reason);
    }
  };

  const inTransaction = (tenant: string) =>
    db.transaction(async (tx) => {
      await any(acts)(tenant);
      const other = any(TENANTS);
      const nested = tx.transaction(async () => {
        await db.as({ tenantId: other }, () => any(acts)(other));
        if (random() < 0.4) throw new Thrown();
      });
      await nested.catch(() => {});
      await Promise.all([
        any(acts.slice(0, 4))(tenant),
        db.as({ tenantId: other }, () => any(acts.slice(0, 4))(other)),
      ]);
      if (random() < 0.3) throw new Thrown();
    });

  return async (): Promise<void> => {
    const tenant = any(TENANTS);
    const work = random() < 0.25 ? inTransaction : random() < 0.1 ? aborted : any(acts);
    await db
      .as({ tenantId: tenant, userId: tenant }, () => work(tenant))
      .catch((error: unknown) => {
        if (!isPlinthError(error) && !(error instanceof Thrown)) foreign.push(error);
      });
  };
}

const ways = ["directly", ...(canPool() ? ["through PgBouncer in transaction mode"] : [])];

describe("requests of random tenants over a pool of three, with exceptions and aborts among them", () => {
  it.each(ways)(
    "read and write no foreign row: %s",
    async (way) => {
      const { db: direct, url, run } = await openStudios({ max: 3 });
      const names = TENANTS.slice(2).map((name) => `('${name.replaceAll("'", "''")}', 'S')`);
      await run(`insert into studios values ${names.join(", ")}`);
      const isDirect = way === "directly";
      const bouncer = isDirect ? undefined : await startPgBouncer(url, { poolSize: 3 });
      const db =
        bouncer === undefined
          ? direct
          : await createDatabase({ schema, url: bouncer.urlOf(url), pool: { max: 3 }, onWarning: () => {} });
      const foreign: unknown[] = [];
      const request = requests(db, randomFrom(isDirect ? 62 : 63), foreign);
      let left = REQUESTS;
      const client = async () => {
        while (left-- > 0) await request();
      };
      await Promise.all(Array.from({ length: AT_ONCE }, client));
      expect(foreign).toEqual([]);
      const strays = await run(`
        select 'task', studio_id, title from tasks where not starts_with(title, studio_id)
        union all select 'project', studio_id, name from projects where not starts_with(name, studio_id)
        union all select 'label', studio_id, name from labels where not starts_with(name, studio_id)
        union all select 'task of another', t.studio_id, p.studio_id
          from tasks t join projects p on p.id = t.project_id where p.studio_id <> t.studio_id
        union all select 'signed by another', h.tenant_id, h.row_key
          from tasks_history h where h.row_key <> '' and not starts_with(h.row_key, left(row(h.tenant_id)::text, -1) || ',')`);
      expect(strays).toEqual([]);
      const [[tasks, events, tenants]] = (await run(
        "select (select count(*) from tasks), (select count(*) from tasks_history), (select count(distinct studio_id) from tasks)",
      )) as [[string, string, string]];
      // It has done something, for everybody.
      expect(Number(tasks)).toBeGreaterThan(REQUESTS / 100);
      expect(Number(events)).toBeGreaterThan(Number(tasks));
      expect(Number(tenants)).toBe(TENANTS.length);
      if (bouncer !== undefined) {
        await db.close();
        await bouncer.stop();
      }
    },
    SOAK_TIMEOUT_MS,
  );
});
