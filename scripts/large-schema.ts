/** A schema of many tables with everything that an application's have, and code that uses each of them. */
export function largeSchema(tables: number): string {
  return `import { type AnyPgColumn, bigint, boolean, date, index, integer, jsonb, numeric, text, timestamp, uuid, varchar } from "drizzle-orm/pg-core";
import { appSchema, authorship, entity, oneOf, relations, secret, timestamps, ulidKey } from "plinth/schema";

const app = appSchema("large");
${list(tables, table)}${list(tables, relation)}`;
}

/** Code that makes so many calls of each table: of the kinds below, by turns. */
export function largeUse(tables: number, callsOfEach: number): string {
  return `import type { Database } from "plinth";
import * as schema from "./schema.ts";

${list(tables, (n) => use(n, callsOfEach))}`;
}

function list(tables: number, write: (n: number, tables: number) => string): string {
  return Array.from({ length: tables }, (_, n) => write(n, tables)).join("");
}

/** Each row belongs to one of the table before, and was looked at by one of a table far away. */
function table(n: number, tables: number): string {
  const far = (n * 7 + 3) % tables;
  return `
export const table${n} = entity(app, "table_${n}", {
  id: ulidKey(),
  name: text().notNull(),
  code: varchar({ length: 20 }).unique(),
  status: oneOf(["open", "done", "late"]).notNull().default("open"),
  rank: integer(),
  views: bigint({ mode: "bigint" }).notNull().default(0n),
  price: numeric({ precision: 10, scale: 2 }),
  isActive: boolean().notNull().default(true),
  dueOn: date(),
  seenAt: timestamp({ withTimezone: true }),
  meta: jsonb().$type<{ readonly tags: readonly string[] }>(),
  external: uuid(),
  tags: text().array(),
  token: secret(text()),
  parentId: text().notNull().references((): AnyPgColumn => table${n === 0 ? 0 : n - 1}.id),
  farId: text().references((): AnyPgColumn => table${far}.id),
  ...timestamps(),
  ...authorship(),
}, { softDelete: true, constraints: (t) => [index().on(t.status, t.rank)] });
`;
}

function relation(n: number, tables: number): string {
  const far = (n * 7 + 3) % tables;
  const child = n + 1 < tables ? n + 1 : n;
  return `
export const relations${n} = relations(table${n}, (r) => ({
  parent: r.one(table${n === 0 ? 0 : n - 1}, { via: "parentId" }),
  far: r.one(table${far}, { via: "farId" }),
  children: r.many(table${child}, { via: "parentId" }),
}));
`;
}

/** Reads four levels deep, writes and aggregates, as an application makes them. The result is used each time. */
const CALLS = [
  `const read = await repository.list({
    where: { status: "open", rank: { gte: 1 }, parent: { is: { name: { startsWith: "a" } } } },
    sort: ["-rank", "parent.name", { by: "parent.far.dueOn", nulls: "last" }],
    with: { parent: { columns: ["name"], with: { far: { with: { children: { limit: 1, with: { parent: true } } } } } }, children: true },
    counts: { children: true },
  });
  const name: string | undefined = read.data[0]?.parent.far?.children[0]?.parent.name;
  results.push(name);`,
  `results.push((await repository.create({ name: "x", parentId: "y" })).id);`,
  `results.push((await repository.update("x", { rank: 2, status: "done" })).rank);`,
  `results.push((await repository.upsert({ name: "x", parentId: "y", code: "c" }, { on: "code" })).code);`,
  `const page = await repository.list({ after: null, sort: "name", columns: ["id", "name"] });
  results.push(page.data[0]?.id);`,
  `const sums = await repository.aggregate({ groupBy: "status", count: true, sum: ["rank", "price"], sort: "-count" });
  const total: bigint | null | undefined = sums[0]?.sum.rank;
  results.push(total);`,
  `results.push((await repository.find("x", { reveal: ["token"] }))?.token);`,
];

function use(n: number, callsOfEach: number): string {
  const calls = Array.from({ length: callsOfEach }, (_, i) => CALLS[(n + i) % CALLS.length]);
  return `
export async function use${n}(db: Database<typeof schema>) {
  const repository = db.repository(schema.table${n});
  const results: unknown[] = [];
  ${calls.join("\n  ")}
  return results;
}
`;
}
