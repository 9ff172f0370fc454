import { add, append, merge, remove } from "plinth";
import { describe, expect, it } from "vitest";
import { refusal, rejection } from "../../../test/support/rejection.ts";
import { openShop } from "./shop.fixture.ts";

const { db, repo, makeProduct } = await openShop();

describe("updateEach", () => {
  it("gives each row its own values, in one statement, and says how many there were", async () => {
    const made = await Promise.all([1, 2, 3].map((stock) => makeProduct({ stock })));
    const query = repo.products.updateEach(
      made.map(({ id }, i) => ({ key: id, patch: { rank: i, sizes: [i, i + 1] } })),
    );
    expect(query.toSQL().text).toBe(
      'update "shop"."products" as t0 set "rank" = k.c3::smallint, "sizes" = k.c4::integer[], "updated_by" = $1 from unnest($2::text[], $3::text[], $4::text[], $5::text[]) as k(c1, c2, c3, c4) where t0."id" = k.c2::text and t0."deleted_at" is null',
    );
    expect(await db.as({ userId: "ann" }, () => query)).toBe(3);
    expect(await repo.products.findMany(made.map(({ id }) => id))).toMatchObject([
      { rank: 0, sizes: [0, 1], updatedBy: "ann" },
      { rank: 1, sizes: [1, 2] },
      { rank: 2, sizes: [2, 3] },
    ]);
  });

  it("makes changes of the values that are there, each row by its own amount", async () => {
    const [a, b] = [await makeProduct({ stock: 1, tags: ["x", "y"] }), await makeProduct({ stock: 2 })];
    const rows = await repo.products.updateEach(
      [
        { key: b.id, patch: { stock: add(5), settings: merge({ color: "red" }), tags: append(["n"]) } },
        { key: "none", patch: { stock: add(9) } },
        { key: a.id, patch: { stock: add(7), tags: remove("x") } },
      ],
      { returning: ["stock", "tags"] },
    );
    expect(rows).toEqual([{ stock: 7, tags: ["n"] }, undefined, { stock: 8, tags: ["y"] }]);
  });

  it("finds rows by composite keys, and no dead ones", async () => {
    const day = "2026-01-01";
    await repo.visits.createMany(["a", "b"].map((page) => ({ page, day, views: 0 })));
    const changes = ["b", "a"].map((page, i) => ({
      key: { page, day },
      patch: { views: i + 1, note: null },
    }));
    expect(await repo.visits.updateEach(changes, { returning: true })).toEqual([
      { page: "b", day, views: 1, note: null },
      { page: "a", day, views: 2, note: null },
    ]);
    const { id } = await makeProduct();
    await repo.products.delete(id);
    expect(await repo.products.updateEach([{ key: id, patch: { rank: 1 } }])).toBe(0);
  });

  it("changes 20,000 rows, or none when one may not be", async () => {
    const labels = await repo.labels.createMany(
      Array.from({ length: 20_000 }, (_, i) => ({ text: `l${i}` })),
    );
    const changes = labels.map(({ id, text }) => ({ key: id, patch: { text: `${text}!` } }));
    expect(await repo.labels.updateEach(changes)).toBe(20_000);
    const last = labels.at(-1)?.id ?? 0n;
    const clash = changes.map(({ key }, i) => ({ key, patch: { text: key === last ? "l0?" : `l${i}?` } }));
    expect(await rejection(repo.labels.updateEach(clash))).toMatchObject({ code: "UNIQUE_VIOLATION" });
    expect(await repo.labels.count({ text: { endsWith: "!" } })).toBe(20_000);
  });

  it("sends nothing of no changes", async () => {
    expect(await repo.labels.updateEach([])).toBe(0);
    expect(await repo.labels.updateEach([], { returning: true })).toEqual([]);
  });

  it.each<[unknown, string]>([
    [{}, "changes: must be a list"],
    [[null], "0: must be a plain object"],
    [[{ key: "x", patch: {} }], "0.patch: must name a column to change"],
    [[{ key: "x" }], "0.patch: must be a plain object"],
    [[{ patch: { rank: 1 } }], "0.key: must be the id of a row"],
    [[{ key: 1, patch: { rank: 1 } }], "0.key: must be a string"],
    [[{ key: "x", patch: { rank: "1" } }], "0.patch.rank: must be an integer"],
    [[{ key: "x", pach: {} }], '0.pach: unknown option "pach"; did you mean "patch"?'],
    [
      [
        { key: "x", patch: { rank: 1 } },
        { key: "x", patch: { stock: 1 } },
      ],
      "1.key: is that of change 0 too; each row may come once",
    ],
  ])("refuses %o", async (changes, message) => {
    expect((await refusal(repo.products.updateEach(changes as never))).issues).toEqual([message]);
  });
});
