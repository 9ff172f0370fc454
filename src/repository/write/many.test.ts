import { add, append, condition } from "plinth";
import { describe, expect, it } from "vitest";
import { openLibrary } from "../../../test/support/library.ts";
import { refusal, rejection } from "../../../test/support/rejection.ts";
import { openShop, products } from "./shop.fixture.ts";

const { db, repo, makeProduct } = await openShop();

describe("updateMany", () => {
  it("changes the rows that fit, in one statement, and says how many there were", async () => {
    for (const stock of [1, 2, 3]) await makeProduct({ name: "U", stock });
    const query = repo.products.updateMany(
      { where: { name: "U", stock: { lte: 2 } } },
      { stock: add(10), rank: 1 },
    );
    expect(query.toSQL().text).toBe(
      'update "shop"."products" as t0 set "stock" = t0."stock" + $1::integer, "rank" = $2, "updated_by" = $3 where (t0."name" = $4 and (t0."stock" <= $5)) and t0."deleted_at" is null',
    );
    expect(await db.as({ userId: "ann" }, () => query)).toBe(2);
    const { data } = await repo.products.list({ where: { name: "U" }, sort: "stock" });
    expect(data).toMatchObject([
      { stock: 3, rank: null, updatedBy: null },
      { stock: 11, rank: 1, updatedBy: "ann" },
      { stock: 12, rank: 1, updatedBy: "ann" },
    ]);
  });

  it("gives back the rows, or columns of them, when asked to", async () => {
    const { id } = await makeProduct({ name: "R" });
    const rows = await repo.products.updateMany({ where: { name: "R" } }, { stock: 1 }, { returning: true });
    expect(rows).toEqual([await repo.products.get(id)]);
    expect(
      await repo.products.updateMany(
        { where: { id } },
        { tags: append(["x"]) },
        { returning: ["id", "tags"] },
      ),
    ).toEqual([{ id, tags: ["x"] }]);
    expect(
      await repo.products.updateMany({ where: { id: "none" } }, { stock: 1 }, { returning: true }),
    ).toEqual([]);
  });

  it("takes conditions on relations and in the application's own SQL, each as a statement of its own", async () => {
    const customer = await repo.customers.create({ name: "c" });
    const order = await repo.orders.create({ customerId: customer.id });
    const sold = await makeProduct({ name: "S" });
    await makeProduct({ name: "S" });
    await repo.lines.create({ orderId: order.id, productId: sold.id, quantity: 2 });
    expect(
      await repo.products.updateMany({ where: { name: "S", lines: { some: { quantity: 2 } } } }, { rank: 5 }),
    ).toBe(1);
    expect((await repo.products.get(sold.id)).rank).toBe(5);
    const own = condition`${products.name} = ${"S"} and ${products.rank} is null`;
    expect(await repo.products.updateMany({ where: own }, { rank: 6 })).toBe(1);
  });

  it("meets every row only when that is said, and the dead only where they are seen", async () => {
    await repo.customers.createMany([{ name: "a" }, { name: "b" }]);
    const count = await repo.customers.count();
    expect(await repo.customers.updateMany({ where: "all" }, { name: "x" })).toBe(count);
    const { id } = await makeProduct({ name: "D" });
    await repo.products.delete(id);
    const filter = { where: { name: "D" } };
    expect(await repo.products.updateMany(filter, { rank: 1 })).toBe(0);
    expect(await repo.products.onlyDeleted().updateMany(filter, { rank: 1 })).toBe(1);
    expect(
      await repo.products.withDeleted().updateMany(filter, { rank: 2 }, { returning: ["rank"] }),
    ).toEqual([{ rank: 2 }]);
  });

  it("changes no row when one of them may not be", async () => {
    await makeProduct({ name: "V", stock: 5 });
    await makeProduct({ name: "V", stock: 0 });
    const error = await rejection(repo.products.updateMany({ where: { name: "V" } }, { stock: add(-1) }));
    expect(error).toMatchObject({ code: "CHECK_VIOLATION", constraint: "products_stock" });
    expect(await repo.products.count({ name: "V", stock: 5 })).toBe(1);
  });

  it("runs in a batch and a transaction like any other call", async () => {
    await makeProduct({ name: "B" });
    const [changed, gone] = await db.batch([
      repo.products.updateMany({ where: { name: "B" } }, { rank: 3 }),
      repo.products.deleteMany({ where: { name: "B", rank: 3 } }),
    ]);
    expect([changed, gone]).toEqual([1, 1]);
  });

  const said = 'where: must say which rows; "all" means every row';
  it.each<[unknown, object, string]>([
    [undefined, { rank: 1 }, "filter: must be a plain object"],
    [{}, { rank: 1 }, said],
    [{ where: undefined }, { rank: 1 }, said],
    [{ where: null }, { rank: 1 }, said],
    [{ where: {} }, { rank: 1 }, said],
    [{ where: { and: [] } }, { rank: 1 }, said],
    [{ where: { and: [{}, { and: [{}] }] } }, { rank: 1 }, said],
    [{ where: { or: [{ name: "x" }, {}] } }, { rank: 1 }, said],
    [{ where: { not: { or: [] } } }, { rank: 1 }, said],
    [
      {
        get where() {
          return "all";
        },
      },
      { rank: 1 },
      "filter.where: is a getter; give the value itself",
    ],
    [{ where: "ALL" }, { rank: 1 }, "where: must be a plain object"],
    [{ where: [] }, { rank: 1 }, "where: must be a plain object"],
    [{ where: { name: undefined } }, { rank: 1 }, "where.name: is undefined; leave the property out instead"],
    [{ where: { cost: 1 } }, { rank: 1 }, expect.stringMatching(/^where.cost: unknown column "cost"/)],
    [{ where: { name: "x" }, limit: 1 }, { rank: 1 }, 'filter.limit: unknown option "limit"; allowed: where'],
    [{ where: { name: "x" } }, {}, "patch: must name a column to change"],
    [{ where: { name: "x" } }, { rank: undefined }, "patch: must name a column to change"],
    [{ where: { name: "x" } }, { rnak: 1 }, 'rnak: unknown column "rnak"; did you mean "rank"?'],
    [{ where: { name: "x" } }, { id: "y" }, "id: is the row's key and cannot change"],
  ])("refuses %o with %o", async (filter, patch, message) => {
    expect((await refusal(repo.products.updateMany(filter as never, patch as never))).issues).toEqual([
      message,
    ]);
  });

  it("takes a condition that no row fits", async () => {
    expect(await repo.products.updateMany({ where: { or: [] } }, { rank: 1 })).toBe(0);
    expect(await repo.products.updateMany({ where: { not: { and: [] } } }, { rank: 1 })).toBe(0);
  });
});

describe("deleteMany", () => {
  it("stamps the living rows that fit where soft delete is declared", async () => {
    const [one] = [
      await makeProduct({ name: "K" }),
      await makeProduct({ name: "K" }),
      await makeProduct({ name: "L" }),
    ];
    const query = repo.products.deleteMany({ where: { name: "K" } });
    expect(query.toSQL().text).toBe(
      'update "shop"."products" as t0 set "deleted_at" = clock_timestamp(), "deleted_by" = $1, "updated_by" = $2 where (t0."name" = $3) and t0."deleted_at" is null',
    );
    expect(await db.as({ userId: "ann" }, () => query)).toBe(2);
    const dead = await repo.products.onlyDeleted().get(one.id);
    expect(dead).toMatchObject({ deletedBy: "ann", deletedAt: expect.any(Date) });
    const filter = { where: { name: "K" } };
    for (const view of [repo.products, repo.products.withDeleted(), repo.products.onlyDeleted()])
      expect(await view.deleteMany(filter)).toBe(0);
    expect(await repo.products.onlyDeleted().deleteMany({ where: { name: "L" } })).toBe(0);
    expect(await repo.products.withDeleted().get(one.id)).toEqual(dead);
  });

  it("takes the children of every row along, each under its parent's stamp", async () => {
    const library = await openLibrary();
    const authors = await Promise.all([1, 2, 3].map(() => library.makeAuthor({ name: "Gone" })));
    for (const { id: authorId } of authors) await library.makeBook({ authorId });
    const dead = await library.repo.authors.deleteMany(
      { where: { name: "Gone", id: { not: authors[2]?.id ?? "" } } },
      { returning: ["id", "deletedAt"] },
    );
    expect(dead).toHaveLength(2);
    for (const { id: authorId, deletedAt } of dead) {
      const { data } = await library.repo.books.onlyDeleted().list({ where: { authorId } });
      expect(data).toMatchObject([{ deletedAt }]);
    }
    expect(await library.repo.books.count()).toBe(1);
  });

  it("removes rows for good where it is not, and gives them back when asked to", async () => {
    const made = await repo.visits.createMany(
      [1, 2, 3].map((n) => ({ page: "d", day: `2026-01-0${n}`, views: n })),
    );
    expect(
      await repo.visits.deleteMany({ where: { page: "d", views: { gt: 2 } } }, { returning: true }),
    ).toEqual([made[2]]);
    expect(await repo.visits.deleteMany({ where: "all" }, { returning: ["views"] })).toHaveLength(2);
    expect(await repo.visits.count()).toBe(0);
  });

  it("deletes none when something still refers to one of them", async () => {
    const [a, b] = await repo.customers.createMany([{ name: "del" }, { name: "del" }]);
    await repo.orders.create({ customerId: a?.id ?? 0n });
    expect(await rejection(repo.customers.deleteMany({ where: { name: "del" } }))).toMatchObject({
      code: "FOREIGN_KEY_VIOLATION",
    });
    expect(await repo.customers.find(b?.id ?? 0n)).toBeDefined();
  });

  it.each<[unknown, unknown, string]>([
    [{}, {}, 'where: must say which rows; "all" means every row'],
    [{ where: { and: [{}] } }, {}, 'where: must say which rows; "all" means every row'],
    [{ where: { id: { notIn: [] } } }, {}, 'where: must say which rows; "all" means every row'],
    [{ where: { nmae: 1 } }, {}, expect.stringMatching(/^where.nmae: unknown column "nmae"/)],
    [{ where: "all" }, { returning: null }, "returning: must be true, false or a list of columns"],
    [{ where: "all" }, { force: true }, 'force: unknown option "force"; allowed: returning'],
  ])("refuses %o with %o", async (filter, options, message) => {
    expect((await refusal(repo.products.deleteMany(filter as never, options as never))).issues).toEqual([
      message,
    ]);
  });
});

describe("returning", () => {
  it("gives nothing, some columns or the row, whatever the write", async () => {
    const input = { sku: "ret", name: "n" };
    expect(await repo.products.create({ sku: "ret0", name: "n" }, { returning: false })).toBeUndefined();
    const made = await repo.products.create(input, { returning: ["id", "sku"] });
    expect(made).toEqual({ id: expect.any(String), sku: "ret" });
    const { id } = made;
    expect(await repo.products.update(id, { rank: 1 }, { returning: ["rank"] })).toEqual({ rank: 1 });
    expect(await repo.products.update(id, { rank: 2 }, { returning: false })).toBeUndefined();
    expect(await repo.products.update(id, {}, { returning: ["rank"] })).toEqual({ rank: 2 });
    expect(await repo.products.update(id, {}, { returning: false })).toBeUndefined();
    expect(await repo.products.upsert(input, { on: "sku", returning: ["id"] })).toEqual({ id });
    expect(await repo.products.delete(id, { returning: ["sku"] })).toEqual({ sku: "ret" });
    expect(await repo.products.restore(id, { returning: false })).toBeUndefined();
    for (const returning of [false, true] as const) {
      const calls = [
        repo.products.update("none", { rank: 1 }, { returning }),
        repo.products.update("none", {}, { returning }),
        repo.products.delete("none", { returning }),
        repo.products.restore("none", { returning }),
      ];
      for (const call of calls) expect(await rejection(call)).toMatchObject({ code: "NOT_FOUND" });
    }
  });

  it("counts the rows that createMany made, when none is wanted", async () => {
    const labels = [{ text: "r1" }, { text: "r2" }, { text: "r1" }];
    expect(await repo.labels.createMany(labels, { onConflict: "ignore", returning: false })).toBe(2);
    expect(await repo.labels.createMany([{ text: "r3" }], { returning: ["text"] })).toEqual([{ text: "r3" }]);
    expect(await repo.labels.createMany([], { returning: false })).toBe(0);
  });

  it("sends no RETURNING for nothing", () => {
    expect(repo.labels.create({ text: "x" }, { returning: false }).toSQL().text).toBe(
      'insert into "shop"."labels" as t0 ("text") values ($1)',
    );
  });
});

describe("createMany with a key to ignore", () => {
  it("leaves out rows whose key is taken, and fails on any other", async () => {
    const taken = await makeProduct({ sku: "taken" });
    const ignore = { onConflict: "ignore", on: "sku" } as const;
    const query = repo.products.createMany(
      [
        { sku: "taken", name: "x" },
        { sku: "free", name: "y" },
      ],
      ignore,
    );
    expect(query.toSQL().text).toContain('on conflict ("sku") where "deleted_at" is null do nothing');
    expect((await query).map(({ sku }) => sku)).toEqual(["free"]);
    expect(
      await rejection(repo.products.createMany([{ id: taken.id, sku: "another", name: "x" }], ignore)),
    ).toMatchObject({ code: "UNIQUE_VIOLATION" });
    await repo.products.delete(taken.id);
    expect(await repo.products.createMany([{ sku: "taken", name: "x" }], ignore)).toHaveLength(1);
  });

  it.each<[object, string]>([
    [{ on: "sku" }, "on: says which key is ignored, and belongs to onConflict: ignore"],
    [{ onConflict: "ignore", on: "name" }, "on: must be a unique key, one of: id; sku"],
    [{ onConflict: "ignore", on: [] }, "on: must be a unique key, one of: id; sku"],
    [{ onConflict: "ignore", on: "cost" }, "on: must be a unique key, one of: id; sku"],
  ])("refuses %o", async (options, message) => {
    expect((await refusal(repo.products.createMany([], options as never))).issues).toEqual([message]);
  });
});
