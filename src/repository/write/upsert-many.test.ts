import { add, given, now, subtract } from "plinth";
import { describe, expect, it } from "vitest";
import { refusal, rejection } from "../../../test/support/rejection.ts";
import { openShop } from "./shop.fixture.ts";

const { db, repo, makeProduct } = await openShop({ pool: { max: 8 } });

const day = (n: number) => new Date(Date.UTC(2026, 0, 1 + n)).toISOString().slice(0, 10);

describe("upsertMany", () => {
  it("makes the new rows and changes the others, in one statement and input order", async () => {
    const old = await makeProduct({ sku: "b", name: "Old", stock: 7 });
    const inputs = [
      { sku: "c", name: "C" },
      { sku: "b", name: "B" },
      { sku: "a", name: "A" },
    ];
    const query = repo.products.upsertMany(inputs, { on: "sku" });
    expect(query.toSQL().text).toBe(
      'insert into "shop"."products" as t0 ("id", "sku", "name", "created_by", "updated_by") select r.c1::text, r.c2::text, r.c3::text, $4, $4 from unnest($1::text[], $2::text[], $3::text[]) with ordinality as r(c1, c2, c3, n) order by r.n on conflict ("sku") where "deleted_at" is null do update set "name" = excluded."name", "updated_by" = $4 returning t0."id", t0."sku", t0."name", t0."stock", t0."sold", t0."price", t0."rating", t0."rank", t0."is_listed", t0."tags", t0."sizes", t0."grid", t0."settings", t0."old", t0."seen_at", t0."seen_on", t0."created_by", t0."updated_by", t0."deleted_at", t0."deleted_by"',
    );
    const rows = await query;
    expect(rows.map(({ name }) => name)).toEqual(["C", "B", "A"]);
    expect(rows[1]).toMatchObject({ id: old.id, stock: 7 });
  });

  it("keeps to the living, revives by primary key, and signs what it changes", async () => {
    const dead = await makeProduct({ sku: "dead" });
    await repo.products.delete(dead.id);
    const [beside] = await db.as({ userId: "ann" }, () =>
      repo.products.upsertMany([{ sku: "dead", name: "New" }], { on: "sku" }),
    );
    expect(beside).toMatchObject({ createdBy: "ann", updatedBy: "ann" });
    expect(beside?.id).not.toBe(dead.id);
    await repo.products.delete(beside?.id ?? "");
    const inputs = [
      { id: dead.id, sku: "dead", name: "Back" },
      { id: "other", sku: "other", name: "Other" },
    ];
    const [back] = await db.as({ userId: "bob" }, () => repo.products.upsertMany(inputs, { on: "id" }));
    expect(back).toMatchObject({ name: "Back", deletedAt: null, createdBy: null, updatedBy: "bob" });
  });

  it("changes what is there by values of the rows that were given", async () => {
    await repo.visits.create({ page: "p", day: day(0), views: 5, note: "old" });
    const count = (views: number) =>
      repo.visits.upsertMany(
        [
          { page: "p", day: day(0), views, note: "new" },
          { page: "p", day: day(1), views },
        ].map((row) => ({ note: null, ...row })),
        { on: ["day", "page"], update: { views: add(given()), note: given() }, returning: ["views", "note"] },
      );
    expect(await count(2)).toEqual([
      { views: 7, note: "new" },
      { views: 2, note: null },
    ]);
    expect((await count(3)).map(({ views }) => views)).toEqual([10, 5]);
    const fixed = await repo.visits.upsertMany([{ page: "p", day: day(0), views: 1 }], {
      on: ["page", "day"],
      update: { views: subtract(4), note: "fixed" },
    });
    expect(fixed).toMatchObject([{ views: 6, note: "fixed" }]);
  });

  it("groups rows that give different columns, and still answers in input order", async () => {
    const inputs = [
      { page: "g", day: day(3), views: 3 },
      { page: "g", day: day(1), views: 1, note: "n" },
      { page: "g", day: day(2), views: 2 },
      { page: "g", day: day(0), views: 0, note: "m" },
    ];
    const rows = await repo.visits.upsertMany(inputs, { on: ["page", "day"] });
    expect(rows.map(({ views }) => views)).toEqual([3, 1, 2, 0]);
    const again = await repo.visits.upsertMany(inputs, {
      on: ["page", "day"],
      update: ["views"],
      returning: false,
    });
    expect(again).toBe(4);
  });

  it("takes 25,000 rows, all or none", async () => {
    const inputs = Array.from({ length: 25_000 }, (_, i) => ({ text: `t${(i * 7919) % 25_000}` }));
    const rows = await repo.labels.upsertMany(inputs, { on: "text" });
    expect(rows.map(({ text }) => text)).toEqual(inputs.map(({ text }) => text));
    const lines = inputs.map((_, i) => ({ page: `x${i}`, day: day(0), views: i === 24_999 ? null : i }));
    expect((await refusal(repo.visits.upsertMany(lines as never, { on: ["page", "day"] }))).issues).toEqual([
      "24999.views: is required",
    ]);
    const products = Array.from({ length: 20_001 }, (_, i) => ({
      sku: `many${String(i).padStart(6, "0")}`,
      name: "n",
      stock: i === 20_000 ? -1 : 1,
    }));
    expect(await rejection(repo.products.upsertMany(products, { on: "sku" }))).toMatchObject({
      code: "CHECK_VIOLATION",
    });
    expect(await repo.products.exists({ sku: { startsWith: "many" } })).toBe(false);
  });

  it("waits instead of deadlocking when two calls share their keys in opposite orders", async () => {
    const rows = Array.from({ length: 2_000 }, (_, i) => ({ page: "race", day: day(i), views: 1 }));
    const update = { views: add(given()) };
    for (let round = 0; round < 5; round++) {
      await Promise.all([
        repo.visits.upsertMany(rows, { on: ["page", "day"], update, returning: false }),
        repo.visits.upsertMany([...rows].reverse(), { on: ["page", "day"], update, returning: false }),
      ]);
    }
    expect(await repo.visits.count({ page: "race", views: 10 })).toBe(2_000);
  });

  it("makes nothing of no rows, and sends nothing", async () => {
    expect(await repo.visits.upsertMany([], { on: ["page", "day"] })).toEqual([]);
    expect(await repo.visits.upsertMany([], { on: ["page", "day"], returning: false })).toBe(0);
  });

  it("refuses to change the key that rows meet on, but by what they were given with", async () => {
    const rows = [{ sku: "kept", name: "A" }];
    for (const update of [{ sku: "x" }, { name: given(), sku: "x" }]) {
      const { code, issues } = await refusal(repo.products.upsertMany(rows, { on: "sku", update }));
      expect(code).toBe("INVALID_QUERY");
      expect(issues).toEqual([
        "update.sku: is the key that rows meet on; changed for many, rows could get the same one. Use update or updateEach",
      ]);
    }
    const options = {
      on: "sku",
      update: { sku: given(), name: given() },
      returning: ["sku", "name"],
    } as const;
    expect(await repo.products.upsertMany(rows, options)).toEqual(rows);
    const renamed = [{ sku: "kept", name: "B" }];
    expect(await repo.products.upsertMany(renamed, options)).toEqual(renamed);
    // Of one row it cannot meet another of the same call.
    const moved = { on: "sku", update: { sku: "moved" }, returning: ["sku"] } as const;
    expect(await repo.products.upsert({ sku: "kept", name: "C" }, moved)).toEqual({ sku: "moved" });
  });

  it("refuses two rows of one key before anything is sent", async () => {
    const twice = [{ text: "same" }, { text: "other" }, { text: "same" }];
    const error = await refusal(repo.labels.upsertMany(twice, { on: "text" }));
    expect(error).toEqual({
      code: "INVALID_VALUE",
      issues: ["2: has the same text as row 0; each key may come once"],
    });
    const uuid = "0a9f1b3c-0000-4000-8000-00000000abcd";
    const devices = [{ id: uuid }, { id: uuid.toUpperCase() }];
    expect((await refusal(repo.devices.upsertMany(devices, { on: "id" }))).issues).toEqual([
      "1: has the same id as row 0; each key may come once",
    ]);
  });

  it.each<[unknown, object, string]>([
    [{}, { on: "text" }, "inputs: must be a list"],
    [[{ text: "x" }], { on: "txt" }, 'on: unknown column "txt"; did you mean "text"?'],
    [[{ text: "x" }, null], { on: "text" }, "1: must be an object of columns"],
    [[{ text: "x" }, { text: 1 }], { on: "text" }, "1.text: must be a string"],
    [[{ text: "x" }, {}], { on: "text" }, "1.text: is required"],
    [[{ text: "x" }], { on: "id" }, "0.id: is the key to meet on, and must be given"],
    [
      [{ text: "x" }],
      { on: "text", updates: [] },
      'updates: unknown option "updates"; did you mean "update"?',
    ],
    [[{ text: "x" }], {}, "on: column must be a string, not undefined"],
  ])("refuses %o with %o", async (inputs, options, message) => {
    expect((await refusal(repo.labels.upsertMany(inputs as never, options as never))).issues).toEqual([
      message,
    ]);
  });
});

describe("upsert with changes", () => {
  const on = ["page", "day"] as const;

  it("changes the row that is there, not the new one", async () => {
    const visit = (views: number) =>
      repo.visits.upsert({ page: "u", day: day(0), views }, { on, update: { views: add(1) } });
    expect([(await visit(1)).views, (await visit(1)).views, (await visit(9)).views]).toEqual([1, 2, 3]);
    expect(
      await repo.visits.upsert(
        { page: "u", day: day(0), views: 1 },
        { on, update: {}, returning: ["views"] },
      ),
    ).toEqual({ views: 3 });
    // One statement, and each call's own values.
    for (const note of ["one", "two"]) {
      const row = await repo.visits.upsert({ page: "u", day: day(0), views: 1 }, { on, update: { note } });
      expect(row).toMatchObject({ views: 3, note });
    }
  });

  it("shares no statement between changes", () => {
    const textOf = (update: object | undefined) =>
      repo.visits
        .upsert(
          { page: "u", day: day(0), views: 1 },
          { on, ...(update === undefined ? {} : { update: update as never }) },
        )
        .toSQL().text;
    const updates = [
      undefined,
      ["views"],
      [],
      {},
      { views: 1 },
      { views: add(1) },
      { views: given() },
      { views: add(given()) },
    ];
    const texts = updates.map(textOf);
    // Taking all that was given is taking views; taking nothing, by a list or an object, leaves the row alone.
    expect(texts[1]).toBe(texts[0]);
    expect(texts[3]).toBe(texts[2]);
    expect(texts[6]).toBe(texts[0]);
    expect(new Set(texts).size).toBe(5);
  });

  it.each<[object, string]>([
    [{ views: now() }, "update.views: is not a time"],
    [{ page: "x" }, "update.page: is the row's key and cannot change"],
    [{ veiws: 1 }, 'update.veiws: unknown column "veiws"; did you mean "views"?'],
    [{ note: given() }, "note: must be given, as update works with it"],
    [{ views: null }, "update.views: must not be null"],
  ])("refuses %o", async (update, message) => {
    const query = repo.visits.upsert({ page: "u", day: day(0), views: 1 }, { on, update: update as never });
    expect((await refusal(query)).issues).toEqual([message]);
  });
});
