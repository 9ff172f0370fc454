import { describe, expect, it } from "vitest";
import { rejection } from "../../test/support/rejection.ts";
import { connect, parseTarget } from "../driver/index.ts";
import { describeTable } from "../schema/index.ts";
import { accounts, openLedger, samples } from "./ledger.fixture.ts";
import { pastOf } from "./past.ts";
import { prepareHistory, pruneHistory } from "./upkeep.ts";

const { db, repo, run, url } = await openLedger();
const connection = await connect(parseTarget(url));
const on = { connection, schemaName: "ledger" };

const TEXT = `'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'`;

/** One cell that is a moment, as `asOf` takes it. */
async function moment(sql: string): Promise<string> {
  const [[text]] = (await run(`select to_char((${sql}) at time zone 'UTC', ${TEXT})`)) as [[string]];
  return text;
}

const now = () => moment("select clock_timestamp() from pg_sleep(0.001)");
const beginOf = (table: string) => moment(`select at from ${table}_history where operation = 'begin'`);
const justBefore = (text: string) => moment(`select '${text}'::timestamptz - interval '1 us'`);

describe("a moment before the history began", () => {
  it("is refused, with the entity and the first moment that is known, and that moment is answered", async () => {
    const began = await beginOf("owners");
    const error = await rejection(repo.owners.asOf(await justBefore(began)).list());
    expect(error).toMatchObject({
      name: "HistoryUnknownError",
      code: "HISTORY_UNKNOWN",
      sqlstate: "PH001",
      schema: "ledger",
      table: "owners",
      knownSince: began,
    });
    expect(error.message).toBe(
      `the history of "owners" began at ${began}, and an earlier moment was asked for [PH001]
  Ask for that moment, which is in error.knownSince, or for a later one.`,
    );
    expect((await repo.owners.asOf(began).list()).data).toEqual([]);
  });

  it("is refused by every read, of an empty table too", async () => {
    const past = repo.samples.asOf("2001-01-01T00:00:00Z");
    const calls = {
      find: past.find(1n),
      get: past.get(1n),
      findMany: past.findMany([1n, 2n]),
      list: past.list({ limit: 1 }),
      cursor: past.list({ after: "", sort: "id" }),
      count: past.count(),
      exists: past.exists({ big: 1n }),
      aggregate: past.aggregate({ count: true }),
      distinct: past.distinct("big"),
    };
    for (const [name, call] of Object.entries(calls)) {
      expect([name, (await rejection(call)).code]).toEqual([name, "HISTORY_UNKNOWN"]);
    }
    const rows = past.stream()[Symbol.asyncIterator]();
    expect((await rejection(rows.next())).code).toBe("HISTORY_UNKNOWN");
  });

  it("is refused for a related entity by that one's own bound, at every strategy", async () => {
    const { id: ownerId } = await repo.owners.create({ email: "related@x", name: "R" });
    await repo.accounts.create({ ownerId, title: "one" });
    const then = await now();
    await run("insert into accounts_history (operation, row_key) values ('begin', '')");
    expect(await repo.owners.asOf(then).get(ownerId)).toMatchObject({ name: "R" });
    for (const strategy of [undefined, "json", "statement"] as const) {
      const read = repo.owners
        .asOf(then)
        .get(ownerId, { with: { accounts: strategy === undefined ? true : { strategy } } });
      expect(await rejection(read)).toMatchObject({ code: "HISTORY_UNKNOWN", table: "accounts" });
    }
    const filtered = repo.owners.asOf(then).list({ where: { accounts: { some: { title: "one" } } } });
    expect(await rejection(filtered)).toMatchObject({ code: "HISTORY_UNKNOWN", table: "accounts" });
    expect(await rejection(repo.accounts.asOf(then).list({ with: { owner: true } }))).toMatchObject({
      table: "accounts",
    });
    const later = repo.owners.asOf(await now());
    expect(await later.get(ownerId, { with: { accounts: true } })).toMatchObject({
      accounts: [{ title: "one" }],
    });
  });

  it("costs no round trip, leaves reads beside it alone, and ends a transaction", async () => {
    const old = repo.owners.asOf("2001-01-01T00:00:00Z");
    const [early, count] = await Promise.allSettled([old.count(), repo.owners.count()]);
    expect([early.status, count.status]).toEqual(["rejected", "fulfilled"]);
    expect(
      old
        .count()
        .toSQL()
        .text.match(/owners_known_past/g),
    ).toHaveLength(1);
    const outcome = await rejection(
      db.transaction(async () => {
        await db.transaction(() => old.count()).catch(() => {});
        await repo.owners.count();
        await old.count();
      }),
    );
    expect(outcome.code).toBe("HISTORY_UNKNOWN");
  });

  it("is refused in SQL of one's own as well, with words for whoever reads them there", async () => {
    const past = pastOf(describeTable(samples), "'2001-01-01'::timestamptz");
    const began = await beginOf("samples");
    await expect(run(`select * from ${past} t`)).rejects.toMatchObject({
      serverMessage: `the past of "samples" is known from ${began} on, and an earlier moment was asked for`,
      detail: `begin ${began}`,
    });
    expect(await run("select samples_known_past(now())")).toEqual([["t"]]);
    expect(await run("select samples_known_past('infinity')")).toEqual([["t"]]);
    await expect(run("select samples_known_past('-infinity')")).rejects.toThrow("PH001");
    await expect(run("select samples_known_past(null)")).rejects.toThrow("PH001");
  });
});

describe("the row that says when a history began", () => {
  it("is no version of a row whose key is an empty text, and such a row has a past", async () => {
    await run("insert into accounts (id, title) values ('', 'nameless')");
    const then = await now();
    await run("update accounts set title = 'changed' where id = ''");
    expect((await repo.accounts.history("")).data.map(({ operation }) => operation)).toEqual([
      "update",
      "insert",
    ]);
    expect((await repo.accounts.asOf(then).get("")).title).toBe("nameless");
    expect(
      await run(`select title from ${pastOf(describeTable(accounts), `'${then}'`)} t where id = ''`),
    ).toEqual([["nameless"]]);
  });

  it("is append-only like the rest", async () => {
    for (const text of [
      "update accounts_history set at = '2001-01-01' where operation = 'begin'",
      "delete from accounts_history where operation = 'begin'",
    ]) {
      await expect(run(text)).rejects.toMatchObject({
        serverMessage: expect.stringContaining("never changed"),
      });
    }
  });
});

describe("a moment before what was pruned", () => {
  it("is refused, and the one that was pruned up to is answered as before", async () => {
    const { id } = await repo.owners.create({ email: "pruned@x", name: "one" });
    const first = await now();
    await repo.owners.update(id, { name: "two" });
    const second = new Date(Date.parse(await now()) + 1);
    await run("select pg_sleep(0.005)");
    await repo.owners.update(id, { name: "three" });
    const versions = (await repo.owners.history(id)).data;
    expect((await repo.owners.asOf(first).get(id)).name).toBe("one");
    await pruneHistory({ ...on, before: second });
    const since = `${second.toISOString().slice(0, -1)}000Z`;
    const error = await rejection(repo.owners.asOf(first).get(id));
    expect(error).toMatchObject({ code: "HISTORY_UNKNOWN", table: "owners", knownSince: since });
    expect(error.message).toContain(
      `the past of "owners" was pruned up to ${since}, and an earlier moment was asked for`,
    );
    expect((await repo.owners.asOf(second).get(id)).name).toBe("two");
    expect(await run("select count(*) from owners_history where operation = 'begin'")).toEqual([["0"]]);

    const { data, meta } = await repo.owners.history(id);
    expect(data.map(({ changes }) => changes.name)).toEqual([{ from: "two", to: "three" }]);
    expect(meta).toMatchObject({ knownSince: since, isPruned: true, nextCursor: null });
    expect((await repo.owners.history("nobody")).meta).toMatchObject({ knownSince: since, isPruned: true });
    const revert = await rejection(repo.owners.revert(id, versions[1]?.version ?? 0n));
    expect(revert).toMatchObject({
      code: "INVALID_QUERY",
      message: `version: is no version of this row that is left: what was recorded before ${since} was pruned`,
    });
    expect((await rejection(repo.owners.revert(id, 1_000_000n))).message).toBe(
      "version: is no version of this row",
    );
    expect((await repo.owners.revert(id, data[0]?.version ?? 0n)).name).toBe("three");
  });

  it("stays refused when the note of it is old itself, and an older pruning takes nothing back", async () => {
    const { id } = await repo.owners.create({ email: "again@x", name: "one" });
    await run("select pg_sleep(0.005)");
    const before = new Date(Date.parse(await now()) + 1);
    await run("select pg_sleep(0.005)");
    await pruneHistory({ ...on, before });
    await pruneHistory({ ...on, before: new Date(before.getTime() - 1_000) });
    const notes = "select count(*) from owners_history where operation = 'prune'";
    const [[count]] = (await run(notes)) as [[string]];
    expect(Number(count)).toBeGreaterThan(0);
    expect(await rejection(repo.owners.asOf(new Date(before.getTime() - 500)).get(id))).toMatchObject({
      code: "HISTORY_UNKNOWN",
    });
    expect((await repo.owners.asOf(before).get(id)).name).toBe("one");
  });

  it("keeps its note where it prunes up to a moment that is still to come", async () => {
    const before = new Date(Date.now() + 3_600_000);
    await pruneHistory({ ...on, before });
    expect(await run("select operation from postings_history")).toEqual([["prune"]]);
    expect((await rejection(repo.postings.asOf(new Date()).list())).code).toBe("HISTORY_UNKNOWN");
    expect((await repo.postings.asOf(before).list()).data).toEqual([]);
  });
});

describe("a history of which nothing says when it began", () => {
  it("vouches for no moment, records all the same, and is given a beginning by prepareHistory", async () => {
    await run("set plinth.history_pruning = 'on'; delete from shares_history; reset plinth.history_pruning");
    await run("insert into shares values ('u', '1', 1)");
    const error = await rejection(repo.shares.asOf(new Date()).list());
    expect(error).toMatchObject({ code: "HISTORY_UNKNOWN", table: "shares", knownSince: undefined });
    expect(error.message).toBe(
      `nothing says when the history of "shares" began, so no moment of its past can be vouched for [PH001]
  plinth history prepare notes that it begins now; changes have been recorded all the same.`,
    );
    expect((await repo.shares.history({ accountId: "u", holder: "1" })).meta).toMatchObject({
      knownSince: null,
      isPruned: false,
    });
    const dry = await prepareHistory({ ...on, months: 1, dryRun: true });
    const prepared = await prepareHistory({ ...on, months: 1 });
    const noted = (all: typeof dry) => all.filter(({ notedBegin }) => notedBegin).map(({ table }) => table);
    expect([noted(dry), noted(prepared)]).toEqual([["shares_history"], ["shares_history"]]);
    expect(noted(await prepareHistory({ ...on, months: 1 }))).toEqual([]);
    expect((await repo.shares.asOf(await now()).list()).data).toHaveLength(1);
  });
});
