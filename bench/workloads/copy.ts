/** Bulk loading: the same file by psql's \copy, by Plinth as bytes, and by Plinth from objects. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { createReadStream, existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { integer, numeric, text, timestamp } from "drizzle-orm/pg-core";
import { createDatabase, type Database } from "plinth";
import { appSchema, entity, ulidKey } from "plinth/schema";
import type { Contenders } from "../contenders.ts";
import type { Workload } from "../rounds.ts";

const ROWS = 200_000;
const PSQL =
  ["/usr/lib/postgresql/18/bin/psql", "/usr/lib/postgresql/15/bin/psql"].find(existsSync) ?? "psql";

const app = appSchema("copy_bench");
const events = entity(app, "events", {
  id: ulidKey(),
  projectId: text().notNull(),
  title: text().notNull(),
  priority: integer(),
  amount: numeric(),
  at: timestamp({ withTimezone: true }),
});
const schema = { app, events };

/** No index and no log: what is compared is who brings the rows, so the server is to be as fast as it can. */
const CREATE = `drop schema if exists copy_bench cascade;
create schema copy_bench;
create unlogged table copy_bench.events
  (id text, project_id text, title text, priority int, amount numeric, at timestamptz) with (autovacuum_enabled = false)`;
const TRUNCATE = "truncate copy_bench.events";

function makeRows() {
  return Array.from({ length: ROWS }, (_, i) => ({
    id: `01ARZ3NDEKTSV4RRFF${String(i).padStart(8, "0")}`,
    projectId: `01BX5ZZKBKACTAV9WE${String(i % 200).padStart(8, "0")}`,
    title: `Task ${i}: paint the fence, then "rest"`,
    priority: i % 5,
    amount: `${i % 1_000}.25`,
    at: new Date(1_700_000_000_000 + i * 1_000),
  }));
}

type Rows = ReturnType<typeof makeRows>;

/** \copy in one psql that stays open, so that its start is nobody's cost. */
class Psql {
  readonly #process: ChildProcessWithoutNullStreams;
  #said = "";
  #heard: () => void = () => {};

  constructor(url: string) {
    this.#process = spawn(PSQL, ["-X", "-q", "-v", "ON_ERROR_STOP=1", url]);
    this.#process.stdout.on("data", (chunk: Buffer) => {
      this.#said += chunk.toString();
      this.#heard();
    });
    this.#process.stderr.on("data", (chunk: Buffer) => process.stderr.write(chunk));
    this.#process.on("exit", () => this.#heard());
  }

  async run(command: string): Promise<void> {
    this.#said = "";
    this.#process.stdin.write(`${command}\n\\echo done\n`);
    while (!this.#said.includes("done")) {
      if (this.#process.exitCode !== null) throw new Error("psql has ended");
      await new Promise<void>((heard) => {
        this.#heard = heard;
      });
    }
  }

  close(): void {
    this.#process.stdin.end("\\q\n");
  }
}

interface Place {
  readonly db: Database<typeof schema>;
  readonly psql: Psql;
  readonly folder: string;
  readonly file: string;
  readonly rows: Rows;
}

async function open(url: string): Promise<Place> {
  const db = await createDatabase({ schema, url, pool: { max: 1 } });
  for (const statement of CREATE.split(";\n")) await db.sql([statement] as never);
  const folder = await mkdtemp(join(tmpdir(), "plinth-copy-"));
  const file = join(folder, "events.txt");
  const rows = makeRows();
  const lines = rows.map((row) =>
    [row.id, row.projectId, row.title, row.priority, row.amount, row.at.toISOString()].join("\t"),
  );
  await writeFile(file, `${lines.join("\n")}\n`);
  return { db, psql: new Psql(url), folder, file, rows };
}

export function copy({ ground }: Contenders): Workload {
  // Opened by the first run: a bench of something else makes no files.
  let opening: Promise<Place> | undefined;
  const place = () => {
    opening ??= open(ground.url);
    return opening;
  };
  /** A table that was emptied, and then has every row. */
  const load = (bring: (at: Place) => Promise<unknown>) => async () => {
    const at = await place();
    await at.db.sql([TRUNCATE] as never);
    await bring(at);
  };
  return {
    name: `copy in ${ROWS.toLocaleString("en")} rows`,
    concurrencies: [1],
    async close() {
      const at = await opening;
      if (at === undefined) return;
      const [{ n } = { n: 0n }] = await at.db.sql<{ n: bigint }>`select count(*) as n from copy_bench.events`;
      at.psql.close();
      await at.db.close();
      await rm(at.folder, { recursive: true });
      if (n !== BigInt(ROWS)) throw new Error(`the table has ${n} rows, not ${ROWS}`);
    },
    runners: [
      {
        name: "psql \\copy",
        run: load(({ psql, file }) => psql.run(`\\copy copy_bench.events from '${file}'`)),
      },
      {
        name: "Plinth, bytes",
        run: load(({ db, file }) => db.copyIn(events, createReadStream(file, { highWaterMark: 1 << 18 }))),
      },
      { name: "Plinth, objects", run: load(({ db, rows }) => db.repository(events).copyIn(rows)) },
    ],
  };
}
