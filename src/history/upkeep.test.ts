import { describe, expect, it } from "vitest";
import { BEHAVIOURS } from "../behaviours.ts";
import { compareCatalogs, readCatalog, renderSchema } from "../catalog/index.ts";
import { connect, parseTarget } from "../driver/index.ts";
import { describeSchema, describeTable } from "../schema/index.ts";
import { openLedger, schema, shares } from "./ledger.fixture.ts";
import { pastOf } from "./past.ts";
import { prepareHistory, pruneHistory } from "./upkeep.ts";

const { run, repo, url } = await openLedger();
const connection = await connect(parseTarget(url));
const on = { connection, schemaName: "ledger" };

const partitionsOf = async (table: string) =>
  (
    await run(
      `select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid where i.inhparent = '${table}'::regclass order by 1`,
    )
  ).flat();

/** An event that looks as if it had been recorded then. */
async function old(at: string, key: string, before: string): Promise<void> {
  await run(
    `insert into shares_history (at, operation, row_key, before, after) values ('${at}', 'update', '${key}', '${before}', '{}')`,
  );
}

describe("prepareHistory", () => {
  it("makes the partitions of this month and the next, once, and rows go there", async () => {
    const now = new Date("2031-11-30T23:30:00Z");
    const [first] = await prepareHistory({ ...on, now, dryRun: true });
    expect(first?.made).toEqual([
      "plinth_accounts_history_2031_11",
      "plinth_accounts_history_2031_12",
      "plinth_accounts_history_2032_01",
    ]);
    expect(await partitionsOf("accounts_history")).toEqual(["accounts_history_default"]);
    const made = await prepareHistory({ ...on, now });
    expect(made.map(({ table, made: names }) => [table, names.length])).toEqual([
      ["accounts_history", 3],
      ["owners_history", 3],
      ["postings_history", 3],
      ["samples_history", 3],
      ["shares_history", 3],
    ]);
    expect((await prepareHistory({ ...on, now })).flatMap(({ made: names }) => names)).toEqual([]);
    await old("2031-12-31 23:59:59.999999+00", "month", "{}");
    await old("2032-01-01 00:00:00+00", "month", "{}");
    expect(
      await run("select tableoid::regclass from shares_history where row_key = 'month' order by at"),
    ).toEqual([["plinth_shares_history_2031_12"], ["plinth_shares_history_2032_01"]]);
  });

  it("passes over a month whose rows are in the default partition already, and writes go on", async () => {
    await repo.shares.create({ accountId: "now", holder: "1", percent: 1 });
    const [, , , , last] = await prepareHistory({ ...on, months: 2 });
    expect(last?.made).toHaveLength(1);
    await repo.shares.update({ accountId: "now", holder: "1" }, { percent: 2 });
    expect((await repo.shares.history({ accountId: "now", holder: "1" })).data).toHaveLength(2);
  });

  it("leaves a schema that nothing finds changed", async () => {
    await prepareHistory({ ...on, months: 5 });
    const wish = await connect(parseTarget(url));
    await wish.script("begin; create schema other; set local search_path to other");
    for (const text of renderSchema(describeSchema(schema), BEHAVIOURS).up)
      await wish.query({ text, values: [] });
    const [live, declared] = [await readCatalog(wish, "ledger"), await readCatalog(wish, "other")];
    await wish.script("rollback");
    await wish.close();
    expect(compareCatalogs(live, declared)).toEqual([]);
    expect(live.objects.filter(({ name }) => name.startsWith("plinth"))).toEqual([]);
  });

  it("guards the new partitions as it does the table", async () => {
    const [name] = (await partitionsOf("shares_history")).filter((one) => one?.startsWith("plinth_"));
    for (const text of [`delete from ${name}`, `truncate ${name}`, `update ${name} set reason = ''`]) {
      await expect(run(text)).rejects.toMatchObject({
        serverMessage: expect.stringContaining("never changed"),
      });
    }
  });

  it.each([0, 1.5, 121, Number.NaN])("refuses %s months", async (months) => {
    await expect(prepareHistory({ ...on, months })).rejects.toMatchObject({ code: "INVALID_VALUE" });
  });
});

describe("pruneHistory", () => {
  it("drops what is older as a whole, deletes the rest of it, and keeps what is younger", async () => {
    await prepareHistory({ ...on, now: new Date("2024-01-10T00:00:00Z"), months: 2 });
    for (const [at, key] of [
      ["2023-05-01", "default"],
      ["2024-01-15", "january"],
      ["2024-02-03", "february"],
      ["2024-02-20", "later"],
    ] as const) {
      await old(`${at} 00:00:00+00`, key, "{}");
    }
    const before = new Date("2024-02-10T00:00:00Z");
    const planned = await pruneHistory({ ...on, before, dryRun: true });
    const ofShares = (all: typeof planned) => all.find(({ table }) => table === "shares_history");
    const expected = {
      table: "shares_history",
      dropped: ["plinth_shares_history_2024_01"],
      deletedRows: 2,
      statements: [
        expect.stringMatching(
          /^insert into ledger\.shares_history [^;]*'prune', '', jsonb_build_object\('before', '2024-02-10T00:00:00\.000Z'\)\)$/,
        ),
        "delete from only ledger.shares_history_default where at < '2024-02-10T00:00:00.000Z'",
        "drop table ledger.plinth_shares_history_2024_01",
        "delete from only ledger.plinth_shares_history_2024_02 where at < '2024-02-10T00:00:00.000Z'",
      ],
    };
    expect(ofShares(planned)).toEqual(expected);
    expect(await run("select count(*) from shares_history where at < '2024-02-10'")).toEqual([["3"]]);
    expect(ofShares(await pruneHistory({ ...on, before }))).toEqual(expected);
    expect(await run("select row_key from shares_history where at < '2025-01-01' order by at")).toEqual([
      ["later"],
    ]);
    expect(await run("select after ->> 'before' from shares_history where operation = 'prune'")).toEqual([
      ["2024-02-10T00:00:00.000Z"],
    ]);
    expect(ofShares(await pruneHistory({ ...on, before }))).toMatchObject({ dropped: [], deletedRows: 0 });
  });

  it("leaves every younger moment as it was, of rows too that have not changed for long", async () => {
    await run("insert into shares values ('still', '1', 7), ('moving', '1', 1)");
    const [[moment]] = (await run("select clock_timestamp()::text")) as [[string]];
    await run("update shares set percent = 2 where account_id = 'moving'");
    await pruneHistory({ ...on, before: new Date(moment) });
    const past = pastOf(describeTable(shares), `'${moment}'::timestamptz`);
    expect(
      await run(
        `select account_id, percent from ${past} t where account_id in ('still', 'moving') order by 1`,
      ),
    ).toEqual([
      ["moving", "1"],
      ["still", "7"],
    ]);
  });

  it("deletes more rows than one batch holds", async () => {
    await run(
      "insert into shares_history (at, operation, row_key, before, after) select '2020-01-01', 'update', 'many', '{}', '{}' from generate_series(1, 10001)",
    );
    const pruned = await pruneHistory({ ...on, before: new Date("2020-02-01T00:00:00Z") });
    expect(pruned.find(({ table }) => table === "shares_history")?.deletedRows).toBe(10_001);
  });

  it("stops when it is told to", async () => {
    const signal = AbortSignal.abort();
    await expect(pruneHistory({ ...on, before: new Date(), signal })).rejects.toThrow(/abort/i);
  });
});
