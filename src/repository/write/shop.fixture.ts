/** A shop: keys of Plinth's and of the database's, counters, lists and documents. */
import { sql } from "drizzle-orm";
import {
  type AnyPgColumn,
  bigint,
  boolean,
  check,
  date,
  doublePrecision,
  integer,
  json,
  jsonb,
  numeric,
  smallint,
  text,
  timestamp,
  uuid,
} from "drizzle-orm/pg-core";
import { appSchema, authorship, entity, identityKey, relations, secret, ulidKey } from "plinth/schema";
import { type TestDatabaseOptions, testDatabase } from "plinth/testing";
import { afterAll } from "vitest";

const app = appSchema("shop");

export const products = entity(
  app,
  "products",
  {
    id: ulidKey(),
    sku: text().notNull().unique(),
    name: text().notNull(),
    stock: integer().notNull().default(0),
    sold: bigint({ mode: "bigint" }),
    price: numeric({ precision: 10, scale: 2 }),
    rating: doublePrecision(),
    rank: smallint(),
    isListed: boolean(),
    tags: text().array().notNull().default(sql`'{}'`),
    sizes: integer().array(),
    grid: integer().array().array(),
    settings: jsonb().$type<{ color?: string; depth?: { a?: number; b?: number } }>(),
    old: json(),
    seenAt: timestamp({ withTimezone: true }),
    seenOn: date(),
    cost: secret(integer()),
    ...authorship(),
  },
  { softDelete: true, constraints: (t) => [check("products_stock", sql`${t.stock} >= 0`)] },
);

/** Keys that the database makes. */
export const customers = entity(app, "customers", { id: identityKey(), name: text().notNull() });
export const orders = entity(app, "orders", {
  id: identityKey(),
  customerId: bigint({ mode: "bigint" })
    .notNull()
    .references((): AnyPgColumn => customers.id),
  note: text(),
});
export const lines = entity(
  app,
  "lines",
  {
    id: identityKey(),
    orderId: bigint({ mode: "bigint" })
      .notNull()
      .references((): AnyPgColumn => orders.id),
    productId: text().references((): AnyPgColumn => products.id),
    quantity: integer().notNull(),
  },
  { constraints: (t) => [check("lines_quantity", sql`${t.quantity} > 0`)] },
);

/** A key of two parts, and one that is the parent's own. */
export const visits = entity(app, "visits", {
  page: text().primaryKey(),
  day: date().primaryKey(),
  views: integer().notNull(),
  note: text(),
});
export const profiles = entity(app, "profiles", {
  customerId: bigint({ mode: "bigint" })
    .primaryKey()
    .references((): AnyPgColumn => customers.id),
  motto: text(),
});
export const badges = entity(app, "badges", {
  id: ulidKey(),
  profileId: bigint({ mode: "bigint" })
    .notNull()
    .references((): AnyPgColumn => profiles.customerId),
  title: text().notNull(),
});

export const labels = entity(app, "labels", { id: identityKey(), text: text().notNull().unique() });
export const productLabels = entity(app, "product_labels", {
  productId: text()
    .primaryKey()
    .references((): AnyPgColumn => products.id),
  labelId: bigint({ mode: "bigint" })
    .primaryKey()
    .references((): AnyPgColumn => labels.id),
});
export const devices = entity(app, "devices", { id: uuid().primaryKey(), name: text() });

export const productRelations = relations(products, (r) => ({
  lines: r.many(lines),
  labels: r.many(labels, { through: productLabels }),
}));
export const customerRelations = relations(customers, (r) => ({
  orders: r.many(orders),
  profile: r.one(profiles),
}));
export const orderRelations = relations(orders, (r) => ({
  customer: r.one(customers, { via: "customerId" }),
  lines: r.many(lines),
}));
export const lineRelations = relations(lines, (r) => ({ product: r.one(products, { via: "productId" }) }));
export const profileRelations = relations(profiles, (r) => ({ badges: r.many(badges) }));

const schema = {
  app,
  products,
  customers,
  orders,
  lines,
  visits,
  profiles,
  badges,
  labels,
  productLabels,
  devices,
  productRelations,
  customerRelations,
  orderRelations,
  lineRelations,
  profileRelations,
};

export async function openShop(options: Partial<TestDatabaseOptions<typeof schema>> = {}) {
  const { db, url, close } = await testDatabase({ schema, ...options });
  afterAll(close);
  const repo = {
    products: db.repository(products),
    customers: db.repository(customers),
    orders: db.repository(orders),
    lines: db.repository(lines),
    visits: db.repository(visits),
    profiles: db.repository(profiles),
    badges: db.repository(badges),
    labels: db.repository(labels),
    productLabels: db.repository(productLabels),
    devices: db.repository(devices),
  };
  let count = 0;
  const makeProduct = (values: object = {}) =>
    repo.products.create({ sku: `sku${++count}`, name: "Lamp", ...values });
  return { db, url, repo, makeProduct };
}
