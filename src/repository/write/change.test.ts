import { add, append, given, merge, multiply, now, remove, subtract, toggle } from "plinth";
import { describe, expect, it } from "vitest";
import { refusal, rejection } from "../../../test/support/rejection.ts";
import { openShop } from "./shop.fixture.ts";

const { db, repo, makeProduct } = await openShop({ pool: { max: 8 } });

describe("a change of the value that is there", () => {
  it("computes with numbers of every type in the database, null being zero to add to", async () => {
    const { id } = await makeProduct({ stock: 5, price: "1.10", rating: 0.5 });
    const first = await repo.products.update(id, {
      stock: subtract(2),
      sold: add(2n ** 53n),
      price: add("2.25"),
      rating: multiply(3),
      rank: add(7),
    });
    expect(first).toMatchObject({ stock: 3, sold: 2n ** 53n, price: "3.35", rating: 1.5, rank: 7 });
    const second = await repo.products.update(id, { sold: add(1), price: multiply("2"), name: "New" });
    expect(second).toMatchObject({ sold: 2n ** 53n + 1n, price: "6.70", name: "New" });
    const unset = await makeProduct();
    expect((await repo.products.update(unset.id, { sold: multiply(2) })).sold).toBeNull();
  });

  it("writes the expression into the statement, and the amount beside it", () => {
    const query = repo.products
      .update("x", { stock: add(2), sold: subtract(1) }, { returning: false })
      .toSQL();
    expect(query.text).toBe(
      'update "shop"."products" as t0 set "stock" = t0."stock" + $1::integer, "sold" = coalesce(t0."sold", $2::bigint) - $3::bigint, "updated_by" = $4 where t0."id" = $5 and t0."deleted_at" is null',
    );
    expect(query.values).toEqual(["2", "0", "1", null, "x"]);
  });

  it("has a statement of its own for each operation, and one for any amount", () => {
    const textOf = (patch: object) => repo.products.update("x", patch).toSQL().text;
    expect(textOf({ stock: add(1) })).toBe(textOf({ stock: add(99) }));
    const texts = [{ stock: 1 }, { stock: add(1) }, { stock: subtract(1) }, { stock: multiply(1) }].map(
      textOf,
    );
    expect(new Set(texts).size).toBe(4);
  });

  it("counts every one of fifty calls at once", async () => {
    const { id } = await makeProduct();
    await Promise.all(Array.from({ length: 50 }, () => repo.products.update(id, { stock: add(1) })));
    expect((await repo.products.get(id)).stock).toBe(50);
  });

  it("changes lists, documents, truths and times", async () => {
    const { id } = await makeProduct({ tags: ["a"], isListed: false, settings: { color: "red" } });
    const before = Date.now();
    const one = await repo.products.update(id, {
      tags: append(["b", 'c"{},\\', "a"]),
      sizes: append([1, 2]),
      grid: append([[1, 2]]),
      isListed: toggle(),
      settings: merge({ depth: { a: 1 } }),
      seenAt: now(),
      seenOn: now(),
    });
    expect(one).toMatchObject({
      tags: ["a", "b", 'c"{},\\', "a"],
      sizes: [1, 2],
      grid: [[1, 2]],
      isListed: true,
      settings: { color: "red", depth: { a: 1 } },
      seenOn: expect.stringMatching(/^\d{4}-\d\d-\d\d$/),
    });
    expect(Math.abs((one.seenAt?.getTime() ?? 0) - before)).toBeLessThan(60_000);
    const two = await repo.products.update(id, {
      tags: remove("a"),
      sizes: append([3]),
      grid: append([[3, 4]]),
      isListed: toggle(),
      settings: merge({ depth: { b: 2 } }),
    });
    expect(two).toMatchObject({
      tags: ["b", 'c"{},\\'],
      sizes: [1, 2, 3],
      grid: [
        [1, 2],
        [3, 4],
      ],
      isListed: false,
      settings: { color: "red", depth: { b: 2 } },
    });
  });

  it("makes of null an empty list or document, and leaves an unknown truth unknown", async () => {
    const { id } = await makeProduct();
    const row = await repo.products.update(id, {
      settings: merge({ color: "x" }),
      isListed: toggle(),
      sizes: remove(1),
    });
    expect(row).toMatchObject({ settings: { color: "x" }, isListed: null, sizes: null });
  });

  it("fails past a constraint or a type's end, without changing the row", async () => {
    const { id } = await makeProduct({ stock: 1 });
    expect(await rejection(repo.products.update(id, { stock: subtract(2) }))).toMatchObject({
      code: "CHECK_VIOLATION",
      constraint: "products_stock",
    });
    expect(await rejection(repo.products.update(id, { stock: add(2_147_483_647) }))).toMatchObject({
      code: "INVALID_DATA",
    });
    expect((await repo.products.get(id)).stock).toBe(1);
  });

  it.each<[object, string]>([
    [{ name: add("1") }, "name: is not a number"],
    [{ tags: add(1) }, "tags: is not a number"],
    [{ stock: append([1]) }, "stock: is not an array"],
    [{ stock: toggle() }, "stock: is not a boolean"],
    [{ stock: now() }, "stock: is not a time"],
    [{ old: merge({}) }, "old: is not jsonb"],
    [{ stock: add(0.5) }, "stock: must be an integer"],
    [{ stock: add(null as never) }, "stock: must be a number to add"],
    [{ stock: add(undefined as never) }, "stock: must be an integer"],
    [{ price: add(1) }, "price: must be a string"],
    [{ tags: append([1]) }, "tags: must be a string"],
    [{ tags: append("x" as never) }, "tags: must be an array"],
    [{ tags: append(null as never) }, "tags: must be a list to append"],
    [{ tags: remove(null) }, "tags: must be an item to remove"],
    [{ settings: merge([] as never) }, "settings: must be an object to merge"],
    [{ settings: merge({ a: Number.NaN }) }, "settings: must not contain NaN or Infinity (JSON has neither)"],
    [{ settings: { color: add(1) } }, "settings: must be JSON (no cycles, no bigint)"],
    [{ id: add(1) }, "id: is the row's key and cannot change"],
    [{ createdBy: add(1) }, "createdBy: is kept by Plinth and takes no value"],
    [{ stock: given() }, "stock: takes the value of an upsert's row, and this is no upsert"],
    [{ stock: add(given()) }, "stock: takes the value of an upsert's row, and this is no upsert"],
  ])("refuses %o, which does not fit its column", async (patch, message) => {
    expect((await refusal(repo.products.update("x", patch as never))).issues).toEqual([message]);
  });

  it("is made by its functions only: what a body holds is a value, and a new row has nothing to change", async () => {
    const { id } = await makeProduct();
    const body: unknown = JSON.parse('{"stock": {"operation": "add", "kind": "number", "operand": 1}}');
    expect((await refusal(repo.products.update(id, body as never))).issues).toEqual([
      "stock: must be an integer",
    ]);
    const created = repo.products.create({ sku: "s", name: "n", stock: add(1) } as never);
    expect((await refusal(created)).issues).toEqual([
      "stock: changes the value that is there, and a new row has none",
    ]);
    expect(() => JSON.stringify({ stock: add(1) })).toThrow("a change stands for a column's whole value");
  });
});

describe("increment", () => {
  it("gives back what was asked for", async () => {
    const { id } = await makeProduct();
    expect(await repo.products.increment(id, { stock: 3 }, { returning: ["stock"] })).toEqual({ stock: 3 });
    expect(await repo.products.increment(id, { stock: 3 }, { returning: false })).toBeUndefined();
    expect((await repo.products.get(id)).stock).toBe(6);
  });
});

describe("update with a condition", () => {
  it("changes the row while it is as the condition says, and tells when it is not", async () => {
    const { id } = await makeProduct({ stock: 2 });
    const take = () => repo.products.update(id, { stock: subtract(1) }, { where: { stock: { gt: 0 } } });
    expect([(await take()).stock, (await take()).stock]).toEqual([1, 0]);
    const from = (stock: number) => repo.products.update(id, { rank: stock }, { where: { stock } });
    expect((await from(0)).rank).toBe(0);
    expect(await rejection(from(1))).toMatchObject({ code: "CONDITION_FAILED" });
    const error = await rejection(take());
    expect(error).toMatchObject({ code: "CONDITION_FAILED", entity: "products" });
    expect(error.message).toBe('the products row with that key is not as "where" says');
    expect(
      await rejection(repo.products.update("none", { stock: 1 }, { where: { stock: 0 } })),
    ).toMatchObject({
      code: "NOT_FOUND",
    });
    expect((await repo.products.get(id)).stock).toBe(0);
  });

  it("sells each of ten pieces once to thirty buyers at once", async () => {
    const { id } = await makeProduct({ stock: 10 });
    const sales = await Promise.allSettled(
      Array.from({ length: 30 }, () =>
        repo.products.update(id, { stock: subtract(1) }, { where: { stock: { gte: 1 } }, returning: false }),
      ),
    );
    expect(sales.filter(({ status }) => status === "fulfilled")).toHaveLength(10);
    expect((await repo.products.get(id)).stock).toBe(0);
  });

  it("undoes what is beside it in a batch", async () => {
    const { id } = await makeProduct({ stock: 0 });
    const error = await rejection(
      db.batch([
        repo.products.update(id, { name: "Sold" }),
        repo.products.update(id, { stock: subtract(1) }, { where: { stock: { gt: 0 } } }),
      ]),
    );
    expect(error).toMatchObject({ code: "CONDITION_FAILED" });
    expect((await repo.products.get(id)).name).toBe("Lamp");
  });

  it("shares no statement between conditions, nor with an update that has none", async () => {
    const textOf = (where?: object) =>
      repo.products.update("x", { stock: 1 }, where === undefined ? {} : { where: where as never }).toSQL()
        .text;
    const texts = [textOf(), textOf({ stock: 1 }), textOf({ stock: null }), textOf({ name: "x" })];
    expect(new Set(texts).size).toBe(4);
    expect(textOf({ stock: 7 })).toBe(texts[1]);
  });

  it.each<[object, object, string]>([
    [
      { stock: 1 },
      {
        get where() {
          return {};
        },
      },
      "options.where: is a getter; give the value itself",
    ],
    [{ stock: 1 }, { where: undefined }, "where: must be a plain object"],
    [{ stock: 1 }, { where: {} }, "where: must say something of the row"],
    [{ stock: 1 }, { where: "all" }, "where: must be a plain object"],
    [{ stock: 1 }, { where: { stok: 1 } }, 'where.stok: unknown column "stok"; did you mean "stock"?'],
    [{}, { where: { stock: 1 } }, "patch: must name a column to change, where a condition is given"],
    [{ stock: 1 }, { wher: {} }, 'wher: unknown option "wher"; did you mean "where"?'],
    [{ stock: 1 }, { returning: ["cost"] }, expect.stringMatching(/^returning: unknown column "cost"/)],
    [{ stock: 1 }, { returning: [] }, "returning: must be true, false or a list of columns"],
    [{ stock: 1 }, { returning: "id" }, "returning: must be true, false or a list of columns"],
  ])("refuses %o with %o", async (patch, options, message) => {
    expect((await refusal(repo.products.update("x", patch as never, options as never))).issues).toEqual([
      message,
    ]);
  });
});
