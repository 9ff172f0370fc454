/** Accounts whose past is kept, in every form that makes a difference to it. */
import { sql } from "drizzle-orm";
import {
  type AnyPgColumn,
  bigint,
  customType,
  date,
  doublePrecision,
  inet,
  integer,
  interval,
  jsonb,
  numeric,
  text,
  timestamp,
} from "drizzle-orm/pg-core";
import { appSchema, authorship, entity, relations, secret, timestamps, ulidKey } from "plinth/schema";
import { testDatabase } from "plinth/testing";
import { afterAll } from "vitest";
import { connect, parseTarget } from "../driver/index.ts";

const bytea = customType<{ data: Buffer; driverData: Buffer }>({ dataType: () => "bytea" });

export const app = appSchema("ledger");
export const state = app.enum("state", ["open", "closed"]);

export const owners = entity(
  app,
  "owners",
  {
    id: ulidKey(),
    email: text().notNull().unique(),
    name: text().notNull(),
    token: secret(text()),
    pin: text(),
    ...timestamps(),
    ...authorship(),
  },
  { softDelete: true, history: { except: ["pin"] } },
);

export const accounts = entity(
  app,
  "accounts",
  {
    id: ulidKey(),
    ownerId: text().references((): AnyPgColumn => owners.id, { onDelete: "cascade" }),
    title: text().notNull(),
    cents: bigint({ mode: "bigint" }).notNull().default(0n),
    state: state().notNull().default("open"),
  },
  { softDelete: true, history: true, search: { columns: ["title"] } },
);

/** Really deleted, with its key in two columns. */
export const shares = entity(
  app,
  "shares",
  {
    accountId: text().primaryKey(),
    holder: text().primaryKey(),
    percent: integer().notNull(),
    permille: integer().generatedAlwaysAs(sql`percent * 10`),
  },
  { history: true },
);

/** One column of each kind that a careless copy would change. */
export const samples = entity(
  app,
  "samples",
  {
    id: bigint({ mode: "bigint" }).primaryKey(),
    big: bigint({ mode: "bigint" }),
    exact: numeric(),
    float: doublePrecision(),
    day: date(),
    moment: timestamp({ withTimezone: true }),
    fine: timestamp({ withTimezone: true, mode: "string", precision: 6 }),
    wall: timestamp({ mode: "string" }),
    span: interval(),
    host: inet(),
    bytes: bytea(),
    document: jsonb(),
    words: text().array(),
    numbers: doublePrecision().array(),
    state: state(),
    states: state().array(),
  },
  { history: true },
);

/** Divided: a write may go to one of its partitions. */
export const postings = entity(
  app,
  "postings",
  {
    id: text().primaryKey(),
    year: integer().primaryKey(),
    cents: integer().notNull(),
  },
  {
    history: true,
    partitionBy: {
      range: ["year"],
      partitions: [
        { name: "postings_2025", from: 2025, to: 2026 },
        { name: "postings_2026", from: 2026, to: 2027 },
      ],
    },
  },
);

/** Without a past. */
export const notes = entity(app, "notes", {
  id: ulidKey(),
  ownerId: text().references((): AnyPgColumn => owners.id),
  text: text().notNull(),
});

export const ownerRelations = relations(owners, (r) => ({
  accounts: r.many(accounts),
  notes: r.many(notes),
}));
export const accountRelations = relations(accounts, (r) => ({ owner: r.one(owners, { via: "ownerId" }) }));

export const schema = {
  app,
  owners,
  accounts,
  shares,
  samples,
  postings,
  notes,
  ownerRelations,
  accountRelations,
};

export type Ledger = Awaited<ReturnType<typeof openLedger>>;

/** A database of the test file's own, and one more client that knows nothing of Plinth. */
export async function openLedger() {
  const { db, url, close } = await testDatabase({ schema });
  const client = await connect(parseTarget(url));
  await client.script("set search_path to ledger");
  afterAll(async () => {
    await client.close();
    await close();
  });
  return {
    db,
    url,
    repo: {
      owners: db.repository(owners),
      accounts: db.repository(accounts),
      shares: db.repository(shares),
      samples: db.repository(samples),
      postings: db.repository(postings),
      notes: db.repository(notes),
    },
    /** The rows of the last statement, as text. */
    run: async (text: string) => (await client.script(text)).at(-1)?.rows ?? [],
  };
}
