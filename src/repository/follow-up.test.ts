import { bigint, date, integer, text } from "drizzle-orm/pg-core";
import { appSchema, entity, relations } from "plinth/schema";
import { testDatabase } from "plinth/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const app = appSchema("calendar");
const days = entity(app, "days", { day: date({ mode: "date" }).primaryKey(), name: text().notNull() });
const visits = entity(app, "visits", {
  id: integer().primaryKey(),
  day: date({ mode: "date" })
    .notNull()
    .references(() => days.day),
});
const owners = entity(app, "owners", { id: bigint({ mode: "bigint" }).primaryKey(), name: text().notNull() });
const pets = entity(app, "pets", {
  id: integer().primaryKey(),
  ownerId: bigint({ mode: "number" })
    .notNull()
    .references(() => owners.id),
  name: text().notNull(),
});
const dayRelations = relations(days, (r) => ({ visits: r.many(visits) }));
const ownerRelations = relations(owners, (r) => ({ pets: r.many(pets) }));

const { db, close } = await testDatabase({
  schema: { app, days, visits, owners, pets, dayRelations, ownerRelations },
});
afterAll(close);
const on = { days: db.repository(days), owners: db.repository(owners) };
const [MONDAY, TUESDAY] = [new Date("2026-11-23T00:00:00Z"), new Date("2026-11-24T00:00:00Z")];

beforeAll(async () => {
  await on.days.createMany([
    { day: MONDAY, name: "Monday" },
    { day: TUESDAY, name: "Tuesday" },
  ]);
  await db.repository(visits).createMany([1, 2, 3].map((id) => ({ id, day: id === 2 ? TUESDAY : MONDAY })));
  await on.owners.createMany([1n, 2n, 3n].map((id) => ({ id, name: `owner ${id}` })));
  await db
    .repository(pets)
    .createMany([1, 2, 3].map((id) => ({ id, ownerId: id === 2 ? 2 : 1, name: `pet ${id}` })));
});

describe("related rows of a list", () => {
  it("find their rows by a date that the schema holds as Date", async () => {
    const { data } = await on.days.list({ with: { visits: { columns: ["id"], sort: "id" } }, sort: "day" });
    expect(data.map(({ visits }) => visits)).toEqual([[{ id: 1 }, { id: 3 }], [{ id: 2 }]]);
  });

  it("find their rows where one side holds a bigint and the other a number", async () => {
    const { data } = await on.owners.list({ with: { pets: { sort: "id" } }, sort: "id" });
    expect(data.map(({ pets }) => pets)).toEqual([
      [
        { id: 1, ownerId: 1, name: "pet 1" },
        { id: 3, ownerId: 1, name: "pet 3" },
      ],
      [{ id: 2, ownerId: 2, name: "pet 2" }],
      [],
    ]);
  });

  it("are the same whether or not they show the key that they are found by, and with a limit of their own", async () => {
    const names = (pets: readonly { readonly name: string }[]) => pets.map(({ name }) => name);
    const expected = [["pet 1", "pet 3"], ["pet 2"], []];
    for (const options of [
      {},
      { columns: ["name"] },
      { limit: 2 },
      { columns: ["name", "ownerId"] },
    ] as const) {
      const { data } = await on.owners.list({ with: { pets: { ...options, sort: "id" } }, sort: "id" });
      expect(data.map(({ pets }) => names(pets))).toEqual(expected);
    }
  });

  it("send the key once where they show it, and name it beside them where they do not", () => {
    const shown = on.owners.list({ with: { pets: true } }).toSQL().later;
    const hidden = on.owners.list({ with: { pets: { columns: ["name"] } } }).toSQL().later;
    expect(shown).toEqual([
      'select t0."id", t0."owner_id", t0."name" from "calendar"."pets" t0 where t0."owner_id" = any($1::bigint[]) order by t0."id"',
    ]);
    expect(hidden).toEqual([
      'select t0."owner_id", t0."name" from "calendar"."pets" t0 where t0."owner_id" = any($1::bigint[]) order by t0."id"',
    ]);
  });
});

describe("related rows of one row", () => {
  it("are found by a key that PostgreSQL does not plan for", async () => {
    const owner = on.owners.get(1n, { with: { pets: { columns: ["name"], sort: "-id" } } });
    expect(owner.toSQL().text).toContain('where t0."owner_id" = (select $1::bigint)');
    expect(await owner).toEqual({ id: 1n, name: "owner 1", pets: [{ name: "pet 3" }, { name: "pet 1" }] });
  });
});
