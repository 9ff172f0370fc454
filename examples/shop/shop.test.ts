import { catalogDifferences, type TestDatabase, testDatabase } from "plinth/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SOAK_TIMEOUT_MS } from "../../test/support/soak.ts";
import { MIGRATIONS } from "./db.ts";
import { libraryOn, NotAvailable } from "./library.ts";
import { OutOfStock, ordersOn } from "./orders.ts";
import { rush } from "./rush.ts";
import * as schema from "./schema.ts";
import { InsufficientFunds, walletsOn } from "./wallets.ts";

let database: TestDatabase<typeof schema>;
beforeAll(async () => {
  database = await testDatabase({ schema });
});
afterAll(() => database.close());

/** A tenth in `npm test`. */
const RUSH_MS = process.env.PLINTH_SOAK === "1" ? 10_000 : 1_000;

/** What each of many did, by its result or the name of its error. */
async function outcomes(calls: readonly PromiseLike<unknown>[]): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const end of await Promise.allSettled(calls)) {
    const name = end.status === "fulfilled" ? "done" : ((end.reason as Error).constructor.name ?? "");
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

it("the migrations make what the schema declares", async () => {
  expect(await catalogDifferences({ schema, migrations: MIGRATIONS })).toEqual([]);
});

describe("an order", () => {
  const stocked = (stock: number, priceCents = 250n) =>
    database.db.repository(schema.products).create({ name: "Tea", stock, priceCents });

  it("takes its stock, keeps its price, and is confirmed once it is there", async () => {
    const confirmed: string[] = [];
    const orders = ordersOn(database.db, (id) => confirmed.push(id));
    const [tea, cup] = [await stocked(10), await stocked(3, 1_000n)];
    const order = await orders.place("ann", [
      { productId: tea.id, quantity: 4 },
      { productId: cup.id, quantity: 1 },
    ]);
    expect([order.totalCents, confirmed]).toEqual([2_000n, [order.id]]);
    const products = database.db.repository(schema.products);
    await products.update(tea.id, { priceCents: 9n });
    const { items } = await orders.get(order.id);
    expect(items.find(({ productId }) => productId === tea.id)).toMatchObject({
      priceCents: 250n,
      product: { stock: 6 },
    });
  });

  it("that cannot be had leaves no trace, and nobody is told", async () => {
    const confirmed: string[] = [];
    const orders = ordersOn(database.db, (id) => confirmed.push(id));
    const [tea, cup] = [await stocked(10), await stocked(1)];
    const count = () => database.db.repository(schema.orders).count();
    const before = await count();
    const failing = orders.place("bob", [
      { productId: tea.id, quantity: 1 },
      { productId: cup.id, quantity: 2 },
    ]);
    await expect(failing).rejects.toBeInstanceOf(OutOfStock);
    expect([await count(), confirmed]).toEqual([before, []]);
    expect((await database.db.repository(schema.products).get(tea.id)).stock).toBe(10);
  });

  it("of forty customers at once never sells what is not there", async () => {
    const orders = ordersOn(database.db);
    const [tea, cup] = [await stocked(25), await stocked(25)];
    const calls = Array.from({ length: 40 }, (_, i) => {
      const wanted = [
        { productId: tea.id, quantity: 1 },
        { productId: cup.id, quantity: 1 },
      ];
      return orders.place(`customer ${i}`, i % 2 === 0 ? wanted : wanted.toReversed());
    });
    expect(await outcomes(calls)).toEqual({ done: 25, OutOfStock: 15 });
    const left = await database.db.repository(schema.products).findMany([tea.id, cup.id]);
    expect(left.map((product) => product?.stock)).toEqual([0, 0]);
  });

  it("never sells more than there is by any other way either", async () => {
    const tea = await stocked(1);
    const raw = database.db.sql`update shop.products set stock = stock - 2 where id = ${tea.id}`;
    await expect(raw).rejects.toMatchObject({ code: "CHECK_VIOLATION" });
  });
});

describe("a transfer", () => {
  it("moves the money and says so in the log, or does neither", async () => {
    const wallets = walletsOn(database.db);
    const [ann, bob] = [await wallets.open("ann", 100n), await wallets.open("bob")];
    await wallets.transfer({ fromId: ann.id, toId: bob.id, amountCents: 60n });
    const late = wallets.transfer({ fromId: ann.id, toId: bob.id, amountCents: 60n });
    await expect(late).rejects.toBeInstanceOf(InsufficientFunds);
    expect([await wallets.balance(ann.id), await wallets.balance(bob.id)]).toEqual([40n, 60n]);
    expect(await database.db.repository(schema.transfers).count({ fromId: ann.id })).toBe(1);
  });

  it.each(["read committed", "repeatable read", "serializable"] as const)(
    "among 32 workers over ten wallets keeps the sum to the cent at %s",
    async (isolation) => {
      const { done, exhausted, difference, failures } = await rush(database.db, {
        isolation,
        forMs: RUSH_MS,
      });
      expect([difference, failures]).toEqual([0n, []]);
      expect(done).toBeGreaterThan(0);
      if (isolation === "read committed") expect(exhausted / done).toBeLessThan(0.001);
    },
    SOAK_TIMEOUT_MS,
  );
});

describe("the library", () => {
  it("lends the last copy once, and none twice to one reader", async () => {
    const library = libraryOn(database.db);
    const book = await library.add("SQL", 3);
    const calls = Array.from({ length: 12 }, (_, i) => library.borrow(book.id, `reader ${i % 6}`));
    const ends = await Promise.allSettled(calls);
    const lent = ends.flatMap((end) => (end.status === "fulfilled" ? [end.value] : []));
    expect(lent).toHaveLength(3);
    expect(new Set(lent.map(({ reader }) => reader)).size).toBe(3);
    for (const end of ends) if (end.status === "rejected") expect(end.reason).toBeInstanceOf(NotAvailable);
    expect((await database.db.repository(schema.books).get(book.id)).available).toBe(0);
  });

  it("takes a copy back once, however often it is given back", async () => {
    const library = libraryOn(database.db);
    const book = await library.add("Rust", 1);
    const loan = await library.borrow(book.id, "ann");
    expect(await library.borrowed("ann")).toMatchObject([{ id: loan.id }]);
    await Promise.all([library.giveBack(loan.id), library.giveBack(loan.id), library.giveBack(loan.id)]);
    expect((await database.db.repository(schema.books).get(book.id)).available).toBe(1);
    expect(await library.borrowed("ann")).toEqual([]);
    expect((await library.borrow(book.id, "ann")).id).not.toBe(loan.id);
  });
});
