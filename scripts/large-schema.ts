/** A schema of many tables with everything that an application's have, and code that uses each of them. */
export function largeSchema(tables: number): string {
  return `import { type AnyPgColumn, bigint, boolean, date, index, integer, jsonb, numeric, text, timestamp, uuid, varchar } from "drizzle-orm/pg-core";
import { appSchema, authorship, entity, oneOf, relations, secret, timestamps, ulidKey } from "plinth/schema";

const app = appSchema("large");
${list(tables, table)}${list(tables, relation)}`;
}

/** Reads, writes and aggregates of each table, with relations four levels deep. */
export function largeUse(tables: number): string {
  return `import type { Database } from "plinth";
import * as schema from "./schema.ts";

${list(tables, calls)}`;
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

function calls(n: number): string {
  return `
export async function use${n}(db: Database<typeof schema>) {
  const repository = db.repository(schema.table${n});
  const { data } = await repository.list({
    where: { status: "open", rank: { gte: 1 }, parent: { is: { name: { startsWith: "a" } } } },
    sort: ["-rank", "parent.name", { by: "parent.far.dueOn", nulls: "last" }],
    with: { parent: { columns: ["name"], with: { far: { with: { children: { limit: 1, with: { parent: true } } } } } }, children: true },
    counts: { children: true },
  });
  const name: string | undefined = data[0]?.parent.far?.children[0]?.parent.name;
  const made = await repository.create({ name: name ?? "", parentId: "x" });
  await repository.update(made.id, { rank: 2, status: "done" });
  await repository.upsert({ name: "x", parentId: "y", code: "c" }, { on: "code" });
  const page = await repository.list({ after: null, sort: "name", columns: ["id", "name"] });
  const sums = await repository.aggregate({ groupBy: "status", count: true, sum: ["rank", "price"], sort: "-count" });
  const total: bigint | null | undefined = sums[0]?.sum.rank;
  return [page.data[0]?.id, total, await repository.find(made.id, { reveal: ["token"] })];
}
`;
}
