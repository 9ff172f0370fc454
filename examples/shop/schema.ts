import { sql } from "drizzle-orm";
import {
  type AnyPgColumn,
  bigint,
  check,
  index,
  integer,
  text,
  timestamp,
  uniqueIndex,
} from "drizzle-orm/pg-core";
import { appSchema, entity, relations, timestamps, ulidKey } from "plinth/schema";

export const app = appSchema("shop");

/** Money is whole cents: no rounding, no floating point. */
const cents = () => bigint({ mode: "bigint" }).notNull();

export const orderStatus = app.enum("order_status", ["pending", "paid", "canceled"]);

export const products = entity(
  app,
  "products",
  {
    id: ulidKey(),
    name: text().notNull(),
    priceCents: cents(),
    stock: integer().notNull().default(0),
    ...timestamps(),
  },
  {
    // The last line: whatever a program forgets, nobody sells what is not there.
    constraints: (t) => [
      check("products_stock_not_negative", sql`${t.stock} >= 0`),
      check("products_price_not_negative", sql`${t.priceCents} >= 0`),
    ],
  },
);

export const orders = entity(app, "orders", {
  id: ulidKey(),
  customer: text().notNull(),
  status: orderStatus().notNull().default("pending"),
  totalCents: cents(),
  ...timestamps(),
});

export const orderItems = entity(
  app,
  "order_items",
  {
    id: ulidKey(),
    orderId: text()
      .notNull()
      .references((): AnyPgColumn => orders.id, { onDelete: "cascade" }),
    productId: text()
      .notNull()
      .references((): AnyPgColumn => products.id, { onDelete: "restrict" }),
    quantity: integer().notNull(),
    /** What it cost then: prices change, orders do not. */
    priceCents: cents(),
  },
  {
    constraints: (t) => [
      index().on(t.orderId),
      index().on(t.productId),
      check("order_items_quantity_positive", sql`${t.quantity} > 0`),
    ],
  },
);

export const wallets = entity(
  app,
  "wallets",
  { id: ulidKey(), owner: text().notNull().unique(), balanceCents: cents().default(0n), ...timestamps() },
  { constraints: (t) => [check("wallets_balance_not_negative", sql`${t.balanceCents} >= 0`)] },
);

/** What moved, and when: never changed. */
export const transfers = entity(
  app,
  "transfers",
  {
    id: ulidKey(),
    fromId: text()
      .notNull()
      .references((): AnyPgColumn => wallets.id, { onDelete: "restrict" }),
    toId: text()
      .notNull()
      .references((): AnyPgColumn => wallets.id, { onDelete: "restrict" }),
    amountCents: cents(),
    createdAt: timestamps().createdAt,
  },
  {
    constraints: (t) => [
      index().on(t.fromId, t.createdAt),
      index().on(t.toId, t.createdAt),
      check("transfers_amount_positive", sql`${t.amountCents} > 0`),
      check("transfers_between_two", sql`${t.fromId} <> ${t.toId}`),
    ],
  },
);

export const books = entity(
  app,
  "books",
  { id: ulidKey(), title: text().notNull(), available: integer().notNull(), ...timestamps() },
  { constraints: (t) => [check("books_available_not_negative", sql`${t.available} >= 0`)] },
);

export const loans = entity(
  app,
  "loans",
  {
    id: ulidKey(),
    bookId: text()
      .notNull()
      .references((): AnyPgColumn => books.id, { onDelete: "restrict" }),
    reader: text().notNull(),
    borrowedAt: timestamps().createdAt,
    returnedAt: timestamp({ withTimezone: true }),
  },
  {
    constraints: (t) => [
      // One copy per reader at a time; as many over the years as they like.
      uniqueIndex("loans_open").on(t.bookId, t.reader).where(sql`${t.returnedAt} is null`),
      index().on(t.reader),
    ],
  },
);

export const orderRelations = relations(orders, (r) => ({ items: r.many(orderItems, { via: "orderId" }) }));
export const orderItemRelations = relations(orderItems, (r) => ({
  product: r.one(products, { via: "productId" }),
}));
