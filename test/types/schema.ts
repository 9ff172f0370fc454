/** What a schema file may declare: checked by the compiler, never run. */
import { sql, type Table } from "drizzle-orm";
import { type AnyPgColumn, integer, jsonb, pgTable, serial, text, timestamp } from "drizzle-orm/pg-core";
import {
  type AnyEntity,
  appSchema,
  type CreateInput,
  entity,
  type Flat,
  type FullRow,
  oneOf,
  type Row,
  relations,
  secret,
  type UpdateInput,
  ulidKey,
} from "plinth/schema";
import { type Equal, holds } from "./equal.ts";

const app = appSchema("types");

// A table that refers to itself, and two that refer to each other, have types all the same.
export const nodes = entity(app, "nodes", {
  id: ulidKey(),
  parentId: text().references((): AnyPgColumn => nodes.id),
});
export const eggs = entity(app, "eggs", {
  id: ulidKey(),
  henId: text().references((): AnyPgColumn => hens.id),
});
export const hens = entity(app, "hens", {
  id: ulidKey(),
  eggId: text().references((): AnyPgColumn => eggs.id),
});
holds<Equal<Row<typeof nodes>, { id: string; parentId: string | null }>>();
holds<Equal<Row<typeof hens>["eggId"], string | null>>();

// Marks survive Drizzle's builder calls.
export const marked = entity(app, "marked", {
  id: ulidKey(),
  token: secret(text()).notNull(),
  tokens: secret(text().array()),
  kind: oneOf(["a", "b"]).notNull().default("a"),
});
holds<Equal<Row<typeof marked>, { id: string; kind: "a" | "b" }>>();

// Declared behaviours add their columns, and only where they are declared.
export const soft = entity(app, "soft", { id: ulidKey() }, { softDelete: true });
export const hard = entity(app, "hard", { id: ulidKey() }, { softDelete: false });
holds<Equal<Row<typeof soft>, { id: string; deletedAt: Date | null; deletedBy: string | null }>>();
holds<Equal<Row<typeof hard>, { id: string }>>();

// Columns that the database makes are no input, or need not be; what they hold is as Drizzle says.
export const made = entity(app, "made", {
  id: integer().primaryKey().generatedByDefaultAsIdentity(),
  position: serial(),
  first: text().notNull(),
  whole: text().notNull().generatedAlwaysAs(sql`first || '!'`),
  settings: jsonb().$type<{ readonly theme: string } | null>().notNull(),
  seenAt: timestamp().$onUpdate(() => new Date()),
  names: text().array().notNull().default([]),
});
holds<Equal<FullRow<typeof made>, Flat<(typeof made)["$inferSelect"]>>>();
holds<Equal<CreateInput<typeof made>, Flat<(typeof made)["$inferInsert"]>>>();
holds<Equal<keyof UpdateInput<typeof made>, "position" | "first" | "settings" | "seenAt" | "names">>();

// @ts-expect-error no such option
entity(app, "t", { id: ulidKey() }, { sofDelete: true });
// @ts-expect-error oneOf needs a value
oneOf([]);
// @ts-expect-error the default is one of the values
oneOf(["a", "b"]).default("c");
// @ts-expect-error via names a column of the other side
relations(hens, (r) => ({ eggs: r.many(eggs, { via: "nope" }) }));

// Generic code hands an entity to Drizzle as the table it is; a table that is no entity is refused.
export function generic<E extends AnyEntity>(entity: E): Table {
  return entity;
}
// @ts-expect-error made by Drizzle alone
generic(pgTable("plain", { id: integer() }));
