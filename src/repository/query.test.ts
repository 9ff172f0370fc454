import { createDatabase, Query } from "plinth";
import { describe, expect, it } from "vitest";
import * as domain from "../../test/support/domain.ts";
import { openLibrary, statementsRunBy } from "../../test/support/library.ts";
import { refusal, rejection } from "../../test/support/rejection.ts";
import { connect, parseTarget } from "../driver/index.ts";

const { db, url, repo, makeAuthor } = await openLibrary({ pool: { max: 1 } });
const nobody = { email: "nobody@example.com", name: "Nobody" };

describe("Query", () => {
  it("does not run until it is awaited", async () => {
    const query = repo.authors.create(nobody);
    expect(query).toBeInstanceOf(Query);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await repo.authors.count()).toBe(0);
    expect(await query).toMatchObject(nobody);
    expect(await repo.authors.count()).toBe(1);
  });

  it("runs once, however often it is awaited", async () => {
    const query = repo.visits.create({});
    const ran = await statementsRunBy(db, async () => {
      const [first, second] = await Promise.all([query, query]);
      expect(await query).toBe(first);
      expect(second).toBe(first);
      expect(await query.then((row) => row)).toBe(first);
      expect(await query.finally(() => {})).toBe(first);
    });
    expect(ran).toBe(1);
  });

  it("rejects on misuse, and never throws", async () => {
    const misuse = [
      () => repo.authors.find(undefined as never),
      () => repo.authors.list({ sort: "nope" as never }),
      () => repo.authors.create(null as never),
      () => repo.authors.createMany(null as never),
      () => repo.authors.update("x", { nope: 1 } as never),
      () => repo.authors.upsert(nobody, null as never),
      () => repo.authors.increment("x", null as never),
      () => repo.authors.count(null as never),
      () => repo.authors.findMany(null as never),
      () => repo.authors.findBy(undefined as never),
      () => repo.authors.delete(undefined as never),
      () => repo.authors.restore(undefined as never),
    ];
    for (const call of misuse) {
      const query = call();
      expect((await refusal(query)).code, call.toString()).toMatch(/^INVALID_/);
    }
  });

  it("is rejected twice by the same error when awaited twice", async () => {
    const query = repo.authors.get("none");
    expect(await rejection(query)).toBe(await rejection(query));
  });

  it("shows its SQL and sends nothing", async () => {
    const query = repo.authors.find("a-key");
    let sql = query.toSQL();
    const ran = await statementsRunBy(db, async () => {
      sql = query.toSQL();
    });
    expect(ran).toBe(0);
    expect(sql.text).toBe(
      'select t0."id", t0."email", t0."name", t0."bio", t0."created_at", t0."updated_at", t0."created_by", t0."updated_by", t0."deleted_at", t0."deleted_by" from "library"."authors" t0 where t0."id" = $1 and t0."deleted_at" is null',
    );
    expect(sql.values).toEqual(["a-key"]);
    expect(sql.additions).toEqual([{ behaviour: "soft delete", sql: 't0."deleted_at" is null' }]);
  });

  it("shows what each behaviour added to a write, and to related rows", async () => {
    const update = db.as({ userId: "ann" }, async () => repo.authors.update("k", { name: "n" }).toSQL());
    expect((await update).additions).toEqual([
      { behaviour: "soft delete", sql: 't0."deleted_at" is null' },
      { behaviour: "authorship", sql: "updated_by = $1" },
    ]);
    expect(repo.authors.delete("k").toSQL().additions).toEqual([
      { behaviour: "soft delete", sql: 't0."deleted_at" is null' },
      { behaviour: "soft delete", sql: expect.stringMatching(/^deleted_at = (now|clock_timestamp)\(\)$/) },
      { behaviour: "soft delete", sql: "deleted_by = $1" },
      { behaviour: "authorship", sql: "updated_by = $1" },
    ]);
    expect(repo.authors.create(nobody).toSQL().additions).toEqual([
      { behaviour: "authorship", sql: "created_by" },
      { behaviour: "authorship", sql: "updated_by" },
    ]);
    expect(
      repo.authors
        .get("k", { with: { books: true } })
        .toSQL()
        .additions.map((added) => added.sql),
    ).toEqual(['t0."deleted_at" is null', 't0."deleted_at" is null']);
  });

  it("throws from toSQL what it would reject with", () => {
    expect(() => repo.authors.list({ sort: "nope" as never }).toSQL()).toThrow(
      expect.objectContaining({ code: "INVALID_QUERY" }),
    );
  });

  it("is stopped on the server by its signal, and leaves the connection usable", async () => {
    const { id } = await makeAuthor();
    const abort = new AbortController();
    await using blocker = await holdRow(id);
    const query = repo.authors.update(id, { name: "n" }).withSignal(abort.signal);
    const outcome = rejection(query);
    await blocker.untilAnotherWaits();
    abort.abort();
    expect(await outcome).toMatchObject({ code: "QUERY_CANCELED" });
    expect(await blocker.waiting()).toBe(0);
    expect(await repo.authors.count({ id })).toBe(1);
  });

  it("sends nothing when its signal has been aborted already", async () => {
    const query = repo.authors
      .create({ ...nobody, email: "aborted@example.com" })
      .withSignal(AbortSignal.abort());
    expect(await rejection(query)).toMatchObject({ code: "QUERY_CANCELED" });
    expect(await repo.authors.exists({ email: "aborted@example.com" })).toBe(false);
  });
});

describe("the line that waits for a query", () => {
  const here = expect.stringMatching(/^src\/repository\/query\.test\.ts:\d+:\d+$/);

  async function errorOf(call: PromiseLike<unknown>): Promise<string> {
    const { stack = "", message } = await rejection(call);
    expect(stack).toContain(message);
    return stack.slice(stack.indexOf(message) + message.length);
  }

  it("names who holds the connection when the pool is exhausted", async () => {
    await using crowded = await openCrowded();
    async function slowReport() {
      await crowded.sql`select pg_sleep(30)`.withSignal(crowded.stop.signal);
    }
    const holding = rejection(slowReport());
    const waiting = await rejection(crowded.repository(domain.authors).count());
    crowded.stop.abort();
    expect(waiting).toMatchObject({
      code: "POOL_EXHAUSTED",
      message: expect.stringMatching(
        /held \d+\.\d s by slowReport \(src\/repository\/query\.test\.ts:\d+:\d+\)/,
      ),
      holders: [{ callSite: here, stack: expect.stringContaining("at slowReport") }],
    });
    expect(await holding).toMatchObject({ code: "QUERY_CANCELED" });
  });

  it.each(["call", "batch", "batch that needs a transaction"])("names the maker of a %s", async (kind) => {
    await using crowded = await openCrowded();
    const { id } = await makeAuthor();
    const blocker = await holdRow(id);
    const authors = crowded.repository(domain.authors);
    async function rename() {
      const update = authors.update(id, { name: "n" });
      if (kind === "call") await update;
      else if (kind === "batch") await crowded.batch([update]);
      else await crowded.batch([update, authors.create({ name: "n", email: `${id}@example.com` })]);
    }
    const holding = rename();
    await blocker.untilAnotherWaits();
    const waiting = await rejection(crowded.batch([authors.count(), authors.count()]));
    await blocker[Symbol.asyncDispose]();
    await holding;
    expect(waiting).toMatchObject({ code: "POOL_EXHAUSTED", holders: [{ callSite: here }] });
    expect(waiting.message).toContain("by rename (");
    expect(waiting.stack).toContain("query.test.ts");
  });

  it("is in the stack of a refused input", async () => {
    async function saveNobody() {
      await repo.authors.create({ nope: 1 } as never);
    }
    const stack = await errorOf(saveNobody());
    expect(stack).toMatch(
      /\n {4}at \(called from\)\n {4}at (?:async )?saveNobody \(.*query\.test\.ts:\d+:\d+\)/,
    );
  });

  it("is in the stack of what the server refused, alone and in a batch", async () => {
    const { email } = await makeAuthor();
    async function twice() {
      await repo.authors.create({ email, name: "Twice" });
    }
    async function together() {
      await db.batch([repo.authors.create({ email, name: "Twice" })]);
    }
    expect(await rejection(twice())).toMatchObject({ code: "UNIQUE_VIOLATION" });
    expect(await errorOf(twice())).toMatch(
      /\(called from\)\n {4}at (?:async )?twice \(.*query\.test\.ts:\d+:\d+\)/,
    );
    expect(await errorOf(together())).toMatch(
      /\(called from\)\n {4}at together \(.*query\.test\.ts:\d+:\d+\)/,
    );
  });

  it.each([
    ["a function of its own", () => repo.authors.get("none").then((row) => row)],
    ["one that is bound", () => repo.authors.get("none").then(String.bind(null))],
    ["only one for failures", () => repo.authors.get("none").catch((error) => Promise.reject(error))],
    ["one for either end", () => repo.authors.get("none").finally(() => undefined)],
  ])("is there for a caller that hands over %s", async (_what, call) => {
    function withoutAwait() {
      return call();
    }
    expect(await errorOf(withoutAwait())).toMatch(/\(called from\)\n.*query\.test\.ts/);
  });

  it("is there for queries that are waited for together", async () => {
    async function bothAtOnce() {
      await Promise.all([repo.authors.get("none"), repo.authors.get("nobody")]);
    }
    expect(await errorOf(bothAtOnce())).toMatch(/\(called from\)\n {4}at (?:async )?bothAtOnce \(/);
  });

  it("is added once, and without frames of Plinth and Node", async () => {
    const query = repo.authors.get("none");
    const ask = async () => void (await query);
    await rejection(ask());
    const [, added = "", ...more] = (await errorOf(ask())).split("    at (called from)\n");
    expect(more).toEqual([]);
    expect(added.split("\n")[0]).toContain("query.test.ts");
    expect(added).not.toMatch(/node:|node_modules|repository\.ts|call-site/);
  });
});

/** The library through a pool of one connection, open already. `stop` ends what holds it. */
async function openCrowded() {
  const crowded = await createDatabase({
    schema: domain,
    url,
    pool: { max: 1, acquireTimeoutMs: 1_000 },
  });
  const stop = new AbortController();
  return Object.assign(Object.create(crowded) as typeof crowded, {
    stop,
    [Symbol.asyncDispose]: () => crowded.close(),
  });
}

/** Another session that holds a row, so that an update of it waits. */
async function holdRow(id: string) {
  const connection = await connect(parseTarget(url));
  await connection.script(`begin; select 1 from library.authors where id = '${id}' for update`);
  const waiting = async (): Promise<number> => {
    // Within one transaction the server shows the activity of the first look, unless asked to look again.
    const [, outcome] = await connection.script(
      "select pg_stat_clear_snapshot(); select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
    );
    return Number(outcome?.rows[0]?.[0]);
  };
  return {
    waiting,
    untilAnotherWaits: async () => {
      while ((await waiting()) === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    },
    [Symbol.asyncDispose]: () => connection.close(),
  };
}
