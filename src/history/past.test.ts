import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SOAK_TIMEOUT_MS, soakRuns } from "../../test/support/soak.ts";
import { type AnyEntity, describeTable } from "../schema/index.ts";
import { accounts, openLedger, owners, samples, shares } from "./ledger.fixture.ts";
import { pastOf } from "./past.ts";

const { run, db } = await openLedger();

async function now(): Promise<string> {
  const [[moment]] = (await run("select clock_timestamp()::text")) as [[string]];
  return moment;
}

const past = (entity: AnyEntity, moment: string): string =>
  pastOf(describeTable(entity), `'${moment}'::timestamptz`) ?? "";

/** All rows as the server writes them: nothing is decoded on the way. */
function rowsOf(entity: AnyEntity, source: string) {
  const { columns, history } = describeTable(entity);
  const names = columns.filter((column) => history?.kept.includes(column)).map(({ name }) => `"${name}"`);
  return run(`select ${names.join(", ")} from ${source} t order by 1, 2`);
}

describe("pastOf", () => {
  it("gives a table's rows as they were, to the last digit", async () => {
    await run(`insert into samples values
      (1, 9223372036854775807, 1.500, '-0', '2026-02-28', '2026-01-01 00:00:00.123456+00', '0001-01-01 00:00:00 BC', 'infinity', '1 mon -2 days 00:00:00.000001', '10.0.0.1/24', '\\x00ff', 'null', '{a,NULL,"NULL","{}",""}', '[0:1]={NaN,-Infinity}', 'open', '{open,closed}'),
      (2, -9223372036854775808, 'NaN', 5e-324, 'infinity', '-infinity', null, null, null, '::1', '', '{"b": 1.00, "a": [12345678901234567890.10, "x\\\\u00e9"]}', '{}', '{{1,2},{3,4}}', null, null)`);
    const before = await rowsOf(samples, "samples");
    const moment = await now();
    await run(
      "update samples set big = 0, exact = 1.5, float = 0, day = null, moment = now(), fine = now(), wall = null, span = null, host = null, bytes = null, document = null, words = '{b}', numbers = null, state = 'closed', states = null",
    );
    expect(await rowsOf(samples, past(samples, moment))).toEqual(before);
    await run("delete from samples where id = 1; truncate samples; insert into samples (id) values (1), (3)");
    expect(await rowsOf(samples, past(samples, moment))).toEqual(before);
  });

  it("tells numbers apart that are equal and written differently", async () => {
    await run("insert into samples (id, exact, float, document) values (10, 1.0, 0, '{\"a\": 1.0}')");
    const moment = await now();
    await run("update samples set exact = 1.00, float = '-0', document = '{\"a\": 1.00}' where id = 10");
    const [row] = await run(`select exact, float, document from ${past(samples, moment)} t where id = 10`);
    expect(row).toEqual(["1.0", "0", '{"a": 1.0}']);
  });

  it("has the table's columns, in their order and of their types, and no secret", async () => {
    await run("insert into owners (id, email, name, token, pin) values ('o', 'o@x', 'O', 'hush', 'hush')");
    const types = (source: string) =>
      run(
        `select ${describeTable(owners)
          .columns.map(({ name }) => `pg_typeof("${name}")`)
          .join(", ")} from ${source} t`,
      );
    expect(await types(past(owners, await now()))).toEqual(await types("owners"));
    const [row] = await run(`select t::text from ${past(owners, await now())} t`);
    expect(row?.[0]).not.toContain("hush");
  });

  it("shows a transaction that began by the moment, whole, and none that began later", async () => {
    await run("insert into shares values ('t', '1', 1), ('t', '2', 1)");
    await run("begin; update shares set percent = 2 where account_id = 't' and holder = '1'");
    const moment = await now();
    await run("update shares set percent = 2 where account_id = 't' and holder = '2'; commit");
    await run("update shares set percent = 3 where account_id = 't'");
    expect(await run(`select percent from ${past(shares, moment)} t where account_id = 't'`)).toEqual([
      ["2"],
      ["2"],
    ]);
  });

  it("has no row that a transaction took away which began by the moment, where a later one had changed it", async () => {
    await run("insert into shares values ('i', '1', 1)");
    const early = await db.pool.acquire();
    await early.connection.script("begin");
    const moment = await now();
    await run("update ledger.shares set percent = 2 where account_id = 'i'");
    await early.connection.script("delete from ledger.shares where account_id = 'i'; commit");
    early.release();
    expect(await run(`select * from ${past(shares, moment)} t where account_id = 'i'`)).toEqual([]);
  });

  it("knows columns by the names they have now, however often they were renamed", async () => {
    await run("insert into accounts (id, title, cents) values ('r', 'one', 1)");
    const moment = await now();
    await run("update accounts set title = 'two' where id = 'r'");
    const rename = (from: string, to: string) =>
      run(
        `insert into accounts_history (operation, row_key, before, after) values ('rename', '', '{"column": "${from}"}', '{"column": "${to}"}')`,
      );
    await rename("title", "label");
    await rename("label", "title");
    await rename("title", "headline");
    await rename("cents", "title");
    await rename("headline", "cents");
    const swapped = past(accounts, moment)
      .replaceAll("::bigint", "::text")
      .replaceAll('else l."cents"', 'else l."cents"::text');
    expect(await run(`select cents, title from ${swapped} t where id = 'r'`)).toEqual([["one", "two"]]);
  });

  it(
    "gives what a reader saw, at any moment of any sequence of writes",
    async () => {
      const value = fc.integer({ min: 0, max: 3 });
      const write = fc.oneof(
        fc.tuple(fc.constant("insert"), value, value),
        fc.tuple(fc.constant("update"), value, value),
        fc.tuple(fc.constant("key"), value, value),
        fc.tuple(fc.constant("delete"), value, value),
        fc.tuple(fc.constant("all"), value, value),
        fc.tuple(fc.constant("truncate"), value, value),
      );
      const SQL: Readonly<Record<string, (a: number, b: number) => string>> = {
        insert: (a, b) =>
          `insert into shares values ('f', '${a}', ${b}) on conflict (account_id, holder) do update set percent = excluded.percent + 5`,
        update: (a, b) => `update shares set percent = ${b} where holder = '${a}'`,
        key: (a, b) =>
          `update shares set holder = '${b}' where holder = '${a}' and not exists (select from shares where holder = '${b}')`,
        delete: (a) => `delete from shares where holder = '${a}'`,
        all: (_, b) => `update shares set percent = percent + ${b}`,
        truncate: () => "truncate shares",
      };
      const property = fc.asyncProperty(
        fc.array(fc.array(write, { minLength: 1, maxLength: 3 }), { maxLength: 8 }),
        async (transactions) => {
          await run("truncate shares");
          const seen: (readonly [string, unknown])[] = [];
          for (const writes of transactions) {
            seen.push([await now(), await rowsOf(shares, "shares")]);
            await run(`begin; ${writes.map(([kind, a, b]) => SQL[kind]?.(a, b)).join("; ")}; commit`);
          }
          for (const [moment, rows] of seen) expect(await rowsOf(shares, past(shares, moment))).toEqual(rows);
        },
      );
      await fc.assert(property, { seed: 81, numRuns: soakRuns(2_000) });
    },
    SOAK_TIMEOUT_MS,
  );
});
