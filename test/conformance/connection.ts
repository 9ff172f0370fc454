import { afterEach, describe, expect, it } from "vitest";
import { batchIndexOf, type Connection, type StatementCall } from "../../src/driver/index.ts";
import { pairReader } from "./conversation.ts";

/** A one-off statement. */
export function call(text: string, ...values: StatementCall["values"]): StatementCall {
  return { text, values };
}

/**
 * What any implementation of `Connection` has to do, whatever protocol library is under it.
 *
 * @param open opens a new session on an empty database
 */
export function describeConnection(name: string, open: () => Promise<Connection>): void {
  describe(`${name} as a Connection`, () => {
    const opened: Connection[] = [];
    const openOne = async () => {
      const connection = await open();
      opened.push(connection);
      return connection;
    };
    afterEach(async () => {
      await Promise.all(opened.splice(0).map((connection) => connection.close()));
    });

    it("answers text cells, nulls, field names and type ids", async () => {
      const connection = await openOne();
      const outcome = await connection.query(
        call("select 1::int4 as a, null::text as b, $1::text as c, true as d", "é"),
      );
      expect(outcome).toEqual({
        command: "SELECT",
        rowCount: 1,
        rows: [["1", null, "é", "t"]],
        fields: [
          { name: "a", typeId: 23 },
          { name: "b", typeId: 25 },
          { name: "c", typeId: 25 },
          { name: "d", typeId: 16 },
        ],
      });
    });

    it("sends bytes as bytes", async () => {
      const connection = await openOne();
      const outcome = await connection.query(
        call("select encode($1::bytea, 'hex')", Buffer.from([0, 255, 16])),
      );
      expect(outcome.rows).toEqual([["00ff10"]]);
    });

    it("says which command ran and how many rows it touched", async () => {
      const connection = await openOne();
      const outcomes = await connection.script(
        "create temp table t (a int); insert into t values (1), (2); update t set a = 3 where a = 1; show search_path",
      );
      expect(outcomes.map(({ command, rowCount }) => [command, rowCount])).toEqual([
        ["CREATE TABLE", 0],
        ["INSERT", 2],
        ["UPDATE", 1],
        ["SHOW", 1],
      ]);
    });

    it("refuses a second statement in one text", async () => {
      const connection = await openOne();
      await expect(connection.query(call("select 1; drop table secrets"))).rejects.toMatchObject({
        code: "STATEMENT_INVALID",
        sqlstate: "42601",
      });
    });

    it("runs concurrent calls in the order they were made", async () => {
      const connection = await openOne();
      const texts = ["select pg_sleep(0.05), 'a'", "select pg_sleep(0), 'b'", "select 'x', 'c'"];
      const finished: (string | null | undefined)[] = [];
      await Promise.all(
        texts.map(async (text) => finished.push((await connection.query(call(text))).rows[0]?.[1])),
      );
      expect(finished).toEqual(["a", "b", "c"]);
    });

    it("goes on after an error, and knows that the transaction has failed", async () => {
      const connection = await openOne();
      await connection.query(call("begin"));
      expect(connection.transactionStatus).toBe("open");
      await expect(connection.query(call("select 1/0"))).rejects.toMatchObject({ code: "INVALID_DATA" });
      expect(connection.transactionStatus).toBe("failed");
      await expect(connection.query(call("select 1"))).rejects.toMatchObject({ code: "TRANSACTION_ABORTED" });
      await connection.query(call("rollback"));
      expect(connection.transactionStatus).toBe("idle");
    });

    it("runs a batch in order and answers one outcome per statement", async () => {
      const connection = await openOne();
      const outcomes = await connection.batch([
        call("create temp table b (a int)"),
        call("insert into b values ($1), ($2)", "1", "2"),
        call("select a from b order by a"),
      ]);
      expect(outcomes.map(({ rows }) => rows)).toEqual([[], [], [["1"], ["2"]]]);
      await expect(connection.batch([])).resolves.toEqual([]);
    });

    it("undoes a whole batch when one of it fails, and says which", async () => {
      const connection = await openOne();
      await connection.query(call("create temp table b (a int primary key)"));
      const error = await connection
        .batch([
          call("insert into b values ($1)", "1"),
          call("insert into b values ($1)", "1"),
          call("insert into b values ($1)", "2"),
        ])
        .catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code: "UNIQUE_VIOLATION" });
      expect(batchIndexOf(error)).toBe(1);
      expect((await connection.query(call("select * from b"))).rows).toEqual([]);
      expect(connection.transactionStatus).toBe("idle");
    });

    it("undoes a batch whose deferred constraint fails at the end, without blaming a statement", async () => {
      const connection = await openOne();
      await connection.query(
        call("create temp table b (a int primary key, p int references b deferrable initially deferred)"),
      );
      const error = await connection
        .batch([call("insert into b values (1, 9)"), call("insert into b values (2, null)")])
        .catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code: "FOREIGN_KEY_VIOLATION" });
      expect(batchIndexOf(error)).toBeUndefined();
      expect((await connection.query(call("select * from b"))).rows).toEqual([]);
    });

    it("prepares a name once and keeps its fields", async () => {
      const connection = await openOne();
      const named = { name: "stmt_one", text: "select $1::int as n", values: ["1"] };
      const first = await connection.query(named);
      const second = await connection.query({ ...named, values: ["2"] });
      expect(second).toEqual({ ...first, rows: [["2"]] });
      const prepared = await connection.query(
        call("select count(*) from pg_prepared_statements where name = 'stmt_one'"),
      );
      expect(prepared.rows).toEqual([["1"]]);
    });

    it("prepares a name anew when its text changed, and when the server has lost it", async () => {
      const connection = await openOne();
      await connection.query({ name: "s", text: "select 1", values: [] });
      expect((await connection.query({ name: "s", text: "select 2", values: [] })).rows).toEqual([["2"]]);
      await connection.script("deallocate all");
      expect((await connection.query({ name: "s", text: "select 2", values: [] })).rows).toEqual([["2"]]);
    });

    it("prepares a name anew when a migration changed its columns", async () => {
      const connection = await openOne();
      await connection.script("create temp table m (a int); insert into m values (1)");
      const named = { name: "m", text: "select * from m", values: [] };
      await connection.query(named);
      await connection.script("alter table m add column b text default 'x'");
      expect(await connection.query(named)).toMatchObject({
        rows: [["1", "x"]],
        fields: [{ name: "a" }, { name: "b" }],
      });
    });

    it("leaves the retry to the caller when a stale name fails a transaction", async () => {
      const connection = await openOne();
      const named = { name: "s", text: "select 1", values: [] };
      await connection.query(named);
      await connection.script("deallocate all; begin");
      await expect(connection.query(named)).rejects.toMatchObject({ code: "STALE_STATEMENT" });
      await connection.query(call("rollback"));
      expect((await connection.query(named)).rows).toEqual([["1"]]);
    });

    it("gives what a reader makes of the rows in place of them, alike on every run", async () => {
      const connection = await openOne();
      const text =
        "select case when i <> 2 then i end, case when i <> 3 then repeat('é', i) end from generate_series(1, 3) i";
      for (const name of ["pairs", "pairs", "pairs", undefined]) {
        const outcome = await connection.query({ text, values: [], name, rows: pairReader });
        expect(outcome).toMatchObject({
          command: "SELECT",
          rowCount: 3,
          rows: [],
          fields: [{ typeId: 23 }, { typeId: 25 }],
        });
        expect(outcome.records).toEqual([
          { n: 1, word: "é" },
          { n: null, word: "éé" },
          { n: 3, word: null },
        ]);
      }
      const none = { text: "update pg_temp.nothing set a = 1", values: [], rows: pairReader };
      await connection.script("create temp table nothing (a int)");
      expect(await connection.query(none)).toMatchObject({ command: "UPDATE", rowCount: 0, records: [] });
    });

    it("fails the one call whose rows its reader cannot read", async () => {
      const connection = await openOne();
      const failure = new Error("cannot read this");
      const refuse = () => {
        throw failure;
      };
      const rows = { ...pairReader, read: refuse, readCells: refuse };
      const unreadable = { name: "u", text: "select i, 'x' from generate_series(1, 3) i", values: [], rows };
      for (let run = 0; run < 3; run++) {
        const calls = [connection.query(unreadable), connection.query(call("select 1"))];
        expect(await Promise.allSettled(calls)).toMatchObject([
          { reason: failure },
          { value: { rows: [["1"]] } },
        ]);
      }
    });

    it("sends a BEGIN with its first statement", async () => {
      const connection = await openOne();
      await connection.query(call("create temp table b (a int)"));
      const begin = "begin isolation level serializable";
      const outcome = await connection.query(call("insert into b values (1) returning a"), { begin });
      expect([outcome.rows, connection.transactionStatus]).toEqual([[["1"]], "open"]);
      expect((await connection.query(call("show transaction_isolation"))).rows).toEqual([["serializable"]]);
      await connection.query(call("rollback"));
      expect((await connection.query(call("select * from b"))).rows).toEqual([]);
    });

    it("runs nothing behind a BEGIN that fails", async () => {
      const connection = await openOne();
      await connection.query(call("create temp table b (a int)"));
      const running = connection.query(call("insert into b values (1)"), {
        begin: "begin isolation level nonsense",
      });
      await expect(running).rejects.toMatchObject({
        code: "STATEMENT_INVALID",
        statement: "begin isolation level nonsense",
      });
      expect(connection.transactionStatus).toBe("idle");
      expect((await connection.query(call("select * from b"))).rows).toEqual([]);
    });

    it("runs nothing of a transaction that could not begin, also what was called meanwhile", async () => {
      const connection = await openOne();
      await connection.query(call("create temp table b (a int)"));
      const canceled = { begin: "begin", signal: AbortSignal.abort() };
      for (const options of [{ begin: "begin isolation level nonsense" }, canceled]) {
        const settled = await Promise.allSettled([
          connection.query(call("insert into b values (1)"), options),
          ...(options === canceled
            ? []
            : [connection.query(call("insert into b values (2)")), connection.query(call("commit"))]),
        ]);
        expect(settled[0]).toMatchObject({ status: "rejected" });
        for (const result of settled.slice(1))
          expect(result).toMatchObject({ reason: { code: "TRANSACTION_ABORTED" } });
      }
      expect([connection.isBusy, connection.transactionStatus]).toEqual([false, "idle"]);
      expect((await connection.query(call("select * from b"))).rows).toEqual([]);
      const [first, second] = await Promise.all([
        connection.query(call("insert into b values (3)"), { begin: "begin" }),
        connection.query(call("select * from b")),
      ]);
      expect([first?.rowCount, second?.rows]).toEqual([1, [["3"]]]);
      await connection.query(call("rollback"));
    });

    it("refuses to put anything but a BEGIN in front of a statement", async () => {
      const connection = await openOne();
      for (const begin of ["", "commit", "select 1", "begin\0"]) {
        await expect(connection.query(call("select 1"), { begin })).rejects.toMatchObject({
          code: "INVALID_QUERY",
        });
      }
      expect(connection.isBusy).toBe(false);
    });

    it("leaves a transaction failed whose first statement fails", async () => {
      const connection = await openOne();
      const running = connection.query(call("select 1/0"), { begin: "begin" });
      await expect(running).rejects.toMatchObject({ code: "INVALID_DATA", statement: "select 1/0" });
      expect(connection.transactionStatus).toBe("failed");
      await connection.query(call("rollback"));
    });

    it("begins again when the first statement's name is stale", async () => {
      const connection = await openOne();
      const named = { name: "s", text: "select 1", values: [] };
      await connection.query(named);
      await connection.script("deallocate all");
      expect((await connection.query(named, { begin: "begin" })).rows).toEqual([["1"]]);
      expect(connection.transactionStatus).toBe("open");
      await connection.query(call("rollback"));
    });

    it("runs a pipelined statement whatever is before and behind it", async () => {
      const connection = await openOne();
      const divide = (by: number) =>
        connection.query(
          { name: "divide", text: "select 12 / $1::int4", values: [String(by)], leavesNoTrace: true },
          { pipelined: true },
        );
      const settled = await Promise.allSettled([
        divide(1),
        divide(0),
        connection.query(call("select pg_sleep(0.02)::text || 'alone'")),
        divide(2),
        connection.batch([call("select 1"), call("select 2")]),
        divide(0),
        divide(3),
      ]);
      const failed = { reason: { code: "INVALID_DATA", sqlstate: "22012" } };
      expect(settled).toMatchObject([
        { value: { rows: [["12"]] } },
        failed,
        { value: { rows: [["alone"]] } },
        { value: { rows: [["6"]] } },
        { value: [{ rows: [["1"]] }, { rows: [["2"]] }] },
        failed,
        { value: { rows: [["4"]] } },
      ]);
    });

    it("answers a text without a statement, and one that says COPY", async () => {
      const connection = await openOne();
      expect(await connection.query(call("-- nothing"))).toMatchObject({
        command: "",
        rowCount: 0,
        rows: [],
      });
      await connection.query(call("create temp table c (a int)"));
      await connection.query(call("insert into c values (1)"));
      expect(await connection.query(call("copy c to stdout"))).toMatchObject({
        command: "COPY",
        rowCount: 1,
      });
      expect((await connection.query(call("select 1"))).rows).toEqual([["1"]]);
    });

    it("does not hang on a COPY in the middle of a batch", async () => {
      const connection = await openOne();
      await connection.query(call("create temp table c (a int)"));
      const error = await connection
        .batch([call("select 1"), call("copy c from stdin"), call("select 2")])
        .catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code: "NOT_SUPPORTED" });
      expect(batchIndexOf(error)).toBe(1);
    });

    it("ends a session whose texts it could no longer read", async () => {
      const connection = await openOne();
      const ended = new Promise((resolve) => connection.onClose(resolve));
      await connection.script("set client_encoding = 'LATIN1'").catch(() => {});
      expect(await ended).toMatchObject({
        code: "CONNECTION_LOST",
        summary: expect.stringContaining("client_encoding was set to LATIN1, and Plinth reads UTF8"),
      });
    });

    it("stops a statement on the server when its signal is aborted, and stays usable", async () => {
      const connection = await openOne();
      const controller = new AbortController();
      const reason = new Error("the client went away");
      setTimeout(() => controller.abort(reason), 50);
      const running = connection.query(call("select pg_sleep(60)"), { signal: controller.signal });
      await expect(running).rejects.toMatchObject({ code: "QUERY_CANCELED", cause: reason });
      expect((await connection.query(call("select 1"))).rows).toEqual([["1"]]);
    });

    it("sends nothing when the signal is already aborted", async () => {
      const connection = await openOne();
      const aborted = { signal: AbortSignal.abort() };
      await connection.query(call("create temp table n (a int)"));
      await expect(connection.query(call("insert into n values (1)"), aborted)).rejects.toMatchObject({
        code: "QUERY_CANCELED",
      });
      expect((await connection.query(call("select * from n"))).rows).toEqual([]);
    });

    it("takes a waiting statement out of the line without touching the running one", async () => {
      const connection = await openOne();
      const controller = new AbortController();
      const running = connection.query(call("select pg_sleep(0.2), 'done'"));
      const waiting = connection.query(call("select 1"), { signal: controller.signal });
      controller.abort();
      await expect(waiting).rejects.toMatchObject({ code: "QUERY_CANCELED" });
      expect((await running).rows[0]?.[1]).toBe("done");
    });

    it("never lets a late cancellation hit the next statement", async () => {
      const connection = await openOne();
      for (let round = 0; round < 30; round++) {
        const first = connection.query(call(`select pg_sleep(${(round % 6) / 1_000})`));
        const request = connection.cancel();
        const second = connection.query(call("select pg_sleep(0.005), 'mine'"));
        await Promise.allSettled([first, request]);
        expect((await second).rows[0]?.[1]).toBe("mine");
      }
    });

    it("passes notices on until the listener leaves", async () => {
      const connection = await openOne();
      const heard: string[] = [];
      const stop = connection.onNotice((notice) => heard.push(`${notice.severity} ${notice.message}`));
      await connection.script("do $$ begin raise notice 'one'; end $$");
      stop();
      await connection.script("do $$ begin raise notice 'two'; end $$");
      expect(heard).toEqual(["NOTICE one"]);
    });

    it("resets what a caller left in the session", async () => {
      const connection = await openOne();
      expect(connection.isTainted).toBe(false);
      await connection.script(`set search_path to pg_catalog; set statement_timeout = 1234; listen news;
        create temp table left_over (a int); prepare mine as select 1; select pg_advisory_lock(42); begin`);
      expect(connection.isTainted).toBe(true);
      await connection.reset();
      expect([connection.isTainted, connection.transactionStatus]).toEqual([false, "idle"]);
      const outcome = await connection.query(
        call(`select current_setting('search_path') like '%public%', current_setting('statement_timeout') = '1234ms',
          (select count(*) from pg_listening_channels()), to_regclass('left_over'),
          (select count(*) from pg_prepared_statements where from_sql),
          (select count(*) from pg_locks where locktype = 'advisory' and pid = pg_backend_pid())`),
      );
      expect(outcome.rows).toEqual([["t", "f", "0", null, "0", "0"]]);
    });

    it("keeps its own prepared statements over a reset", async () => {
      const connection = await openOne();
      const named = { name: "kept", text: "select 1", values: [] };
      await connection.query(named);
      await connection.reset();
      expect((await connection.query(named)).rows).toEqual([["1"]]);
      const listing = await connection.query(
        call("select name from pg_prepared_statements where not from_sql"),
      );
      expect(listing.rows).toContainEqual(["kept"]);
    });

    it("refuses copy from stdin in words, and stays usable", async () => {
      const connection = await openOne();
      await connection.query(call("create temp table c (a int)"));
      await expect(connection.query(call("copy c from stdin"))).rejects.toMatchObject({
        code: "NOT_SUPPORTED",
      });
      await expect(connection.script("copy c from stdin")).rejects.toMatchObject({ code: "NOT_SUPPORTED" });
      expect((await connection.query(call("select 1"))).rows).toEqual([["1"]]);
    });

    it("refuses what the protocol cannot carry before anything is sent", async () => {
      const connection = await openOne();
      const tooMany = Array.from({ length: 65_536 }, () => "1");
      await expect(connection.query({ text: "select 1", values: tooMany })).rejects.toMatchObject({
        code: "INVALID_QUERY",
        issues: [{ path: "values" }],
      });
      await expect(connection.query(call("select 1\0; select 2"))).rejects.toMatchObject({
        code: "INVALID_QUERY",
      });
      await expect(
        connection.query({ text: "select 1", values: [], name: "n".repeat(64) }),
      ).rejects.toMatchObject({
        code: "INVALID_QUERY",
      });
      expect(connection.isBusy).toBe(false);
    });

    it("finishes what is queued before it closes, and refuses what comes later", async () => {
      const connection = await openOne();
      const running = connection.query(call("select pg_sleep(0.05), 'done'"));
      const closing = connection.close();
      expect(connection.isOpen).toBe(false);
      await expect(connection.query(call("select 1"))).rejects.toMatchObject({ code: "CONNECTION_LOST" });
      expect((await running).rows[0]?.[1]).toBe("done");
      await closing;
    });

    it("rejects what runs when it is destroyed, and tells its listeners once", async () => {
      const connection = await openOne();
      const ends: unknown[] = [];
      connection.onClose((error) => ends.push(error));
      const running = connection.query(call("select pg_sleep(60)"));
      const queued = connection.query(call("select 1"));
      connection.destroy();
      connection.destroy();
      await expect(running).rejects.toMatchObject({ code: "CONNECTION_LOST" });
      await expect(queued).rejects.toMatchObject({ code: "CONNECTION_LOST" });
      expect(ends).toEqual([undefined]);
    });
  });
}
