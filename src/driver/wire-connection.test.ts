import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { call } from "../../test/conformance/connection.ts";
import { converse } from "../../test/conformance/conversation.ts";
import { selfSignedCertificate } from "../../test/support/certificate.ts";
import { startPostgres } from "../../test/support/postgres.ts";
import { startProxy } from "../../test/support/proxy.ts";
import { startRelay } from "../../test/support/relay.ts";
import { type TestServer, testServer } from "../../test/support/server.ts";
import { type Connection, connect, PIPELINE_LIMIT, parseTarget, wasNeverSent } from "./index.ts";

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

async function open(url = server.url): Promise<Connection> {
  const connection = await connect(parseTarget(url));
  onTestFinished(() => connection.destroy());
  return connection;
}

/** A statement that may share the connection with others. */
function pipelined(connection: Connection, text: string, ...values: string[]) {
  return connection.query(
    { name: text.slice(0, 60), text, values, leavesNoTrace: true },
    { pipelined: true },
  );
}

const many = <T>(count: number, make: (i: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => make(i));

describe("both wires", () => {
  it("say the same in a long conversation", async () => {
    const [own, other] = [await open(), await connect(parseTarget(server.url, { wire: "pg" }))];
    onTestFinished(() => other.destroy());
    expect(await converse(own)).toEqual(await converse(other));
  });

  it("say the same over TLS, and in packets of one byte", { timeout: 60_000 }, async () => {
    const postgres = await startPostgres({ tls: selfSignedCertificate() });
    const proxy = await startProxy(postgres.url);
    onTestFinished(async () => {
      await proxy.close();
      await postgres.remove();
    });
    const plain = await open(postgres.url);
    const said = await converse(plain);
    expect(await converse(await open(`${postgres.url}?sslmode=require`))).toEqual(said);
    const slow = await open(proxy.urlFor(postgres.url));
    proxy.faults.sliceToOneByte = true;
    expect(await converse(slow)).toEqual(said);
  });
});

describe("pipelined statements", () => {
  it("are under way together, and travel in a few writes", async () => {
    const relay = await startRelay(server.url);
    onTestFinished(() => relay.close());
    const connection = await open(relay.urlFor(server.url));
    await pipelined(connection, "select $1::int4", "0");
    relay.record();
    const outcomes = await Promise.all(
      many(1_000, (i) => pipelined(connection, "select $1::int4", String(i))),
    );
    expect(outcomes.map(({ rows }) => rows[0]?.[0])).toEqual(many(1_000, String));
    // One packet holds some hundred of them; alone each would take a write of its own.
    expect(relay.answers.length).toBeLessThan(250);
  });

  it("fail alone: refused at Parse, at Bind, while running, or unreadable", async () => {
    const connection = await open();
    const settled = await Promise.allSettled(
      many(60, (i) =>
        [
          () => pipelined(connection, "select $1::int4 + 1", String(i)),
          () => pipelined(connection, "selekt 1"),
          () => pipelined(connection, "select $1::int4 + 2", "no number"),
          () => pipelined(connection, "select 1 / $1::int4", "0"),
        ][i % 4]?.(),
      ),
    );
    for (const [i, result] of settled.entries()) {
      if (i % 4 === 0) expect(result).toMatchObject({ value: { rows: [[String(i + 1)]] } });
      else expect(result).toMatchObject({ reason: { sqlstate: ["", "42601", "22P02", "22012"][i % 4] } });
    }
    expect(connection.isBusy).toBe(false);
  });

  it("survive that the server has lost their names, each with its own answer", async () => {
    const connection = await open();
    await pipelined(connection, "select $1::int4 * 3", "1");
    await connection.script("deallocate all");
    const outcomes = await Promise.all(
      many(40, (i) => pipelined(connection, "select $1::int4 * 3", String(i))),
    );
    expect(outcomes.map(({ rows }) => rows[0]?.[0])).toEqual(many(40, (i) => String(i * 3)));
  });

  it("wait for their turn inside a transaction, behind a cancelation and when they leave a trace", async () => {
    const connection = await open();
    await connection.query(call("begin"));
    const inside = many(5, () => pipelined(connection, "select txid_current_if_assigned() is null"));
    expect((await Promise.all(inside)).every(({ rows }) => rows[0]?.[0] === "t")).toBe(true);
    await connection.query(call("rollback"));
    const sleeping = connection.query(call("select pg_sleep(30)"), { signal: AbortSignal.timeout(50) });
    const behind = pipelined(connection, "select 'behind'");
    await expect(sleeping).rejects.toMatchObject({ code: "QUERY_CANCELED" });
    expect((await behind).rows).toEqual([["behind"]]);
    const begun = connection.query(
      { name: "b", text: "begin", values: [], leavesNoTrace: true },
      { pipelined: true },
    );
    const next = pipelined(connection, "select 'next'");
    await begun;
    expect((await next).rows).toEqual([["next"]]);
    await connection.query(call("rollback"));
  });

  it("pass notices on, and nothing of one's rows to another", async () => {
    const connection = await open();
    await connection.script(`create function pg_temp.shout(i int) returns text language plpgsql as
      $$ begin raise notice 'n%', i; return repeat(i::text, 5000); end $$`);
    const heard: string[] = [];
    connection.onNotice(({ message }) => heard.push(message));
    const outcomes = await Promise.all(
      many(30, (i) => pipelined(connection, "select pg_temp.shout($1)", String(i))),
    );
    expect(outcomes.map(({ rows }) => rows[0]?.[0])).toEqual(many(30, (i) => String(i).repeat(5_000)));
    expect(heard).toEqual(many(30, (i) => `n${i}`));
  });

  it("are lost with their session, and those not yet sent say so", async () => {
    const connection = await open();
    await pipelined(connection, "select pg_sleep($1::float8)", "0");
    const running = Promise.allSettled(
      many(PIPELINE_LIMIT + 100, (i) =>
        pipelined(connection, "select pg_sleep($1::float8)", i === 0 ? "30" : "0"),
      ),
    );
    const stop = "select pg_terminate_backend(pid) from pg_stat_activity where pid = $1 and state = 'active'";
    await expect
      .poll(async () => (await admin.query(call(stop, String(connection.processId)))).rows)
      .toEqual([["t"]]);
    const settled = await running;
    const neverSent = settled.map((result) => result.status === "rejected" && wasNeverSent(result.reason));
    expect(settled[0]).toMatchObject({ reason: { code: "CONNECTION_LOST", sqlstate: "57P01" } });
    for (const result of settled) expect(result).toMatchObject({ reason: { code: "CONNECTION_LOST" } });
    expect(neverSent).toEqual(many(PIPELINE_LIMIT + 100, (i) => i >= PIPELINE_LIMIT));
  });
});

describe("a BEGIN that travels with its first statement", () => {
  it("commits nothing, wherever the connection is cut", async () => {
    await admin.script("drop table if exists cut_begin; create table cut_begin (a int)");
    const attempt = async (bytes: number | undefined) => {
      const relay = await startRelay(server.url);
      const connection = await connect(parseTarget(relay.urlFor(server.url)));
      relay.record();
      if (bytes !== undefined) relay.cutAfter(bytes);
      const outcome = await connection
        .query(call("insert into cut_begin values (1)"), { begin: "begin" })
        .catch((error: unknown) => error);
      const sent = relay.clientBytes;
      connection.destroy();
      await relay.close();
      return { outcome, sent };
    };
    const whole = await attempt(undefined);
    expect(whole.outcome).toMatchObject({ command: "INSERT", rowCount: 1 });
    for (let bytes = 1; bytes <= whole.sent; bytes += 3) {
      expect((await attempt(bytes)).outcome).toMatchObject({ code: "CONNECTION_LOST" });
    }
    await expect.poll(async () => (await admin.query(call("select * from cut_begin"))).rows).toEqual([]);
    await admin.script("drop table cut_begin");
  });
});

describe("large messages", () => {
  it("are never written over while they are on their way", async () => {
    const proxy = await startProxy(server.url);
    onTestFinished(() => proxy.close());
    const connection = await open(proxy.urlFor(server.url));
    await pipelined(connection, "select md5($1::text)", "");
    proxy.faults.bytesPerSecond = 20_000_000;
    const texts = many(60, (i) => `${i}`.repeat(10 ** (i % 6)));
    const answers: (readonly (string | null)[] | undefined)[] = [];
    // Turn by turn, so that each writes while those before it have not left.
    for (const [i, text] of texts.entries()) {
      void pipelined(connection, "select md5($1::text)", text).then(({ rows }) => {
        answers[i] = rows[0];
      });
      if (i % 3 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await expect
      .poll(() => answers.filter((answer) => answer !== undefined).length, { timeout: 20_000 })
      .toBe(60);
    expect(answers).toEqual(texts.map((text) => [createHash("md5").update(text).digest("hex")]));
  });

  it("go both ways whole, and leave no large buffer behind", async () => {
    const connection = await open();
    const large = "é".repeat(3_000_000);
    const outcome = await connection.query(call("select $1::text, length($1::text)", large));
    expect(outcome.rows[0]?.[1]).toBe("3000000");
    expect(outcome.rows[0]?.[0] === large).toBe(true);
    expect((await connection.query(call("select 1"))).rows).toEqual([["1"]]);
  });
});
