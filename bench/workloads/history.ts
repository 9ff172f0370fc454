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
const schema = { app, plain, kept, soft };

/** A server of its own, which flushes each commit to the disk: that is what an update costs. Made with the first call. */
async function openGround() {
  const server = await startServer({ onDisk: true, settings: { fsync: "on", synchronous_commit: "on" } });
  const pool = new pg.Pool({ connectionString: server.url, max: 10 });
  const { up } = renderSchema(describeSchema(schema), BEHAVIOURS);
  await pool.query(`create schema bench_history; set search_path to bench_history; ${up.join(";\n")}`);
  for (const table of ["plain", "kept", "soft"]) {
    await pool.query(`insert into bench_history.${table} (id, project_id, title, description, assigned_to, due_date)
      select 't' || i, 'p' || i % 200, 'Task ' || i, repeat('words ', 10), 'u' || i % 1000, date '2026-01-01' + i % 365
      from generate_series(1, ${ROWS}) i`);
  }
  await pool.query("vacuum analyze");
  const db = await createDatabase({ schema, url: server.url, pool: { max: 10 } });
  return {
    pool,
    repo: { plain: db.repository(plain), kept: db.repository(kept), soft: db.repository(soft) },
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
  isChanging: boolean,
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
    true,
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
    true,
  );
}

/** The filter that soft deletion puts on a read. */
export function softDeleteOnRead(_: Contenders): Workload {
  const next = cycle(Array.from({ length: ROWS }, (_row, i) => `t${i + 1}`));
  return onGround(
    "find one row, soft-deleted or not",
    (on) => ({
      concurrencies: [1, 10],
      runners: (["plain", "soft"] as const).map((table) => ({
        name: table === "plain" ? "without soft delete" : "with soft delete",
        run: on(({ repo }) => (table === "plain" ? repo.plain.find(next()) : repo.soft.find(next()))),
      })),
    }),
    false,
  );
}
