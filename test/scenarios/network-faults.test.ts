import { existsSync, readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { type CreateDatabaseOptions, createDatabase } from "plinth";
import { beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import * as domain from "../support/domain.ts";
import { openLibrary } from "../support/library.ts";
import { directly } from "../support/pooler.ts";
import { type ProxyFaults, startProxy } from "../support/proxy.ts";
import { expectQuiet } from "../support/quiet.ts";
import { rejection } from "../support/rejection.ts";

const BOOKS = 3_000;
/** Pages of books that tests add: more than any of those has. */
const UNCOUNTED = 9_999;
/** Of a book's title: rows that fill a receive buffer soon. */
const TITLE = "é".repeat(100);
const WIRES = ["plinth", "pg"] as const;
/** For what waits for time-outs: both in the long run only. */
const PATIENT_WIRES = process.env.PLINTH_SOAK === "1" ? WIRES : (["plinth"] as const);
let opened = 0;

const library = await openLibrary(directly("what a network does to a connection"));
const { url } = library;

beforeAll(async () => {
  const author = await library.makeAuthor();
  await library.repo.books.createMany(
    Array.from({ length: BOOKS }, (_, i) => ({ title: TITLE, authorId: author.id, pages: i + 1 })),
  );
});

/** The library, by way of a network that can be made bad. */
async function open(options: Pick<CreateDatabaseOptions<typeof domain>, "pool" | "session">) {
  const proxy = await startProxy(url);
  const name = `network-${process.pid}-${++opened}`;
  const db = await createDatabase({
    schema: domain,
    ...options,
    url: proxy.urlFor(url),
    session: { ...options.session, applicationName: name },
  });
  onTestFinished(async () => {
    await db.close({ deadlineMs: 100 });
    await proxy.close();
  });
  return {
    db,
    proxy,
    books: db.repository(domain.books),
    authors: db.repository(domain.authors),
    quiet: () => expectQuiet(db.pool, url, name),
  };
}

type Network = Awaited<ReturnType<typeof open>>;

const SLOW: readonly (readonly [name: string, faults: ProxyFaults])[] = [
  ["200 ms of latency", { latencyMs: 200 }],
  ["5 KB a second", { bytesPerSecond: 5_000 }],
  ["one byte per packet", { sliceToOneByte: true }],
];

/** How a connection ends, while it is in the middle of something. */
const ENDS: readonly (readonly [name: string, end: (proxy: Network["proxy"]) => void])[] = [
  ["RST", (proxy) => proxy.resetAll()],
  ["FIN", (proxy) => proxy.halfCloseAll()],
];

describe.each(PATIENT_WIRES)("over a slow network, on the %s wire", (wire) => {
  describe.each(SLOW)("with %s", (_name, faults) => {
    it("reads, writes, transactions and streams give the right answers", async () => {
      const { db, proxy, books, authors, quiet } = await open({ session: { wire }, pool: { max: 2 } });
      Object.assign(proxy.faults, faults);
      const email = `${wire}${Object.keys(faults)[0]}@example.com`;
      const made = await db.transaction(async () => {
        const author = await authors.create({ email, name: "Slow" });
        await books.create({ title: TITLE, authorId: author.id, pages: UNCOUNTED });
        return author;
      });
      const read = await authors.get(made.id, { with: { books: true } });
      expect(read).toMatchObject({ email, books: [{ title: TITLE, pages: UNCOUNTED }] });
      const where = { pages: { between: [1, 10] } } as const;
      const seen: unknown[] = [];
      for await (const { pages } of books.stream({
        where,
        sort: "pages",
        columns: ["pages"],
        batchSize: 4,
      })) {
        seen.push(pages);
      }
      expect(seen).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
      await quiet();
    });

    it("time-outs and signals end what takes too long, and the connection goes on", async () => {
      const { db, proxy, books, quiet } = await open({
        session: { wire, statementTimeoutMs: 100 },
        pool: { max: 1 },
      });
      Object.assign(proxy.faults, faults);
      const error = await rejection(db.sql`select pg_sleep(30)`);
      expect(error).toMatchObject({ code: "STATEMENT_TIMEOUT" });
      await db
        .transaction(async () => {
          await db.sql`set local statement_timeout = 0`;
          const slow = db.sql`select pg_sleep(30)`.withSignal(AbortSignal.timeout(50));
          expect(await rejection(slow)).toMatchObject({ code: "QUERY_CANCELED" });
        })
        .catch((failure: unknown) => expect(failure).toMatchObject({ code: "TRANSACTION_ABORTED" }));
      expect(await books.exists({ pages: 5 })).toBe(true);
      expect(db.pool.stats.total).toBe(1);
      await quiet();
    });
  });

  it("the wait for a new connection is bounded", async () => {
    const { db, proxy } = await open({ session: { wire, connectTimeoutMs: 150 }, pool: { max: 2 } });
    const lease = await db.pool.acquire();
    proxy.faults.latencyMs = 200;
    expect(await rejection(db.sql`select 1`)).toMatchObject({
      code: "CONNECTION_FAILED",
      summary: expect.stringContaining("no answer within 150 ms"),
    });
    lease.release();
  });
});

describe.each(PATIENT_WIRES)("a connection that is dropped in silence, on the %s wire", (wire) => {
  it("is given up when nothing can come any more, and replaced", { timeout: 60_000 }, async () => {
    const { db, proxy, books, quiet } = await open({
      session: { wire, statementTimeoutMs: 100, connectTimeoutMs: 300 },
    });
    proxy.faults.blackhole = true;
    const lost = rejection(books.count());
    await pause(500);
    expect(await lost).toMatchObject({ code: "CONNECTION_LOST" });
    proxy.faults.blackhole = false;
    expect(await books.exists({ pages: 5 })).toBe(true);
    expect(db.pool.stats.total).toBe(1);
    await quiet();
  });

  it("is cut when a signal gives up on it, and replaced", { timeout: 60_000 }, async () => {
    const { db, proxy, books, quiet } = await open({ session: { wire } });
    proxy.faults.blackhole = true;
    const count = books.count().withSignal(AbortSignal.timeout(50));
    expect(await rejection(count)).toMatchObject({ code: "QUERY_CANCELED" });
    proxy.faults.blackhole = false;
    expect(await books.exists({ pages: 5 })).toBe(true);
    expect(db.pool.stats.total).toBe(1);
    await quiet();
  });

  it("keeps no health check waiting", async () => {
    const { db, proxy } = await open({ session: { wire } });
    proxy.faults.blackhole = true;
    const startedAt = performance.now();
    const { status, checks } = await db.health();
    expect([status, checks.database.reason]).toEqual(["unavailable", "no answer within 2000 ms"]);
    expect(performance.now() - startedAt).toBeLessThan(10_000);
    proxy.faults.blackhole = false;
  });
});

describe.each(ENDS)("a connection that ends by %s", (_name, end) => {
  describe.each(WIRES)("on the %s wire", (wire) => {
    it("in the middle of a result fails that call once, gives no part of it, and is replaced", async () => {
      const { db, proxy, books, quiet } = await open({ session: { wire }, pool: { max: 1 } });
      await books.exists({ pages: 5 });
      const before = await db.pool.use(async (connection) => connection.id);
      proxy.faults.bytesPerSecond = 200_000;
      const outcomes: string[] = [];
      const reading = books.findMany(await keys(), { columns: ["title"] }).then(
        () => outcomes.push("success"),
        (error: unknown) => outcomes.push(String(Object(error).code)),
      );
      await pause(300);
      end(proxy);
      proxy.faults.bytesPerSecond = 100_000_000;
      await reading;
      expect(outcomes).toEqual(["CONNECTION_LOST"]);
      expect(await books.count({ pages: { lte: BOOKS } })).toBe(BOOKS);
      expect(await db.pool.use(async (connection) => connection.id)).not.toBe(before);
      expect(db.pool.stats.total).toBe(1);
      await quiet();
    });

    it("in the middle of a stream ends the loop with one error, and never as if all had been read", async () => {
      const { db, proxy, books, quiet } = await open({ session: { wire }, pool: { max: 1 } });
      const seen: (number | null)[] = [];
      const errors: unknown[] = [];
      let isOver = false;
      const rows = books.stream({ sort: "pages", where: { pages: { lte: BOOKS } }, batchSize: 100 });
      const iterator = rows[Symbol.asyncIterator]();
      try {
        for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) {
          seen.push(next.value.pages);
          if (seen.length === 250) end(proxy);
        }
        isOver = true;
      } catch (error) {
        errors.push(error);
      }
      expect(isOver).toBe(false);
      expect(errors).toMatchObject([{ code: "CONNECTION_LOST" }]);
      expect(seen.length).toBeGreaterThanOrEqual(250);
      expect(seen.length).toBeLessThan(BOOKS);
      expect(seen).toEqual(seen.map((_, i) => i + 1));
      expect(await iterator.next()).toEqual({ done: true, value: undefined });
      expect(await books.count({ pages: { lte: BOOKS } })).toBe(BOOKS);
      expect(db.pool.stats.total).toBe(1);
      await quiet();
    });

    it("in the middle of a transaction leaves nothing of it", async () => {
      const { db, proxy, books, authors, quiet } = await open({ session: { wire }, pool: { max: 1 } });
      const email = `${wire}${end.toString().length}@lost.example`;
      const work = db.transaction(async () => {
        await authors.create({ email, name: "Lost" });
        const count = books.count();
        const slow = db.sql`select pg_sleep(30)`;
        setTimeout(() => end(proxy), 50);
        await Promise.all([count, slow]);
      });
      expect(await rejection(work)).toMatchObject({ code: "CONNECTION_LOST" });
      expect(await authors.exists({ email })).toBe(false);
      await quiet();
    });
  });
});

async function keys(): Promise<readonly string[]> {
  const rows = await library.db.sql<{ id: string }>`select id from library.books where pages <= ${BOOKS}`;
  return rows.map(({ id }) => id);
}

/** Linux tells about the timers of every socket. */
const TIMERS = existsSync("/proc/net/tcp") ? WIRES : [];
const KEEPALIVE_TIMER = "02";

describe.each(TIMERS)("TCP keepalive, on the %s wire", (wire) => {
  it.each([
    [true, "is on, so that the operating system notices a peer that is gone"],
    [false, "can be switched off"],
  ])("%s %s", async (keepAlive) => {
    const { db } = await open({ session: { wire, keepAlive, keepAliveDelayMs: 7_000 } });
    await db.sql`select 1`;
    const port = new URL(`http://${db.target.split("@")[1]}`).port;
    // What was sent last has a timer of its own until it is acknowledged.
    await vi.waitFor(() => {
      const timers = timersTo(Number(port));
      expect(timers.length).toBeGreaterThan(0);
      expect(timers.every((timer) => timer === KEEPALIVE_TIMER)).toBe(keepAlive);
    });
  });
});

/** The timer of each connection from this machine to a port, as /proc/net/tcp has it. */
function timersTo(port: number): readonly string[] {
  const remote = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  return readFileSync("/proc/net/tcp", "utf8")
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[2]?.endsWith(remote) === true && fields[3] === "01")
    .map((fields) => fields[5]?.split(":")[0] ?? "");
}
