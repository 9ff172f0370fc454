/**
 * How much memory a long stream takes: `node --import tsx bench/stream-memory.ts [rows]`. Streams the rows of a table
 * (10 million, unless told otherwise) with `repo.stream`, and prints the most that this process had resident, with
 * tsx and all. Exits with 1 above the bound.
 */
import { bigint, text, timestamp } from "drizzle-orm/pg-core";
import { createDatabase } from "plinth";
import { appSchema, entity } from "plinth/schema";
import { endServersOnSignals, startServer } from "./server.ts";

const ROWS_DEFAULT = 10_000_000;
const BOUND_MB = 150;

const app = appSchema("long");
const events = entity(app, "events", {
  id: bigint({ mode: "bigint" }).primaryKey(),
  title: text().notNull(),
  at: timestamp({ withTimezone: true }).notNull(),
});

const rows = Number(process.argv[2] ?? ROWS_DEFAULT);
const residentMb = () => process.memoryUsage.rss() / 1_048_576;

endServersOnSignals();
const server = await startServer({ onDisk: true });
const db = await createDatabase({
  schema: { app, events },
  url: server.url,
  session: { statementTimeoutMs: 0 },
});
await db.sql`create schema long`;
await db.sql`create unlogged table long.events (id int8 primary key, title text not null, at timestamptz not null)`;
await db.sql`insert into long.events select i, 'Event ' || i, timestamptz '2026-01-01' + i * interval '1 second'
  from generate_series(1, ${rows}) i`;

const atStart = residentMb();
let [count, sum, peak] = [0, 0n, atStart];
const started = performance.now();
for await (const { id } of db.repository(events).stream({ sort: "id" })) {
  count += 1;
  sum += id;
  if (count % 10_000 === 0) peak = Math.max(peak, residentMb());
}
const seconds = (performance.now() - started) / 1_000;
await db.close();
await server.remove();

// What the operating system says: nothing between two looks is missed.
peak = Math.max(peak, process.resourceUsage().maxRSS / 1_024);
const isWhole = count === rows && sum === (BigInt(rows) * BigInt(rows + 1)) / 2n;
process.stdout.write(
  `${count.toLocaleString("en")} rows in ${seconds.toFixed(1)} s\n` +
    `resident: ${atStart.toFixed(0)} MB before the first row, ${peak.toFixed(0)} MB at most (bound: ${BOUND_MB} MB)\n`,
);
if (!isWhole) throw new Error("rows are missing, or came twice");
if (peak > BOUND_MB) process.exitCode = 1;
