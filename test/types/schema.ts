/** What a schema file may declare: checked by the compiler, never run. */
import { type AnyPgColumn, text } from "drizzle-orm/pg-core";
import { appSchema, entity, oneOf, type Row, relations, secret, ulidKey } from "plinth/schema";
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

// @ts-expect-error no such option
entity(app, "t", { id: ulidKey() }, { sofDelete: true });
// @ts-expect-error oneOf needs a value
oneOf([]);
// @ts-expect-error the default is one of the values
oneOf(["a", "b"]).default("c");
// @ts-expect-error via names a column of the other side
relations(hens, (r) => ({ eggs: r.many(eggs, { via: "nope" }) }));
