/** Schemas that both Plinth and drizzle-kit can read: each time a module of its own, in several states. */
import { sql } from "drizzle-orm";
import {
  type AnyPgColumn,
  bigint,
  bigserial,
  bit,
  boolean,
  char,
  check,
  cidr,
  customType,
  date,
  doublePrecision,
  foreignKey,
  index,
  inet,
  integer,
  interval,
  json,
  jsonb,
  line,
  macaddr,
  numeric,
  pgPolicy,
  point,
  primaryKey,
  real,
  serial,
  smallint,
  smallserial,
  text,
  time,
  timestamp,
  unique,
  uniqueIndex,
  uuid,
  varchar,
} from "drizzle-orm/pg-core";
import { appSchema, entity } from "../../schema/index.ts";

const bytea = customType<{ data: Uint8Array }>({ dataType: () => "bytea" });

export type Module = Readonly<Record<string, unknown>>;

/** A column of every type that Drizzle declares without an extension. */
export function everyType(): Module {
  const app = appSchema("garden");
  // drizzle-kit does not quote a quote in an enum's value, nor in a default of json.
  const mood = app.enum("mood", ["sad", "so so", "ok"]);
  const samples = entity(app, "samples", {
    id: bigint({ mode: "bigint" })
      .primaryKey()
      .generatedAlwaysAsIdentity({ startWith: 100, increment: 10, cache: 5 }),
    other: integer().generatedByDefaultAsIdentity({
      name: "odd_numbers",
      minValue: 1,
      maxValue: 500,
      cycle: true,
    }),
    aSerial: serial(),
    aBigserial: bigserial({ mode: "bigint" }),
    aSmallserial: smallserial(),
    aSmallint: smallint().notNull().default(-3),
    aInteger: integer().default(7),
    // drizzle-kit cannot write a default of bigint down: "Do not know how to serialize a BigInt".
    aBigint: bigint({ mode: "bigint" }).default(sql`9007199254740993`),
    aNumeric: numeric({ precision: 12, scale: 3 }).default("1.250"),
    aReal: real().default(1.5),
    aDouble: doublePrecision().default(-0.25),
    aBoolean: boolean().notNull().default(false),
    aText: text().notNull().default('it\'s \\ "quoted"'),
    aVarchar: varchar({ length: 40 }).default("x"),
    aChar: char({ length: 3 }),
    aUuid: uuid().notNull().defaultRandom(),
    aDate: date().default("2026-01-31"),
    aTime: time({ withTimezone: true, precision: 3 }),
    aTimestamp: timestamp({ precision: 3 }).defaultNow(),
    aMoment: timestamp({ withTimezone: true }).notNull().defaultNow(),
    aInterval: interval({ fields: "day to second", precision: 2 }),
    aJson: json().default({ a: [1, "x"] }),
    aJsonb: jsonb().notNull().default([]),
    aInet: inet().default("10.0.0.1"),
    aCidr: cidr(),
    aMacaddr: macaddr(),
    aPoint: point(),
    aLine: line(),
    aBit: bit({ dimensions: 4 }),
    aBytea: bytea(),
    aMood: mood().notNull().default("so so"),
    texts: text().array().notNull().default(["a", "b c"]),
    matrix: integer().array().array(),
    moods: mood().array().default(["ok"]),
    computed: integer().generatedAlwaysAs(sql`length(a_text) * 2`),
    today: date().default(sql`current_date`),
  });
  return { app, mood, samples };
}

/** What a shop has grown, from none of it to all of it. */
export interface ShopForm {
  readonly columns?: boolean;
  readonly indexes?: boolean;
  readonly constraints?: boolean;
  readonly types?: boolean;
  readonly nulls?: boolean;
  readonly defaults?: boolean;
  readonly enumValues?: boolean;
  readonly tables?: boolean;
  readonly views?: boolean;
  readonly sequences?: boolean;
  readonly policies?: boolean;
}

export function shop(form: ShopForm = {}): Module {
  const app = appSchema("garden");
  const stage = app.enum(
    "stage",
    form.enumValues === true ? ["open", "held", "done", "lost"] : ["open", "done"],
  );
  const makers = entity(app, "makers", {
    id: uuid().primaryKey().defaultRandom(),
    email: text().notNull().unique(),
    rank: form.types === true ? bigint({ mode: "bigint" }) : integer(),
    note: form.types === true ? text() : varchar({ length: 20 }),
    price: form.types === true ? numeric({ precision: 12, scale: 2 }) : numeric({ precision: 8, scale: 2 }),
    phone: form.nulls === true ? text().notNull() : text(),
    name: form.nulls === true ? text() : text().notNull(),
    points: form.defaults === true ? integer().default(5) : integer(),
    size: form.defaults === true ? integer() : integer().default(3),
    label: form.defaults === true ? text().default("new") : text().default("old"),
    ...(form.columns === true
      ? {
          at: timestamp({ withTimezone: true }).notNull().defaultNow(),
          tags: text().array().notNull().default([]),
          doc: jsonb(),
          doubled: integer().generatedAlwaysAs(sql`size * 2`),
        }
      : {}),
  });
  const pieces = entity(
    app,
    "pieces",
    {
      id: bigint({ mode: "bigint" }).primaryKey().generatedAlwaysAsIdentity(),
      makerId: uuid().references((): AnyPgColumn => makers.id, { onDelete: "cascade" }),
      parentId: bigint({ mode: "bigint" }),
      title: text().notNull(),
      stage: stage().notNull().default("open"),
      code: text(),
    },
    {
      constraints: (t) => [
        index("pieces_maker").on(t.makerId),
        ...(form.indexes === true
          ? [
              index("pieces_title").on(t.title.desc(), t.code),
              index("pieces_code_last").on(t.code.desc()),
              index("pieces_code_first").on(t.code.asc().nullsFirst()),
              uniqueIndex("pieces_lower").on(sql`lower(${t.title})`),
              index("pieces_open").on(t.code).where(sql`stage = 'open'`),
              index("pieces_hash").using("hash", t.title),
              index("pieces_filled").on(t.stage).with({ fillfactor: 70 }),
            ]
          : []),
        ...(form.constraints === true
          ? [
              check("pieces_titled", sql`length(title) > 0`),
              unique("pieces_code").on(t.code, t.makerId).nullsNotDistinct(),
              foreignKey({ columns: [t.parentId], foreignColumns: [t.id], name: "pieces_parent" })
                .onDelete("set null")
                .onUpdate("cascade"),
            ]
          : []),
        ...(form.policies === true
          ? [
              pgPolicy("pieces_seen", { for: "select", to: "public", using: sql`stage <> 'done'` }),
              pgPolicy("pieces_changed", {
                as: "restrictive",
                for: "update",
                to: "current_user",
                using: sql`id > 0`,
                withCheck: sql`length(title) < 100`,
              }),
            ]
          : []),
      ],
    },
  );
  return {
    app,
    stage,
    makers,
    pieces,
    ...(form.tables === true ? { links: linkTable(app, makers, pieces) } : {}),
    ...(form.sequences === true
      ? {
          numbers: app.sequence("numbers", {
            startWith: 1_000,
            increment: 5,
            maxValue: 90_000,
            cache: 2,
            cycle: true,
          }),
        }
      : {}),
    ...(form.views === true
      ? {
          titles: app
            .view("titles")
            .as((qb) => qb.select({ id: pieces.id, title: pieces.title }).from(pieces)),
          safe: app
            .view("safe")
            .with({ securityInvoker: true, securityBarrier: true })
            .as((qb) => qb.select({ id: pieces.id, code: pieces.code }).from(pieces)),
          stages: app
            .materializedView("stages")
            .as((qb) => qb.select({ stage: pieces.stage }).from(pieces).groupBy(pieces.stage)),
        }
      : {}),
  };
}

function linkTable(
  app: ReturnType<typeof appSchema>,
  makers: { readonly id: AnyPgColumn },
  pieces: { readonly id: AnyPgColumn },
) {
  return entity(
    app,
    "links",
    {
      makerId: uuid().notNull(),
      pieceId: bigint({ mode: "bigint" })
        .notNull()
        .references(() => pieces.id, { onDelete: "restrict", onUpdate: "cascade" }),
      weight: real(),
    },
    {
      constraints: (t) => [
        primaryKey({ columns: [t.makerId, t.pieceId] }),
        foreignKey({ columns: [t.makerId], foreignColumns: [makers.id] }),
        check("links_weight", sql`${t.weight} between 0 and 1`),
      ],
    },
  );
}
