import { sql } from "drizzle-orm";
import { date, index, integer, numeric, text, timestamp, unique, uniqueIndex } from "drizzle-orm/pg-core";
import { describe, expect, it } from "vitest";
import { declaredGrounds } from "../../../test/support/declared.ts";
import { BEHAVIOURS } from "../../behaviours.ts";
import { appSchema, describeSchema, entity, timestamps, ulidKey } from "../../schema/index.ts";
import { renderSchema } from "../render.ts";

const grounds = declaredGrounds();
const app = appSchema("divided");
const render = (schema: Record<string, unknown>) => renderSchema(describeSchema(schema), BEHAVIOURS);
const refused = (summary: string) => expect.objectContaining({ code: "SCHEMA_INVALID", summary });

describe("partitionBy", () => {
  it("divides by range, list and hash, with a default, and behaviours' triggers on top", async () => {
    const people = entity(app, "people", { id: ulidKey() }, { softDelete: true });
    const events = entity(
      app,
      "events",
      {
        id: ulidKey(),
        at: timestamp({ withTimezone: true }).primaryKey(),
        part: integer().primaryKey(),
        personId: text().references(() => people.id),
        ...timestamps(),
      },
      {
        softDelete: true,
        constraints: (t) => [index().on(t.personId)],
        partitionBy: {
          range: ["at", "part"],
          partitions: [
            { name: "events_old", from: [sql`minvalue`, sql`minvalue`], to: ["2026-01-01", 0] },
            { name: "events_2026", from: ["2026-01-01", 0], to: [new Date("2027-01-01T00:00:00Z"), 0] },
            { name: "events_rest", default: true },
          ],
        },
      },
    );
    const sales = entity(
      app,
      "sales",
      { region: text().primaryKey(), n: integer().primaryKey() },
      {
        partitionBy: {
          list: ["region"],
          partitions: [
            { name: "sales_eu", values: ["de", "it's"], comment: "Europe" },
            { name: "sales_rest", default: true },
          ],
        },
      },
    );
    const logs = entity(app, "logs", { id: ulidKey() }, { partitionBy: { hash: ["id"], partitions: 3 } });
    const ground = await grounds.open({ people, events, sales, logs });
    const { connection, db } = ground;
    // A bound in text means UTC, whoever runs the migration.
    await db.repository(events).create({ id: "a", at: new Date("2025-12-31T23:59:59Z"), part: 5 });
    await db.repository(events).create({ id: "b", at: new Date("2026-01-01T00:00:00Z"), part: 0 });
    await db.repository(events).create({ id: "c", at: new Date("2031-01-01T00:00:00Z"), part: 0 });
    await db.repository(sales).createMany([
      { region: "it's", n: 1 },
      { region: "us", n: 1 },
    ]);
    for (const id of ["1", "2", "3", "4"]) await db.repository(logs).create({ id });
    const { rows } = await connection.query({
      text: `select tableoid::regclass::text, count(*)::text from (
        select tableoid from events union all select tableoid from sales) t group by 1 order by 1`,
      values: [],
    });
    expect(rows).toEqual([
      ["events_2026", "1"],
      ["events_old", "1"],
      ["events_rest", "1"],
      ["sales_eu", "1"],
      ["sales_rest", "1"],
    ]);
    const parts = await ground.rows("select count(*) from pg_inherits where inhparent = 'logs'::regclass");
    expect(parts).toEqual([["3"]]);
    expect(await ground.takeAway()).toEqual([]);
  });

  it.each([["the primary key", {}, '"t" is partitioned by "at", which its primary key lacks']])(
    "refuses a table whose key lacks the partition's columns: %s",
    (_what, _options, message) => {
      const t = entity(
        app,
        "t",
        { id: ulidKey(), at: date() },
        { partitionBy: { range: ["at"], partitions: [] } },
      );
      expect(() => render({ t })).toThrow(refused(message));
    },
  );

  it("refuses unique keys and unique indexes that lack them", () => {
    const columns = () => ({ id: ulidKey(), at: date().primaryKey(), code: text() });
    const partitionBy = { range: ["at"], partitions: [] } as const;
    const byKey = entity(app, "t", columns(), {
      partitionBy,
      constraints: (t) => [unique("t_code").on(t.code)],
    });
    expect(() => render({ byKey })).toThrow(
      refused('"t" is partitioned by "at", which its unique key "t_code" lacks'),
    );
    const byIndex = entity(app, "t", columns(), {
      partitionBy,
      constraints: (t) => [uniqueIndex("t_code").on(t.code)],
    });
    expect(() => render({ byIndex })).toThrow(
      refused('"t" is partitioned by "at", which its unique index "t_code" lacks'),
    );
    const whole = entity(app, "t", columns(), {
      partitionBy,
      constraints: (t) => [unique().on(t.code, t.at)],
    });
    expect(render({ whole }).up).toHaveLength(1);
  });

  it.each([
    [{ range: ["att"] }, 'partitionBy of "t": unknown column "att"; did you mean "at"?'],
    [{ rnage: ["at"] }, 'partitionBy of "t": unknown option "rnage"; did you mean "range"?'],
    [{ range: ["at"], hash: ["at"], partitions: 2 }, 'partitionBy of "t" says one of range, list and hash'],
    [{}, 'partitionBy of "t" says one of range, list and hash'],
    [{ list: ["at", "n"] }, 'partitionBy of "t" names 2 columns'],
    [{ range: [] }, 'partitionBy of "t" names 0 columns'],
    [{ hash: ["at"], partitions: 0 }, 'partitionBy of "t": partitions is how many there are, 1 to 1024'],
    [{ hash: ["at"], partitions: [] }, 'partitionBy of "t": partitions is how many there are, 1 to 1024'],
    [{ range: ["at"], partitions: [{ name: "p" }] }, 'partition "p" of "t" has no bounds'],
    [{ list: ["at"], partitions: [{ name: "p", values: [] }] }, 'partition "p" of "t" has no bounds'],
    [
      { range: ["at", "n"], partitions: [{ name: "p", from: ["2026-01-01"], to: ["2027-01-01", 1] }] },
      'partition "p" of "t" has bounds of 1 values for a key of 2 columns',
    ],
    [
      { range: ["at"], partitions: [{ name: "p", from: "2026-01-01", too: "2027-01-01" }] },
      'partition "p" of "t": unknown option "too"; did you mean "to"?',
    ],
    [
      { hash: ["at"], partitions: 2, names: [] },
      'partitionBy of "t": unknown option "names"; allowed: range, list, hash, partitions',
    ],
  ])("refuses %j", (partitionBy, message) => {
    const t = entity(app, "t", { at: date().primaryKey(), n: integer().primaryKey() }, {
      partitionBy,
    } as object);
    expect(() => render({ t })).toThrow(refused(message));
  });

  it("refuses an index that leaves out the partitions, and two partitions of one name", () => {
    const only = entity(
      app,
      "t",
      { at: date().primaryKey() },
      { partitionBy: { range: ["at"] }, constraints: (t) => [index("t_at").onOnly(t.at)] },
    );
    expect(() => render({ only })).toThrow(refused('index "t_at" leaves out the partitions of "t"'));
    const twice = entity(
      app,
      "t",
      { at: date().primaryKey() },
      {
        partitionBy: {
          list: ["at"],
          partitions: [
            { name: "p", default: true },
            { name: "p", values: ["2026-01-01"] },
          ],
        },
      },
    );
    expect(() => render({ twice })).toThrow(
      refused('two partitions of "t" are called "p" in schema "divided"'),
    );
  });

  it("writes bounds as the column's values", () => {
    const t = entity(
      app,
      "t",
      { amount: numeric({ mode: "bigint" }).primaryKey() },
      { partitionBy: { range: ["amount"], partitions: [{ name: "p", from: 1n, to: 10n ** 20n }] } },
    );
    expect(render({ t }).up[1]).toBe(
      `create table "p" partition of "t" for values from ('1') to ('100000000000000000000')`,
    );
  });
});
