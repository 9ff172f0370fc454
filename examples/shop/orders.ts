import { isPlinthError, subtract } from "plinth";
import type { ShopDatabase } from "./db.ts";
import * as schema from "./schema.ts";

/** What a customer wants. */
export interface Wanted {
  readonly productId: string;
  readonly quantity: number;
}

export class OutOfStock extends Error {
  readonly productId: string;
  constructor(productId: string) {
    super(`there is not enough of product ${productId}`);
    this.productId = productId;
  }
}

/** What is told when an order is there for good. */
export type Confirm = (orderId: string) => unknown;

/** Orders: the order, its items and the stock change together, or none of them does. */
export function ordersOn(db: ShopDatabase, confirm: Confirm = () => {}) {
  const products = db.repository(schema.products);
  const orders = db.repository(schema.orders);
  const items = db.repository(schema.orderItems);

  return Object.freeze({
    /**
     * Four round trips and one for each product, whatever the number of customers. Products are taken in the order of their
     * ids, so that two orders of the same ones wait for each other instead of in a circle.
     *
     * @throws {OutOfStock} and nothing has changed.
     */
    place: (customer: string, wanted: readonly Wanted[]) =>
      db.transaction(async () => {
        const inOrder = wanted.toSorted((one, other) => (one.productId < other.productId ? -1 : 1));
        const taken = [];
        for (const { productId, quantity } of inOrder) {
          // The condition is seen by the very statement that takes: there is no moment between looking and taking.
          const product = await products
            .update(productId, { stock: subtract(quantity) }, { where: { stock: { gte: quantity } } })
            .catch((error: unknown) => {
              throw isPlinthError(error) && error.code === "CONDITION_FAILED"
                ? new OutOfStock(productId)
                : error;
            });
          taken.push({ productId, quantity, priceCents: product.priceCents });
        }
        const totalCents = taken.reduce((sum, item) => sum + item.priceCents * BigInt(item.quantity), 0n);
        const order = await orders.create({ customer, totalCents });
        await items.createMany(taken.map((item) => ({ ...item, orderId: order.id })));
        // A mail that went out cannot be rolled back: it waits for the commit.
        db.afterCommit(() => confirm(order.id));
        return order;
      }),
    get: (id: string) => orders.get(id, { with: { items: { with: { product: true } } } }),
  });
}
