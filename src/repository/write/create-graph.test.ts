import { describe, expect, it } from "vitest";
import { refusal, rejection } from "../../../test/support/rejection.ts";
import { openWorkbench } from "../where/workbench.fixture.ts";
import { openShop } from "./shop.fixture.ts";

const { db, repo, makeProduct } = await openShop({ pool: { max: 4 } });
const bench = await openWorkbench();

describe("createGraph", () => {
  it("makes rows inside rows with keys of the database's, one insert a level, in one transaction", async () => {
    const input = {
      name: "Ann",
      orders: [
        { note: "first", lines: [{ quantity: 1 }, { quantity: 2 }] },
        { note: "second", lines: [] },
        { note: "third", lines: [{ quantity: 3 }] },
      ],
    };
    const query = repo.customers.createGraph(input);
    const { text, later } = query.toSQL();
    expect([text, ...later]).toEqual([
      'insert into "shop"."customers" as t0 ("name") values ($1) returning t0."id", t0."name", t0."id"',
      'insert into "shop"."orders" as t0 ("note", "customer_id") select r.c1::text, r.c2::bigint from unnest($1::text[], $2::text[]) with ordinality as r(c1, c2, n) order by r.n returning t0."id", t0."customer_id", t0."note", t0."id"',
      'insert into "shop"."lines" as t0 ("quantity", "order_id") select r.c1::integer, r.c2::bigint from unnest($1::text[], $2::text[]) with ordinality as r(c1, c2, n) order by r.n returning t0."id", t0."order_id", t0."product_id", t0."quantity"',
    ]);
    const customer = await query;
    expect(customer.orders.map(({ note, lines }) => [note, lines.map(({ quantity }) => quantity)])).toEqual([
      ["first", [1, 2]],
      ["second", []],
      ["third", [3]],
    ]);
    const read = await repo.customers.get(customer.id, {
      with: { orders: { sort: "id", with: { lines: { sort: "id" } } } },
    });
    expect(read).toEqual(customer);
  });

  it("sends everything in one round trip where Plinth makes the keys", async () => {
    const query = bench.projects.createGraph({
      name: "P",
      tasks: [
        { title: "a", labels: [{ label: "red" }, { label: "blue" }], children: [] },
        { title: "b", labels: [{ label: "green" }] },
      ],
    });
    expect(query.toSQL().later).toEqual([]);
    expect(
      query
        .toSQL()
        .text.split(";\n")
        .map((text) => text.match(/"workbench"\."(\w+)"/)?.[1]),
    ).toEqual(["projects", "labels", "tasks", "task_labels"]);
    const project = await query;
    expect(project.tasks.map(({ projectId }) => projectId)).toEqual([project.id, project.id]);
    const read = await bench.tasks.get(project.tasks[0]?.id ?? "", { with: { labels: { sort: "id" } } });
    expect(read.labels).toEqual(project.tasks[0]?.labels);
    expect(project.tasks[0]?.children).toEqual([]);
    expect("children" in (project.tasks[1] ?? {})).toBe(false);
  });

  it("makes first what a row's own foreign key names, and links through a table", async () => {
    const order = await repo.orders.createGraph({
      note: "n",
      customer: { name: "Bob", profile: { motto: "m", badges: [{ title: "t" }] } },
      lines: [
        { quantity: 1, product: { sku: "g1", name: "G", labels: [{ text: "graph" }] } },
        { quantity: 2 },
      ],
    });
    const read = await repo.orders.get(order.id, {
      with: {
        customer: { with: { profile: { with: { badges: true } } } },
        lines: { sort: "id", with: { product: { with: { labels: true } } } },
      },
    });
    expect(read.customer).toMatchObject({ name: "Bob", profile: { motto: "m", badges: [{ title: "t" }] } });
    expect(read.lines).toMatchObject([
      { quantity: 1, product: { sku: "g1", labels: [{ text: "graph" }] } },
      { quantity: 2, product: null },
    ]);
    expect(order).toMatchObject({ customer: read.customer, customerId: read.customer?.id });
    expect(order).toMatchObject({ lines: [{ product: read.lines[0]?.product }, { quantity: 2 }] });
  });

  it("makes a tree of one table, level by level", async () => {
    const { id: projectId } = await bench.projects.create({ name: "T" });
    const root = await bench.tasks.createGraph({
      projectId,
      title: "root",
      children: [
        { projectId, title: "a", children: [{ projectId, title: "aa" }] },
        { projectId, title: "b" },
      ],
    });
    const { below } = await bench.tasks.get(root.id, { with: { below: true } });
    expect(below.map(({ title }) => title)).toEqual(["a", "b", "aa"]);
    expect((root.children[0]?.children ?? [])[0]).toMatchObject({ parentId: root.children[0]?.id });
  });

  it("signs every row, and keeps secrets to itself", async () => {
    const order = await repo.customers.create({ name: "x" });
    const made = await db.as({ userId: "ann" }, () =>
      repo.orders.createGraph({
        customerId: order.id,
        lines: [{ quantity: 1, product: { sku: "s1", name: "S", cost: 9 } }],
      }),
    );
    const [line] = made.lines;
    expect(line?.product).toMatchObject({ createdBy: "ann", updatedBy: "ann" });
    expect("cost" in (line?.product ?? {})).toBe(false);
    expect(await repo.products.get(line?.productId ?? "", { reveal: ["cost"] })).toMatchObject({ cost: 9 });
  });

  it("leaves nothing of it when a row of the last level fails", async () => {
    const before = [await repo.customers.count(), await repo.orders.count()];
    const bad = repo.customers.createGraph({
      name: "Bad",
      orders: [{ lines: [{ quantity: 1 }, { quantity: 0 }] }],
    });
    expect(await rejection(bad)).toMatchObject({
      code: "CHECK_VIOLATION",
      constraint: "lines_quantity",
      table: "lines",
    });
    expect([await repo.customers.count(), await repo.orders.count()]).toEqual(before);
    const within = db.transaction(async () => {
      await rejection(repo.customers.createGraph({ name: "Bad", orders: [{ lines: [{ quantity: 0 }] }] }));
      return repo.customers.createGraph({ name: "Good", orders: [{ lines: [{ quantity: 1 }] }] });
    });
    expect((await within).orders[0]?.lines).toHaveLength(1);
    expect(await repo.customers.count({ name: "Bad" })).toBe(0);
  });

  it("is all or nothing with what stands beside it in a batch", async () => {
    await makeProduct({ sku: "batch" });
    const error = await rejection(
      db.batch([
        repo.products.create({ sku: "beside", name: "n" }),
        repo.customers.createGraph({ name: "Batch", orders: [{ lines: [{ quantity: 0 }] }] }),
      ]),
    );
    expect(error).toMatchObject({ code: "CHECK_VIOLATION" });
    expect(await repo.products.exists({ sku: "beside" })).toBe(false);
    const [made] = await db.batch([
      repo.customers.createGraph({ name: "B", orders: [{}] }),
      repo.customers.count(),
    ]);
    expect(made.orders).toHaveLength(1);
  });

  it("makes 12,000 rows below one", async () => {
    const lines = Array.from({ length: 12_000 }, (_, i) => ({ quantity: i + 1 }));
    const { id: customerId } = await repo.customers.create({ name: "many" });
    const order = await repo.orders.createGraph({ customerId, lines });
    expect(order.lines.map(({ quantity }) => quantity)).toEqual(lines.map(({ quantity }) => quantity));
  });

  it("says everything that is wrong at any depth, by path, before anything is sent", async () => {
    const input = {
      nmae: "x",
      orders: [
        { lines: [{ quantity: "1" }, { quantity: 1, orderId: 5n }, null] },
        { lines: {}, customer: { name: 1 } },
        7,
      ],
      profile: [],
    };
    const { code, issues } = await refusal(repo.customers.createGraph(input as never));
    expect(code).toBe("INVALID_VALUE");
    expect(issues).toEqual([
      'nmae: unknown column "nmae"; did you mean "name"?',
      "name: is required",
      "orders.0.lines.0.quantity: must be an integer",
      "orders.0.lines.1.orderId: is taken from the row it belongs to",
      "orders.0.lines.2: must be an object of columns and relations",
      "orders.1.customer.name: must be a string",
      "orders.1.customerId: is taken from two rows at once",
      "orders.1.lines: must be a list",
      "orders.2: must be an object of columns and relations",
      "profile: must be an object of columns and relations",
    ]);
  });

  it("refuses an object that holds itself, one that is too deep, and keys of a parsed body that are no columns", async () => {
    const { id: projectId } = await bench.projects.create({ name: "D" });
    const circle: Record<string, unknown> = { projectId, title: "c" };
    circle.children = [circle];
    expect((await refusal(bench.tasks.createGraph(circle as never))).issues).toEqual([
      "children.0: holds itself",
    ]);
    let deep: object = { projectId, title: "x" };
    for (let i = 0; i < 33; i++) deep = { projectId, title: "x", children: [deep] };
    expect((await refusal(bench.tasks.createGraph(deep as never))).issues).toEqual([
      expect.stringMatching(/^(children\.0\.?){33}: is nested more than 32 rows deep$/),
    ]);
    const body: unknown = JSON.parse(
      '{"name": "n", "__proto__": {"name": "y"}, "orders": [{"__proto__": {}}]}',
    );
    expect((await refusal(repo.customers.createGraph(body as never))).issues).toEqual([
      expect.stringContaining('__proto__: unknown column "__proto__"'),
      expect.stringContaining('orders.0.__proto__: unknown column "__proto__"'),
    ]);
    const walked = { projectId, title: "w", below: [{ title: "x" }] };
    expect((await refusal(bench.tasks.createGraph(walked))).issues).toEqual([
      "below: is found by walking the tree, and cannot be made",
    ]);
  });
});
