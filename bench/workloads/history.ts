import { sql } from "drizzle-orm";
import { date, index, integer, text } from "drizzle-orm/pg-core";
import pg from "pg";
import { createDatabase } from "plinth";
import { appSchema, authorship, entity, timestamps, ulidKey } from "plinth/schema";
import { BEHAVIOURS } from "../../src/behaviours.ts";
import { renderSchema } from "../../src/catalog/index.ts";
import { describeSchema } from "../../src/schema/index.ts";
import { type Contenders, cycle } from "../contenders.ts";
import type { Workload } from "../rounds.ts";
import { startServer } from "../server.ts";

const ROWS = 20_000;
const MANY = 5_000;
const PROJECTS = 200;

const app = appSchema("bench_history");
const columns = () => ({
  id: ulidKey(),
  projectId: text().notNull(),
  title: text().notNull(),
  description: text(),
  priority: integer().notNull().default(1),
  dueDate: date(),
  assignedTo: text(),
  ...timestamps(),
  ...authorship(),
});
const plain = entity(app, "plain", columns(), { constraints: (t) => [index().on(t.projectId)] });
const kept = entity(app, "kept", columns(), { constraints: (t) => [index().on(t.projectId)], history: true });
const soft = entity(app, "soft", columns(), {
  constraints: (t) => [index().on(t.projectId)],
  softDelete: true,
});
/** As docs/reference/soft-delete.md advises: an index that has the filter, beside the one for all rows. */
const indexed = entity(app, "indexed", columns(), {
  constraints: (t) => [
    index().on(t.projectId),
    index("indexed_living_project_id_idx").on(t.projectId).where(sql`deleted_at is null`),
  ],
  softDelete: true,
});
const schema = { app, plain, kept, soft, indexed };

/** A server of its own, which flushes each commit to the disk: that is what an update costs. Made with the first call. */
async function openGround() {
  const server = await startServer({ onDisk: true, settings: { fsync: "on", synchronous_commit: "on" } });
  const pool = new pg.Pool({ connectionString: server.url, max: 10 });
  const { up } = renderSchema(describeSchema(schema), BEHAVIOURS);
  await pool.query(`create schema bench_history; set search_path to bench_history; ${up.join(";\n")}`);
  for (const table of ["plain", "kept", "soft", "indexed"]) {
    await pool.query(`insert into bench_history.${table} (id, project_id, title, description, assigned_to, due_date)
      select 't' || i, 'p' || i % ${PROJECTS}, 'Task ' || i, repeat('words ', 10), 'u' || i % 1000, date '2026-01-01' + i % 365
      from generate_series(1, ${ROWS}) i`);
  }
  await pool.query("vacuum analyze");
  const db = await createDatabase({ schema, url: server.url, pool: { max: 10 } });
  return {
    pool,
    serverCpuUs: () => server.cpuUs(),
    repo: {
      plain: db.repository(plain),
      kept: db.repository(kept),
      soft: db.repository(soft),
      indexed: db.repository(indexed),
    },
    async close() {
      await db.close();
      await pool.end();
      await server.remove();
    },
  };
}

type Ground = Awaited<ReturnType<typeof openGround>>;

function onGround(
  name: string,
  make: (
    on: (work: (ground: Ground) => PromiseLike<unknown>) => () => Promise<unknown>,
  ) => Pick<Workload, "runners" | "concurrencies">,
  { isChanging, pairsPerRound }: { readonly isChanging: boolean; readonly pairsPerRound: number },
): Workload {
  let ground: Promise<Ground> | undefined;
  const on = (work: (ground: Ground) => PromiseLike<unknown>) => async () => {
    ground ??= openGround();
    return work(await ground);
  };
  return {
    name,
    ...make(on),
    ...(isChanging
      ? {
          reset: async () => {
            await (await ground)?.pool.query("vacuum bench_history.plain, bench_history.kept");
          },
        }
      : {}),
    close: async () => (await ground)?.close(),
    contest: { pairsPerRound, serverCpuUs: async () => (await ground)?.serverCpuUs() ?? Number.NaN },
  };
}

/** One row, durably: with its version and without. */
export function historyOfOne(_: Contenders): Workload {
  const next = cycle(Array.from({ length: ROWS }, (_row, i) => `t${i + 1}`));
  let count = 0;
  return onGround(
    "update one row, with its history",
    (on) => ({
      concurrencies: [1, 10],
      runners: (["plain", "kept"] as const).map((table) => ({
        name: table === "plain" ? "without history" : "with history",
        run: on(({ repo }) => repo[table].update(next(), { priority: ++count % 5 }, { returning: false })),
      })),
    }),
    { isChanging: true, pairsPerRound: 30 },
  );
}

/** Many rows by one statement. */
export function historyOfMany(_: Contenders): Workload {
  let turn = 0;
  return onGround(
    `update ${MANY} rows, with their history`,
    (on) => ({
      concurrencies: [1],
      runners: (["plain", "kept"] as const).map((table) => ({
        name: table === "plain" ? "without history" : "with history",
        run: on(({ pool }) => {
          const from = (turn++ % (ROWS / MANY)) * MANY;
          return pool.query(
            `update bench_history.${table} set priority = priority + 1 where substr(id, 2)::int > ${from} and substr(id, 2)::int <= ${from + MANY}`,
          );
        }),
      })),
    }),
    { isChanging: true, pairsPerRound: 6 },
  );
}

/** The filter that soft deletion puts on a read: of one table, and beside a table that has no such columns. */
export function softDeleteOnRead(_: Contenders): Workload {
  const next = cycle(Array.from({ length: ROWS }, (_row, i) => `t${i + 1}`));
  return softDeleteOn("find one row, soft-deleted or not", (reads) => reads.find(next()));
}

export function softDeleteOnPage(_: Contenders): Workload {
  const next = cycle(Array.from({ length: PROJECTS }, (_row, i) => `p${i}`));
  return softDeleteOn("page of 50, soft-deleted or not", (reads) =>
    reads.list({ where: { projectId: next() }, sort: "id", limit: 50 }),
  );
}

type Reads = Pick<Ground["repo"]["plain"], "find" | "list">;

function softDeleteOn(name: string, read: (reads: Reads) => PromiseLike<unknown>): Workload {
  const ways: Readonly<Record<string, (repo: Ground["repo"]) => Reads>> = {
    "withDeleted(), no filter": ({ soft: all }) => all.withDeleted(),
    "with the filter": (repo) => repo.soft,
    "with the filter, and an index that has it": (repo) => repo.indexed,
    "without soft delete": (repo) => repo.plain,
  };
  return onGround(
    name,
    (on) => ({
      concurrencies: [1, 10],
      runners: Object.entries(ways).map(([way, reads]) => {
        let made: Reads | undefined;
        return {
          name: way,
          run: on(({ repo }) => {
            made ??= reads(repo);
            return read(made);
          }),
        };
      }),
    }),
    { isChanging: false, pairsPerRound: 30 },
  );
}
