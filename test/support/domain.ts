/** The library: the one domain that tests of the core share. A little of everything an entity can declare. */
import { sql } from "drizzle-orm";
import {
  type AnyPgColumn,
  bigint,
  boolean,
  char,
  check,
  customType,
  date,
  doublePrecision,
  index,
  inet,
  integer,
  interval,
  json,
  jsonb,
  numeric,
  real,
  serial,
  smallint,
  text,
  time,
  timestamp,
  uniqueIndex,
  uuid,
  varchar,
} from "drizzle-orm/pg-core";
import {
  appSchema,
  authorship,
  entity,
  identityKey,
  oneOf,
  publicId,
  relations,
  secret,
  timestamps,
  ulidKey,
  uuidKey,
} from "plinth/schema";

export const app = appSchema("library");
export const genre = app.enum("genre", ["novel", "poetry", 'it\'s "odd", {really}\\']);

export const authors = entity(
  app,
  "authors",
  {
    id: ulidKey(),
    email: text().notNull().unique(),
    name: text().notNull(),
    bio: text(),
    apiToken: secret(text()),
    ...timestamps(),
    ...authorship(),
  },
  { softDelete: true, list: { defaultSort: "-createdAt" } },
);

export const books = entity(
  app,
  "books",
  {
    id: ulidKey(),
    authorId: text()
      .notNull()
      .references((): AnyPgColumn => authors.id, { onDelete: "cascade" }),
    title: text().notNull(),
    isbn: varchar({ length: 13 }).unique(),
    language: oneOf(["en", "de", "fr"]).notNull().default("en"),
    genre: genre(),
    pages: integer(),
    price: numeric({ precision: 10, scale: 2 }),
    publishedOn: date(),
    shelvedAt: timestamp({ withTimezone: true }),
    views: bigint({ mode: "bigint" }).notNull().default(sql`0`),
    stars: integer(),
  },
  {
    softDelete: true,
    list: { maxLimit: 200 },
    constraints: (t) => [index().on(t.authorId), check("books_pages_positive", sql`${t.pages} > 0`)],
  },
);

/** One of each column type; what a value becomes on the way to the server and back. */
const bytea = customType<{ data: Buffer }>({ dataType: () => "bytea" });
const point = customType<{ data: { x: number; y: number } }>({
  dataType: () => "point",
  toDriver: ({ x, y }) => `(${x},${y})`,
  fromDriver: (value) => {
    const [x, y] = String(value).slice(1, -1).split(",").map(Number);
    return { x: x ?? Number.NaN, y: y ?? Number.NaN };
  },
});

export const samples = entity(app, "samples", {
  id: uuidKey(),
  bookId: text().references((): AnyPgColumn => books.id, { onDelete: "set null" }),
  small: smallint(),
  int: integer(),
  big: bigint({ mode: "bigint" }),
  safe: bigint({ mode: "number" }),
  exact: numeric(),
  exactBig: numeric({ mode: "bigint" }),
  double: doublePrecision(),
  single: real(),
  flag: boolean(),
  at: timestamp({ withTimezone: true }),
  exactAt: timestamp({ withTimezone: true, mode: "string" }),
  local: timestamp(),
  day: date(),
  dayAsDate: date({ mode: "date" }),
  clock: time(),
  span: interval(),
  words: text(),
  code: varchar({ length: 5 }),
  fixed: char({ length: 4 }),
  document: jsonb(),
  plainDocument: json(),
  bytes: bytea(),
  host: inet(),
  genre: genre(),
  place: point(),
  ref: uuid(),
  ints: integer().array(),
  texts: text().array(),
  grid: integer().array().array(),
  textGrid: text().array().array(),
  genres: genre().array(),
  days: date().array(),
  instants: timestamp({ withTimezone: true }).array(),
  blobs: bytea().array(),
  documents: jsonb().array(),
});

export const categories = entity(
  app,
  "categories",
  {
    id: identityKey(),
    parentId: bigint({ mode: "bigint" }).references((): AnyPgColumn => categories.id),
    slug: text().notNull(),
  },
  { constraints: (t) => [uniqueIndex().on(t.slug)] },
);

/** A composite key, deleted for good. */
export const loans = entity(app, "loans", {
  bookId: text()
    .primaryKey()
    .references((): AnyPgColumn => books.id, { onDelete: "restrict" }),
  reader: text().primaryKey(),
  dueOn: date(),
});

/** Public ids so short that they collide. */
export const tickets = entity(app, "tickets", {
  id: identityKey(),
  code: publicId({ length: 1, alphabet: "ab" }),
  note: text(),
});

/** Nothing in it that a caller has to give. */
export const visits = entity(app, "visits", { id: identityKey(), at: timestamp().defaultNow() });
export const signedVisits = entity(app, "signed_visits", { id: serial().primaryKey(), ...authorship() });

/** Two tables that refer to each other. */
export const branches = entity(app, "branches", {
  id: ulidKey(),
  name: text().notNull(),
  headId: text().references((): AnyPgColumn => librarians.id),
});
export const librarians = entity(app, "librarians", {
  id: ulidKey(),
  name: text().notNull(),
  branchId: text()
    .notNull()
    .references((): AnyPgColumn => branches.id),
});

export const authorRelations = relations(authors, (r) => ({ books: r.many(books) }));
export const bookRelations = relations(books, (r) => ({
  author: r.one(authors, { via: "authorId" }),
  samples: r.many(samples),
  loans: r.many(loans),
}));
export const categoryRelations = relations(categories, (r) => ({
  parent: r.one(categories, { via: "parentId" }),
  children: r.many(categories, { via: "parentId" }),
}));
export const branchRelations = relations(branches, (r) => ({
  head: r.one(librarians, { via: "headId" }),
  staff: r.many(librarians, { via: "branchId" }),
}));
export const librarianRelations = relations(librarians, (r) => ({
  branch: r.one(branches, { via: "branchId" }),
}));
