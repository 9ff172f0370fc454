/** The depot: columns of every kind that has operators, relations of every kind, and rows that die or are removed. */
import {
  type AnyPgColumn,
  bigint,
  boolean,
  char,
  cidr,
  customType,
  date,
  doublePrecision,
  foreignKey,
  inet,
  integer,
  interval,
  json,
  jsonb,
  macaddr,
  numeric,
  real,
  smallint,
  text,
  time,
  timestamp,
  uuid,
  varchar,
} from "drizzle-orm/pg-core";
import { appSchema, entity, oneOf, relations, secret } from "plinth/schema";

export const app = appSchema("depot");
export const grade = app.enum("grade", ["low", "high", "Best", "a worst"]);
const bytea = customType<{ data: Buffer }>({ dataType: () => "bytea" });
const range = customType<{ data: string }>({ dataType: () => "int4range" });

/** A tree of its own, with a circle in it. */
export const regions = entity(
  app,
  "regions",
  {
    id: text().primaryKey(),
    parentId: text().references((): AnyPgColumn => regions.id, { onDelete: "cascade" }),
    name: text().notNull(),
    rank: integer(),
  },
  { softDelete: true, list: { defaultSort: "-name" } },
);

export const sites = entity(
  app,
  "sites",
  {
    id: text().primaryKey(),
    regionId: text().references((): AnyPgColumn => regions.id, { onDelete: "set null" }),
    code: varchar({ length: 40 }).unique(),
    title: text().notNull(),
    summary: text(),
    fixed: char({ length: 4 }),
    status: oneOf(["open", "shut", "Öd"]).notNull().default("open"),
    grade: grade(),
    flag: boolean(),
    small: smallint(),
    int: integer(),
    big: bigint({ mode: "bigint" }),
    safe: bigint({ mode: "number" }),
    exact: numeric(),
    price: numeric({ precision: 30, scale: 2 }),
    double: doublePrecision(),
    single: real(),
    share: doublePrecision(),
    ref: uuid(),
    tags: text().array(),
    document: jsonb(),
  },
  { softDelete: true },
);

/** At most one of a site. */
export const permits = entity(app, "permits", {
  id: bigint({ mode: "bigint" }).primaryKey(),
  siteId: text()
    .unique()
    .references((): AnyPgColumn => sites.id, { onDelete: "set null" }),
  holder: text(),
  token: secret(text()),
});

/** A composite key. */
export const readings = entity(
  app,
  "readings",
  {
    siteId: text()
      .primaryKey()
      .references((): AnyPgColumn => sites.id, { onDelete: "cascade" }),
    no: integer().primaryKey(),
    at: timestamp({ withTimezone: true }),
    exactAt: timestamp({ withTimezone: true, mode: "string" }),
    local: timestamp({ mode: "string" }),
    day: date(),
    dayAsDate: date({ mode: "date" }),
    clock: time(),
    span: interval(),
    bytes: bytea(),
  },
  { softDelete: true },
);

/** Refers to a composite key. */
export const notes = entity(
  app,
  "notes",
  {
    id: integer().primaryKey(),
    siteId: text(),
    no: integer(),
    body: text(),
    document: jsonb(),
    old: json(),
    tags: text().array(),
    numbers: integer().array(),
    grid: integer().array().array(),
  },
  {
    softDelete: true,
    constraints: (t) => [
      foreignKey({ columns: [t.siteId, t.no], foreignColumns: [readings.siteId, readings.no] }).onDelete(
        "cascade",
      ),
    ],
  },
);

export const labels = entity(
  app,
  "labels",
  { id: text().primaryKey(), label: text().notNull() },
  { softDelete: true },
);

export const siteLabels = entity(
  app,
  "site_labels",
  {
    siteId: text()
      .primaryKey()
      .references((): AnyPgColumn => sites.id, { onDelete: "cascade" }),
    labelId: text()
      .primaryKey()
      .references((): AnyPgColumn => labels.id, { onDelete: "cascade" }),
    weight: integer(),
  },
  { softDelete: true },
);

export const hosts = entity(app, "hosts", {
  id: uuid().primaryKey(),
  siteId: text().references((): AnyPgColumn => sites.id, { onDelete: "set null" }),
  host: inet(),
  network: cidr(),
  mac: macaddr(),
  during: range(),
});

export const regionRelations = relations(regions, (r) => ({
  parent: r.one(regions, { via: "parentId" }),
  children: r.many(regions, { via: "parentId" }),
  path: r.ancestors({ via: "parentId" }),
  below: r.descendants({ via: "parentId" }),
  sites: r.many(sites),
}));
export const siteRelations = relations(sites, (r) => ({
  region: r.one(regions, { via: "regionId" }),
  permit: r.one(permits),
  readings: r.many(readings),
  labels: r.many(labels, { through: siteLabels }),
  hosts: r.many(hosts),
}));
export const permitRelations = relations(permits, (r) => ({ site: r.one(sites, { via: "siteId" }) }));
export const readingRelations = relations(readings, (r) => ({
  site: r.one(sites, { via: "siteId" }),
  notes: r.many(notes),
}));
export const noteRelations = relations(notes, (r) => ({ reading: r.one(readings) }));
export const labelRelations = relations(labels, (r) => ({
  sites: r.many(sites, { through: siteLabels }),
  links: r.many(siteLabels),
}));
export const linkRelations = relations(siteLabels, (r) => ({
  site: r.one(sites, { via: "siteId" }),
  label: r.one(labels, { via: "labelId" }),
}));
export const hostRelations = relations(hosts, (r) => ({ site: r.one(sites, { via: "siteId" }) }));
