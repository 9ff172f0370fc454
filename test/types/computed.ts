/** What reads compute, filter, sort and group by, and where their mistakes are shown: checked by the compiler, never run. */
import { bigint, boolean, integer, jsonb, numeric, text, timestamp } from "drizzle-orm/pg-core";
import { type Computed, computed, type Database, type KeysetPage, type Page, type Query } from "plinth";
import type { Flat, Row } from "plinth/schema";
import * as domain from "../support/domain.ts";
import { type Equal, holds } from "./equal.ts";

type Book = Row<typeof domain.books>;

const label = computed(text().notNull())`${domain.books.title} || ${"!"}`;
const length = computed(integer())`length(${domain.books.title})`;

export function values(db: Database<typeof domain>) {
  const big = computed(bigint({ mode: "bigint" }))`1`;
  holds<Equal<(typeof big)["$type"], bigint | null>>();
  const texts = computed(text().array().notNull())`array['a']`;
  holds<Equal<(typeof texts)["$type"], string[]>>();

  const books = db.repository(domain.books);
  const compute = { label, length, price: computed(numeric())`1` };
  const one = books.find("x", { columns: ["id"], compute });
  holds<
    Equal<
      typeof one,
      Query<{ id: string; label: string; length: number | null; price: string | null } | undefined>
    >
  >();
  const page = books.list({ compute: { label } });
  holds<Equal<typeof page, Query<Page<Flat<Book & { label: string }>>>>>();
  const at = books.list({
    after: null,
    columns: ["id"],
    compute: { at: computed(timestamp({ withTimezone: true }))`now()` },
  });
  holds<Equal<typeof at, Query<KeysetPage<{ id: string; at: Date | null }>>>>();

  // @ts-expect-error no computed column
  books.find("x", { compute: { label: "title" } });
  // @ts-expect-error not a type
  computed("text");
  const other: Computed<number> = length as Computed<number, "PgInteger">;
  void other;
}

export function conditions(db: Database<typeof domain>) {
  const books = db.repository(domain.books);
  const flag = computed(boolean())`true`;
  const document = computed(jsonb())`'{}'`;
  const compute = { label, length, flag, document };
  books.list({ compute, where: { label: { startsWith: "a" }, length: { gt: 3 }, flag: true, title: "x" } });
  books.list({ compute, where: { or: [{ length: null }, { not: { label: { in: ["a"] } } }] } });
  books.list({ compute, where: { document: { path: ["a"], equals: 1 } } });
  books.stream({ compute, where: { length: 3 }, sort: ["-length", { by: "label", nulls: "first" }, "id"] });
  books.list({ compute, sort: "label" });

  // @ts-expect-error no such column, computed or not
  books.list({ compute, where: { lable: "a" } });
  // @ts-expect-error nor deeper
  books.list({ compute, where: { and: [{ lable: "a" }] } });
  // @ts-expect-error it is never null
  books.list({ compute, where: { label: null } });
  // @ts-expect-error a number is compared with numbers
  books.list({ compute, where: { length: "3" } });
  // @ts-expect-error a number has no beginning
  books.list({ compute, where: { length: { startsWith: "3" } } });
  // @ts-expect-error not computed here
  books.list({ where: { label: "a" } });
  // @ts-expect-error not computed here
  books.list({ sort: "label" });
  // @ts-expect-error no such column, computed or not
  books.list({ compute, sort: "lable" });
  // @ts-expect-error no such column, computed or not
  books.stream({ compute, sort: { by: "lable" } });
}

export async function nested(db: Database<typeof domain>) {
  const authors = db.repository(domain.authors);
  const found = await authors.get("x", {
    columns: ["id"],
    with: { books: { columns: ["id"], compute: { label, length }, sort: "-title" } },
  });
  holds<Equal<typeof found, { id: string; books: { id: string; label: string; length: number | null }[] }>>();
  authors.get("x", {
    with: { books: { compute: { label }, sort: "label", where: { label: { contains: "a" } } } },
  });
  // @ts-expect-error no such column, computed or not
  authors.get("x", { with: { books: { compute: { label }, sort: "lable" } } });
  // @ts-expect-error no such column, computed or not
  authors.get("x", { with: { books: { compute: { label }, where: { lable: "x" } } } });
}

export function numbers(db: Database<typeof domain>) {
  const books = db.repository(domain.books);
  const librarians = db.repository(domain.librarians);
  const compute = {
    label,
    length,
    big: computed(bigint({ mode: "bigint" }))`1`,
    at: computed(timestamp())`now()`,
  };
  const groups = books.aggregate({
    compute,
    where: { length: { gt: 1 } },
    groupBy: ["label", "length", "author.name", "language"],
    count: true,
    sum: ["length", "big", "pages"],
    max: ["at", "author.name"],
    countDistinct: "label",
    having: { sum: { length: { gt: 1n } }, max: { "author.name": { gt: "a" } } },
    sort: ["-sum.length", "author.name", { by: "max.author.name" }],
  });
  holds<
    Equal<
      typeof groups,
      Query<
        {
          label: string;
          length: number | null;
          "author.name": string | null;
          language: "en" | "de" | "fr";
          count: number;
          countDistinct: { label: number };
          sum: { length: bigint | null; big: string | null; pages: bigint | null };
          max: { at: Date | null; "author.name": string | null };
        }[]
      >
    >
  >();
  // A key that is never null, of a row that never dies; the next one may be missing.
  const staff = librarians.aggregate({ groupBy: ["branch.name", "branch.head.name"] });
  holds<Equal<typeof staff, Query<{ "branch.name": string; "branch.head.name": string | null }[]>>>();
  const names = librarians.distinct("branch.name");
  holds<Equal<typeof names, Query<string[]>>>();
  const labels = books.distinct("label", { compute: { label }, where: { label: "x" } });
  holds<Equal<typeof labels, Query<string[]>>>();

  // @ts-expect-error no such column of the related row
  books.aggregate({ groupBy: "author.nam" });
  // @ts-expect-error a secret of the related row
  books.aggregate({ groupBy: ["author.apiToken"] });
  // @ts-expect-error many rows
  books.aggregate({ groupBy: "samples.int" });
  // @ts-expect-error not computed here
  books.aggregate({ groupBy: "label" });
  // @ts-expect-error no number
  books.aggregate({ compute, sum: "label" });
  // @ts-expect-error no number
  books.aggregate({ sum: "author.name" });
  // @ts-expect-error not asked for
  books.aggregate({ compute, groupBy: "label", count: true, sort: "length" });
  // @ts-expect-error no such column
  books.distinct("titel");
}
