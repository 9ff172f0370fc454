/** What conditions take: checked by the compiler, never run. */
import { customType, inet, integer, json, jsonb, text } from "drizzle-orm/pg-core";
import { condition, type Database, type Where } from "plinth";
import { appSchema, entity, secret, ulidKey } from "plinth/schema";
import * as domain from "../support/domain.ts";

interface Meta {
  readonly owner: { readonly name: string; readonly age: number };
  readonly tags: readonly string[];
}

const app = appSchema("types");
const range = customType<{ data: string }>({ dataType: () => "daterange" });
const things = entity(app, "things", {
  id: ulidKey(),
  name: text().notNull(),
  token: secret(text()),
  meta: jsonb().$type<Meta>().notNull(),
  anything: jsonb(),
  old: json(),
  tags: text().array().notNull(),
  grid: integer().array().array(),
  kinds: text({ enum: ["a", "b"] }).array(),
  host: inet(),
  during: range(),
});

export function columns(db: Database<{ things: typeof things }>) {
  const repository = db.repository(things);
  repository.count({ name: { between: ["a", "b"], matches: "release notes", config: "english" } });
  repository.count({ tags: ["a"], grid: { has: 1 }, kinds: { hasEvery: ["a"], isEmpty: false } });
  repository.count({
    tags: { equals: ["a"], not: ["b"], hasSome: ["a"], containedBy: ["a", "b"], gt: ["a"] },
  });
  repository.count({ meta: { contains: { owner: { age: 1 } }, hasKey: "owner" }, anything: null });
  repository.count({ meta: { path: ["owner", "age"], gte: 1, in: [1, null, "x"] } });
  repository.count({ anything: { contains: { any: ["thing"] } }, old: { path: ["a", -1], exists: true } });
  repository.count({ old: null, host: { containedBy: "10.0.0.0/8" }, during: { overlaps: "[2026-01-01,)" } });
  repository.count(condition`${things.name} = ${1}`);
  repository.count({ and: [{ name: "x" }, condition`true`], or: [condition`true`], not: condition`false` });

  // @ts-expect-error two ends
  repository.count({ name: { between: ["a"] } });
  // @ts-expect-error of the column's type
  repository.count({ name: { between: [1, 2] } });
  // @ts-expect-error an item, not a list
  repository.count({ tags: { has: ["a"] } });
  // @ts-expect-error of the items' type
  repository.count({ tags: { hasSome: [1] } });
  // @ts-expect-error the innermost items
  repository.count({ grid: { has: [1] } });
  // @ts-expect-error no such value
  repository.count({ kinds: { has: "c" } });
  // @ts-expect-error lists of lists are no membership
  repository.count({ tags: { in: [["a"]] } });
  // @ts-expect-error arrays only
  repository.count({ name: { has: "a" } });
  // @ts-expect-error a part of what the document is
  repository.count({ meta: { contains: { owner: { age: "1" } } } });
  // @ts-expect-error no such part
  repository.count({ meta: { contains: { ownr: {} } } });
  // @ts-expect-error a document is compared by operators
  repository.count({ meta: { owner: { name: "x", age: 1 } } });
  // @ts-expect-error no order among objects
  repository.count({ meta: { path: ["owner"], gt: {} } });
  // @ts-expect-error of a path, not of the whole
  repository.count({ meta: { exists: true } });
  // @ts-expect-error of the whole, not of a path
  repository.count({ meta: { path: ["owner"], hasKey: "x" } });
  // @ts-expect-error json cannot be compared
  repository.count({ old: { contains: {} } });
  // @ts-expect-error networks have no prefix
  repository.count({ host: { startsWith: "10." } });
  // @ts-expect-error texts only
  repository.count({ tags: { matches: "x" } });
  // @ts-expect-error a secret
  repository.count({ token: "x" });
  // @ts-expect-error a template's own text only
  repository.count(condition("true"));
  // @ts-expect-error not any object
  repository.count({ content: [] });
}

export function relations(db: Database<typeof domain>) {
  const [authors, books] = [db.repository(domain.authors), db.repository(domain.books)];
  const categories = db.repository(domain.categories);
  authors.count({ books: { some: { title: "x" }, none: { pages: 1 }, every: {} } });
  books.exists({ author: { is: { name: { startsWith: "A" } }, isNot: null } });
  books.list({ with: { author: { where: { books: { some: { title: "x" } } } } } });
  books.count({ or: [{ author: { is: null } }, { not: { author: { is: { books: { none: {} } } } } }] });
  categories.count({ parent: { is: { children: { every: { slug: "x", parent: { is: null } } } } } });
  authors.count({ books: { some: condition`true` } });
  const titled: Where<typeof domain.books> = { title: "x" };
  authors.count({ books: { some: titled } });
  const written: Where<typeof domain.books, typeof domain> = { author: { is: { name: "x" } } };
  authors.count({ books: { some: written } });

  // @ts-expect-error no such relation
  authors.count({ bookz: { some: {} } });
  // @ts-expect-error no such column of the related row
  authors.count({ books: { some: { titel: "x" } } });
  // @ts-expect-error of another type
  authors.count({ books: { some: { title: 1 } } });
  // @ts-expect-error nor two levels down
  categories.count({ parent: { is: { children: { some: { slugg: "x" } } } } });
  // @ts-expect-error one row has is and isNot
  books.count({ author: { some: {} } });
  // @ts-expect-error many rows have some, none and every
  authors.count({ books: { is: {} } });
  // @ts-expect-error many rows are never null
  authors.count({ books: { some: null } });
  // @ts-expect-error a secret of the related row
  books.count({ author: { is: { apiToken: "x" } } });
}
