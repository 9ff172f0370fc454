import { setTimeout as pause } from "node:timers/promises";
import { text } from "drizzle-orm/pg-core";
import { createDatabase } from "plinth";
import { appSchema, entity, identityKey } from "plinth/schema";
import { testDatabase } from "plinth/testing";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { connect, parseTarget } from "../../src/driver/index.ts";
import { directly, throughPooler } from "../support/pooler.ts";
import { startRelay } from "../support/relay.ts";
import { SOAK_TIMEOUT_MS, soakRuns } from "../support/soak.ts";

const app = appSchema("streams");
const lines = entity(app, "lines", { id: identityKey(), body: text().notNull() });
const WIRES = ["plinth", "pg"] as const;
const ROWS = soakRuns(10_000_000);
const BODY_BYTES = 20;
/** Of a row on the wire, at least. */
const ROW_BYTES = BODY_BYTES + 10;
const BATCH = 500;

const { url, close } = await testDatabase({
  schema: { lines },
  ...directly("what a stream takes from its server"),
});
afterAll(close);

/** As many rows as one likes, without the disk they would need: line 4,711 of those that fail cannot be read. */
beforeAll(async () => {
  const admin = await connect(parseTarget(url));
  await admin.script(`
    drop table streams.lines;
    create function streams.body(id bigint) returns text language plpgsql immutable as $$
      begin
        if id = 4711 and current_setting('streams.fails', true) = 'yes' then raise exception 'line %', id; end if;
        return repeat('x', ${BODY_BYTES});
      end $$;
    create view streams.lines as
      select id, case when current_setting('streams.fails', true) = 'yes' then streams.body(id) else repeat('x', ${BODY_BYTES}) end as body
      from generate_series(1::bigint, ${ROWS}) as id`);
  await admin.close();
});

async function open(wire: (typeof WIRES)[number], by: (url: string) => string = throughPooler) {
  const db = await createDatabase({
    schema: { lines },
    url: by(url),
    pool: { max: 1 },
    session: { wire, statementTimeoutMs: 0 },
    onWarning: () => {},
  });
  onTestFinished(() => db.close());
  return { db, rows: db.repository(lines) };
}

describe.each(WIRES)("a stream, on the %s wire,", (wire) => {
  it(
    `of ${ROWS.toLocaleString("en")} rows gives all of them, in order, in bounded memory`,
    async () => {
      const { db, rows } = await open(wire);
      const before = process.memoryUsage().rss;
      let most = before;
      let seen = 0;
      for await (const { id, body } of rows.stream({ batchSize: 1_000 })) {
        seen += 1;
        if (Number(id) !== seen || body.length !== BODY_BYTES) throw new Error(`row ${seen} is ${id}`);
        if (seen % 20_000 === 0) most = Math.max(most, process.memoryUsage().rss);
      }
      expect(seen).toBe(ROWS);
      expect(most - before).toBeLessThan(150_000_000);
      expect(db.pool.stats.inUse).toBe(0);
    },
    SOAK_TIMEOUT_MS,
  );

  it("takes no more from the server than a slow consumer uses, but for the next batches", async () => {
    const relay = await startRelay(url);
    onTestFinished(() => relay.close());
    const { rows } = await open(wire, relay.urlFor);
    relay.record();
    const received = () => relay.answers.reduce((sum, { length }) => sum + length, 0);
    let seen = 0;
    for await (const _ of rows.stream({ batchSize: BATCH })) {
      seen += 1;
      if (seen % BATCH !== 1) continue;
      await pause(100);
      // The batch at hand, the one that waits, and the one that is fetched meanwhile.
      expect(received()).toBeLessThan((seen + 3 * BATCH) * ROW_BYTES * 1.5);
      if (seen > 5 * BATCH) break;
    }
    expect(received()).toBeGreaterThan(seen * ROW_BYTES);
  });

  it("gives the rows before a failure, then the failure, once", async () => {
    const { db, rows } = await open(wire);
    const seen: bigint[] = [];
    const errors: unknown[] = [];
    await db
      .transaction(async () => {
        await db.sql`select set_config('streams.fails', 'yes', true)`;
        const iterator = rows.stream({ batchSize: BATCH })[Symbol.asyncIterator]();
        try {
          for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) {
            seen.push(BigInt(next.value.id));
          }
        } catch (error) {
          errors.push(error);
        }
        expect(await iterator.next()).toEqual({ done: true, value: undefined });
      })
      .catch((error: unknown) => expect(error).toMatchObject({ code: "TRANSACTION_ABORTED" }));
    expect(errors).toMatchObject([{ code: "RAISED", sqlstate: "P0001" }]);
    // Whole batches come first; the one that failed gives nothing.
    expect(seen.length).toBe(Math.floor(4_710 / BATCH) * BATCH);
    expect(seen.at(-1)).toBe(BigInt(seen.length));
    expect(db.pool.stats).toMatchObject({ inUse: 0, waiting: 0 });
    for await (const { id } of rows.stream({ batchSize: 10 })) if (Number(id) === 11) break;
    expect(db.pool.stats).toMatchObject({ inUse: 0, waiting: 0 });
  });

  it("that is left early closes its cursor and gives its connection back before the next line runs", async () => {
    const { db, rows } = await open(wire);
    for (let round = 0; round < 3; round++) {
      for await (const { id } of rows.stream({ batchSize: BATCH }))
        if (Number(id) === round * BATCH + 1) break;
      expect(db.pool.stats).toMatchObject({ total: 1, inUse: 0 });
      expect(await db.sql`select count(*)::int4 as cursors from pg_cursors where name <> ''`).toEqual([
        { cursors: 0 },
      ]);
    }
  });
});
