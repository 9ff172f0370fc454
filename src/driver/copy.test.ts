import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { call } from "../../test/conformance/connection.ts";
import { selfSignedCertificate } from "../../test/support/certificate.ts";
import { startPostgres } from "../../test/support/postgres.ts";
import { type FaultProxy, startProxy } from "../../test/support/proxy.ts";
import { type TestServer, testServer } from "../../test/support/server.ts";
import { type Connection, connect, parseTarget, type WireChoice } from "./index.ts";

let server: TestServer;
let admin: Connection;

beforeAll(async () => {
  server = await testServer();
  admin = await connect(parseTarget(server.url));
});
afterAll(async () => {
  await admin.close();
  await server.stop();
});

/** A join, as PostgreSQL writes a long `generate_series` to disk before its first row. */
const ENDLESS = {
  text: "copy (select repeat('x', 1000) from generate_series(1, 10000) a, generate_series(1, 10000) b) to stdout",
};
const INTO_C = { text: "copy c from stdin", leavesNoTrace: true };

async function* pieces(...texts: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text);
}

/** Rows without an end, and whether the one who asked for them has said that it is enough. */
function endless(): { readonly rows: AsyncGenerator<Uint8Array>; readonly told: { isEnough: boolean } } {
  const told = { isEnough: false };
  async function* rows(): AsyncGenerator<Uint8Array> {
    try {
      for (let i = 0; ; i++) yield Buffer.from(`${i}\n`);
    } finally {
      told.isEnough = true;
    }
  }
  return { rows: rows(), told };
}

/** Reads a copy to its end, or until `until` says so. */
async function readAll(connection: Connection, text: string): Promise<string> {
  const parts: Buffer[] = [];
  await connection.copyOut({ text }, async (bytes) => {
    parts.push(bytes);
    return true;
  });
  return Buffer.concat(parts).toString();
}

describe.each(["plinth", "pg"] as const)("copy, on the %s wire", (wire: WireChoice) => {
  async function open(url = server.url): Promise<Connection> {
    const connection = await connect(parseTarget(url, { wire }));
    onTestFinished(() => connection.destroy());
    return connection;
  }

  /** With a table `c` of its own. */
  async function openWithTable(url?: string): Promise<Connection> {
    const connection = await open(url);
    await connection.query({
      ...call("create temp table c (a int check (a < 1000000000))"),
      leavesNoTrace: true,
    });
    return connection;
  }

  async function expectEmptyAndUsable(connection: Connection): Promise<void> {
    expect((await connection.query(call("select count(*) from c"))).rows).toEqual([["0"]]);
    expect(connection.transactionStatus).toBe("idle");
    expect(connection.isBusy).toBe(false);
  }

  it("takes rows however they are cut, and says how many they were", async () => {
    const connection = await openWithTable();
    const outcome = await connection.copyIn(INTO_C, pieces("1", "\n2\n", "", "3", "\n"));
    expect(outcome).toMatchObject({ command: "COPY", rowCount: 3 });
    expect((await connection.query(call("select sum(a) from c"))).rows).toEqual([["6"]]);
    expect(connection.isTainted).toBe(true);
  });

  it("takes no rows, and a piece larger than a message", async () => {
    const connection = await openWithTable();
    expect((await connection.copyIn(INTO_C, pieces())).rowCount).toBe(0);
    const large = "1234567\n".repeat(500_000);
    expect((await connection.copyIn(INTO_C, pieces(large))).rowCount).toBe(500_000);
    expect((await connection.query(call("select sum(a) from c"))).rows).toEqual([["617283500000"]]);
  });

  it("lets a piece be written over as soon as the next one is asked for", async () => {
    const connection = await openWithTable();
    const buffer = Buffer.alloc(60_000);
    async function* reused(): AsyncGenerator<Uint8Array> {
      for (let i = 0; i < 50; i++) {
        buffer.fill(`${i + 10}\n`);
        yield buffer.subarray(0, 3 * 20_000);
      }
    }
    expect((await connection.copyIn(INTO_C, reused())).rowCount).toBe(50 * 20_000);
    const counts = await connection.query(call("select count(distinct a), min(a), max(a) from c"));
    expect(counts.rows).toEqual([["50", "10", "59"]]);
  });

  it("undoes a copy whose last row is bad, names its line, and goes on", async () => {
    const connection = await openWithTable();
    const rows = Array.from({ length: 5_000 }, (_, i) => `${i}\n`);
    const copying = connection.copyIn(INTO_C, pieces(...rows, "oops\n"));
    await expect(copying).rejects.toMatchObject({
      code: "INVALID_DATA",
      sqlstate: "22P02",
      line: 5_001,
      columns: ["a"],
      message: expect.stringContaining("line 5001"),
      where: expect.stringContaining("COPY c, line 5001, column a"),
    });
    await expect(copying).rejects.not.toMatchObject({ message: expect.stringContaining("oops") });
    await expectEmptyAndUsable(connection);
  });

  it("tells a source to return when the server refuses a row in the middle", async () => {
    const connection = await openWithTable();
    const { rows, told } = endless();
    async function* source(): AsyncGenerator<Uint8Array> {
      yield Buffer.from("2000000000\n");
      yield* rows;
    }
    await expect(connection.copyIn(INTO_C, source())).rejects.toMatchObject({
      code: "CHECK_VIOLATION",
      line: 1,
    });
    expect(told.isEnough).toBe(true);
    await expectEmptyAndUsable(connection);
  });

  it("does not wait for a source that is silent when the server refuses a row", async () => {
    const connection = await openWithTable();
    async function* silent(): AsyncGenerator<Uint8Array> {
      yield Buffer.from("x\n".repeat(10_000));
      await new Promise(() => {});
    }
    await expect(connection.copyIn(INTO_C, silent())).rejects.toMatchObject({ code: "INVALID_DATA" });
    await expectEmptyAndUsable(connection);
  });

  it("rejects with the source's own error, and undoes its rows", async () => {
    const connection = await openWithTable();
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield Buffer.from("1\n");
      throw new RangeError("mine");
    }
    await expect(connection.copyIn(INTO_C, failing())).rejects.toThrow(new RangeError("mine"));
    await expectEmptyAndUsable(connection);
  });

  it("ends when its signal is aborted: before, while rows come, and while it waits for a lock", async () => {
    const connection = await openWithTable();
    await expect(
      connection.copyIn(INTO_C, pieces("1\n"), { signal: AbortSignal.abort() }),
    ).rejects.toMatchObject({ code: "QUERY_CANCELED" });
    const { rows, told } = endless();
    await expect(connection.copyIn(INTO_C, rows, { signal: AbortSignal.timeout(50) })).rejects.toMatchObject({
      code: "QUERY_CANCELED",
      summary: expect.stringContaining("has stopped"),
    });
    expect(told.isEnough).toBe(true);
    await expectEmptyAndUsable(connection);
    const other = await open();
    await other.script("drop table if exists held; create table held (a int)");
    await other.script("begin; lock table held");
    await expect(
      connection.copyIn({ text: "copy held from stdin" }, pieces("1\n"), { signal: AbortSignal.timeout(50) }),
    ).rejects.toMatchObject({ code: "QUERY_CANCELED" });
    await other.script("rollback");
    await other.script("drop table held");
    await expectEmptyAndUsable(connection);
  });

  it("ends when it is canceled while its source is silent", async () => {
    const connection = await openWithTable();
    async function* silent(): AsyncGenerator<Uint8Array> {
      yield Buffer.from("1\n");
      await new Promise(() => {});
    }
    const copying = connection.copyIn(INTO_C, silent());
    setTimeout(() => void connection.cancel(), 50);
    await expect(copying).rejects.toMatchObject({ code: "QUERY_CANCELED" });
    await expectEmptyAndUsable(connection);
  });

  it("fails once where the statement fails before it takes rows, and in a trigger of the statement", async () => {
    const connection = await openWithTable();
    await expect(connection.copyIn({ text: "copy missing from stdin" }, pieces("1\n"))).rejects.toMatchObject(
      {
        code: "STATEMENT_INVALID",
        sqlstate: "42P01",
        statement: "copy missing from stdin",
      },
    );
    await connection.script(`create function pg_temp.no() returns trigger language plpgsql as
      $$ begin raise exception 'no'; end $$;
      create trigger no before insert on c execute function pg_temp.no()`);
    const { rows, told } = endless();
    await expect(connection.copyIn(INTO_C, rows)).rejects.toMatchObject({ code: "RAISED" });
    expect(told.isEnough).toBe(true);
    await expectEmptyAndUsable(connection);
  });

  it("refuses a second statement in its text, and one that is no copy", async () => {
    const connection = await openWithTable();
    await expect(
      connection.copyIn({ text: "copy c from stdin; drop table c" }, pieces("1\n")),
    ).rejects.toMatchObject({ sqlstate: "42601" });
    expect(await connection.copyIn({ text: "select 1" }, pieces("1\n"))).toMatchObject({ command: "SELECT" });
    expect(await connection.copyOut({ text: "select 1" }, async () => true)).toMatchObject({
      command: "SELECT",
    });
    await expect(connection.copyOut({ text: "copy c from stdin" }, async () => true)).rejects.toMatchObject({
      code: "NOT_SUPPORTED",
    });
    expect(await connection.copyIn({ text: "copy c to stdout" }, pieces())).toMatchObject({
      command: "COPY",
    });
    await expectEmptyAndUsable(connection);
  });

  it("keeps every other call off the connection until it has ended", async () => {
    const connection = await openWithTable();
    const busy = { code: "TRANSACTION_CONTROL", summary: expect.stringContaining("copy") };
    async function* asking(): AsyncGenerator<Uint8Array> {
      await expect(connection.query(call("select 1"))).rejects.toMatchObject(busy);
      await expect(connection.copyIn(INTO_C, pieces())).rejects.toMatchObject(busy);
      await expect(connection.script("select 1")).rejects.toMatchObject(busy);
      yield Buffer.from("1\n");
    }
    expect((await connection.copyIn(INTO_C, asking())).rowCount).toBe(1);
    await connection.copyOut({ text: "copy c to stdout" }, async () => {
      await expect(connection.query(call("select 1"))).rejects.toMatchObject(busy);
      return true;
    });
    expect((await connection.query(call("select a from c"))).rows).toEqual([["1"]]);
  });

  it("keeps a transaction around it open, and fails it with a bad row", async () => {
    const connection = await openWithTable();
    await connection.query(call("begin"));
    await connection.copyIn(INTO_C, pieces("1\n"));
    expect(connection.transactionStatus).toBe("open");
    await connection.query(call("rollback"));
    await connection.query(call("begin"));
    await expect(connection.copyIn(INTO_C, pieces("x\n"))).rejects.toMatchObject({ code: "INVALID_DATA" });
    expect(connection.transactionStatus).toBe("failed");
    await connection.query(call("rollback"));
    await expectEmptyAndUsable(connection);
  });

  it("hands rows out whole, in order, and counts them", async () => {
    const connection = await open();
    const text = "copy (select i, repeat('é', i % 100) from generate_series(1, 100000) i) to stdout";
    const parts: Buffer[] = [];
    const outcome = await connection.copyOut({ text }, async (bytes) => {
      expect(bytes.at(-1)).toBe(10);
      parts.push(bytes);
      return true;
    });
    expect(outcome.rowCount).toBe(100_000);
    const lines = Buffer.concat(parts).toString().split("\n");
    expect(lines).toHaveLength(100_001);
    expect(
      lines.every((line, i) => line === (i < 100_000 ? `${i + 1}\t${"é".repeat((i + 1) % 100)}` : "")),
    ).toBe(true);
    expect(await readAll(connection, "copy (select 1 where false) to stdout")).toBe("");
    const large = await readAll(connection, "copy (select repeat('x', 3000000)) to stdout");
    expect(large).toBe(`${"x".repeat(3_000_000)}\n`);
  });

  it("makes the server wait for a slow reader", async () => {
    const connection = await open();
    const text = "copy (select repeat('x', 1000) from generate_series(1, 100000)) to stdout";
    let go: () => void = () => {};
    const waited = new Promise<void>((resolve) => {
      go = resolve;
    });
    let bytes = 0;
    let pieceCount = 0;
    const reading = connection.copyOut({ text }, async (piece) => {
      bytes += piece.length;
      if (pieceCount++ === 0) await waited;
      return true;
    });
    await expect
      .poll(async () => {
        const activity = "select wait_event from pg_stat_activity where pid = $1";
        return (await admin.query(call(activity, String(connection.processId)))).rows;
      })
      .toEqual([["ClientWrite"]]);
    expect(pieceCount).toBe(1);
    go();
    await reading;
    expect(bytes).toBe(100_000 * 1_001);
  });

  it("stops the server when the reader wants no more, or throws", async () => {
    const connection = await openWithTable();
    await expect(connection.copyOut(ENDLESS, async () => false)).rejects.toMatchObject({
      code: "QUERY_CANCELED",
    });
    await expectEmptyAndUsable(connection);
    await expect(
      connection.copyOut(ENDLESS, async () => {
        throw new RangeError("mine");
      }),
    ).rejects.toThrow(new RangeError("mine"));
    await expectEmptyAndUsable(connection);
  });

  it("stops the server when its signal is aborted while the reader is slow", async () => {
    const connection = await openWithTable();
    const stopping = new AbortController();
    const reading = connection.copyOut(
      ENDLESS,
      async () => {
        setTimeout(() => stopping.abort(), 50);
        await new Promise((resolve) => setTimeout(resolve, 200));
        return true;
      },
      { signal: stopping.signal },
    );
    await expect(reading).rejects.toMatchObject({ code: "QUERY_CANCELED" });
    await expectEmptyAndUsable(connection);
  });

  it("gives rows and then an error, where the server fails in the middle", async () => {
    const connection = await openWithTable();
    const text = "copy (select 1 / (50000 - i) from generate_series(1, 100000) i) to stdout";
    await expect(connection.copyOut({ text }, async () => true)).rejects.toMatchObject({
      code: "INVALID_DATA",
      sqlstate: "22012",
    });
    await expectEmptyAndUsable(connection);
  });

  describe("when the network breaks", () => {
    const ends: readonly [string, (proxy: FaultProxy) => void][] = [
      ["RST", (proxy) => proxy.resetAll()],
      ["FIN", (proxy) => proxy.halfCloseAll()],
    ];

    it.each(ends)("loses a copy in once, with nothing of it kept (%s)", async (_name, cut) => {
      await admin.script("drop table if exists broken_copy; create table broken_copy (a int)");
      const proxy = await startProxy(server.url);
      onTestFinished(() => proxy.close());
      const connection = await open(proxy.urlFor(server.url));
      const { rows, told } = endless();
      setTimeout(() => cut(proxy), 50);
      await expect(connection.copyIn({ text: "copy broken_copy from stdin" }, rows)).rejects.toMatchObject({
        code: "CONNECTION_LOST",
      });
      expect(told.isEnough).toBe(true);
      expect(connection.isOpen).toBe(false);
      expect((await admin.query(call("select count(*) from broken_copy"))).rows).toEqual([["0"]]);
      await admin.script("drop table broken_copy");
    });

    it.each(ends)("loses a copy out once, and takes nothing for its end (%s)", async (_name, cut) => {
      const proxy = await startProxy(server.url);
      onTestFinished(() => proxy.close());
      const connection = await open(proxy.urlFor(server.url));
      let count = 0;
      const reading = connection.copyOut(ENDLESS, async () => {
        if (count++ === 5) cut(proxy);
        return true;
      });
      await expect(reading).rejects.toMatchObject({ code: "CONNECTION_LOST" });
      expect(connection.isOpen).toBe(false);
      await expect(connection.copyOut(ENDLESS, async () => true)).rejects.toMatchObject({
        code: "CONNECTION_LOST",
      });
    });
  });

  it("is ended by the server's own end, with the server's reason", async () => {
    const connection = await open();
    await admin.script("drop table if exists ended_copy; create table ended_copy (a int)");
    // Silent: what is sent to a server that has gone resets the connection, and its last words with it.
    async function* rows(): AsyncGenerator<Uint8Array> {
      yield Buffer.from("1\n");
      await new Promise(() => {});
    }
    const copying = connection.copyIn({ text: "copy ended_copy from stdin" }, rows());
    setTimeout(
      () => void admin.query(call("select pg_terminate_backend($1)", String(connection.processId))),
      50,
    );
    await expect(copying).rejects.toMatchObject({ code: "CONNECTION_LOST", sqlstate: "57P01" });
    await admin.script("drop table ended_copy");
  });

  it("works over TLS, and in packets of one byte", { timeout: 60_000 }, async () => {
    const postgres = await startPostgres({ tls: selfSignedCertificate() });
    const proxy = await startProxy(postgres.url);
    onTestFinished(async () => {
      await proxy.close();
      await postgres.remove();
    });
    for (const url of [`${postgres.url}?sslmode=require`, proxy.urlFor(postgres.url)]) {
      const connection = await openWithTable(url);
      const count = url.includes("sslmode") ? 200_000 : 300;
      if (!url.includes("sslmode")) proxy.faults.sliceToOneByte = true;
      const rows = Array.from({ length: count }, (_, i) => `${i}\n`);
      expect((await connection.copyIn(INTO_C, pieces(rows.join("")))).rowCount).toBe(count);
      expect(await readAll(connection, "copy c to stdout")).toBe(rows.join(""));
    }
  });
});

describe("the watch for silent servers", () => {
  it("leaves a copy alone whose source or reader is slow", { timeout: 60_000 }, async () => {
    const slow = async () => new Promise((resolve) => setTimeout(resolve, 7_500));
    const open = async () => {
      const connection = await connect(parseTarget(server.url, { statementTimeoutMs: 100 }));
      onTestFinished(() => connection.destroy());
      await connection.script("set statement_timeout = 0; create temp table c (a int)");
      return connection;
    };
    const [into, from] = [await open(), await open()];
    async function* source(): AsyncGenerator<Uint8Array> {
      yield Buffer.from("1\n");
      await slow();
      yield Buffer.from("2\n");
    }
    let pieces = 0;
    const text = "copy (select repeat('x', 1000) from generate_series(1, 50000)) to stdout";
    const [copiedIn, copiedOut] = await Promise.all([
      into.copyIn(INTO_C, source()),
      from.copyOut({ text }, async () => {
        if (pieces++ === 0) await slow();
        return true;
      }),
    ]);
    expect([copiedIn.rowCount, copiedOut.rowCount]).toEqual([2, 50_000]);
  });
});
