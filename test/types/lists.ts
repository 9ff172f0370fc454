/** What lists and aggregates take and give, and where their mistakes are shown: checked by the compiler, never run. */
import type { Database, EstimatedPage, KeysetPage, Page, Query, UncountedPage } from "plinth";
import type { Row } from "plinth/schema";
import * as domain from "../support/domain.ts";
import { type Equal, holds } from "./equal.ts";

type Book = Row<typeof domain.books>;

export async function pages(db: Database<typeof domain>) {
  const books = db.repository(domain.books);
  const exact = books.list({ total: "exact", page: 2 });
  holds<Equal<typeof exact, Query<Page<Book>>>>();
  const estimated = books.list({ total: "estimated" });
  holds<Equal<typeof estimated, Query<EstimatedPage<Book>>>>();
  const none = books.list({ total: "none", distinctOn: ["authorId", "language"] });
  holds<Equal<typeof none, Query<UncountedPage<Book>>>>();
  const cursor: string | null = Date.now() > 0 ? null : "x";
  const after = books.list({ after: cursor, columns: ["title"], with: { author: { columns: ["name"] } } });
  holds<Equal<typeof after, Query<KeysetPage<{ title: string; author: { name: string } }>>>>();
  const total: "exact" | "none" = Date.now() > 0 ? "exact" : "none";
  const either = books.list({ total });
  holds<Equal<typeof either, Query<Page<Book> | UncountedPage<Book>>>>();

  // @ts-expect-error a cursor counts nothing
  books.list({ after: null, total: "none" });
  // @ts-expect-error no such total
  books.list({ total: "some" });
  // @ts-expect-error no such column
  books.list({ distinctOn: ["titel"] });
  // @ts-expect-error a secret
  db.repository(domain.authors).list({ distinctOn: "apiToken" });
}

export function sorts(db: Database<typeof domain>) {
  const books = db.repository(domain.books);
  books.list({ sort: "author.name" });
  books.list({ sort: ["-author.name", { by: "price", direction: "desc", nulls: "last" }, "id"] });
  books.get("x", { with: { samples: { sort: { by: "int", nulls: "first" } } } });
  db.repository(domain.categories).list({ sort: ["-parent.parent.slug", { by: "parent.slug" }] });
  db.repository(domain.librarians).list({ sort: "branch.head.name" });

  // @ts-expect-error no such column of the related row
  books.list({ sort: "author.nam" });
  // @ts-expect-error a secret of the related row
  books.list({ sort: "author.apiToken" });
  // @ts-expect-error many rows
  db.repository(domain.authors).list({ sort: "books.title" });
  // @ts-expect-error a relation is no column
  books.list({ sort: "author" });
  // @ts-expect-error nor of the short form
  books.list({ sort: { by: "-title" } });
  // @ts-expect-error no such place
  books.list({ sort: { by: "title", nulls: "middle" } });
}

export async function aggregates(db: Database<typeof domain>) {
  const books = db.repository(domain.books);
  const samples = db.repository(domain.samples);
  const all = books.aggregate({ count: true, sum: ["pages", "price", "views"], avg: "stars" });
  holds<
    Equal<
      typeof all,
      Query<{
        count: number;
        sum: { pages: bigint | null; price: string | null; views: string | null };
        avg: { stars: string | null };
      }>
    >
  >();
  const groups = await books.aggregate({
    where: { author: { is: { name: "x" } } },
    groupBy: ["language", "genre"],
    min: "publishedOn",
    max: ["title", "views"],
    countDistinct: "authorId",
    having: { max: { views: { gt: 1n } }, countDistinct: { authorId: 1 } },
    sort: ["-max.views", "language", { by: "countDistinct.authorId", nulls: "last" }],
    limit: 3,
  });
  holds<
    Equal<
      (typeof groups)[number],
      {
        language: "en" | "de" | "fr";
        genre: Book["genre"];
        countDistinct: { authorId: number };
        min: { publishedOn: string | null };
        max: { title: string | null; views: bigint | null };
      }
    >
  >();
  const wide = await samples.aggregate({ sum: ["double", "single", "span", "safe"], max: ["at", "genre"] });
  holds<
    Equal<
      typeof wide,
      {
        sum: {
          double: number | null;
          single: number | null;
          span: string | null;
          safe: string | null;
        };
        max: { at: Date | null; genre: Book["genre"] };
      }
    >
  >();
  const languages = await books.distinct("language", { where: { pages: null }, limit: 2 });
  holds<Equal<typeof languages, ("en" | "de" | "fr")[]>>();

  // @ts-expect-error a text has no sum
  books.aggregate({ sum: "title" });
  // @ts-expect-error a truth value has no least one
  samples.aggregate({ min: "flag" });
  // @ts-expect-error no such column
  books.aggregate({ groupBy: ["languge"], count: true });
  // @ts-expect-error what was not asked for
  books.aggregate({ groupBy: "language", having: { count: 1 } });
  // @ts-expect-error nor sorted by
  books.aggregate({ groupBy: "language", sort: "-count" });
  // @ts-expect-error of another type
  books.aggregate({ groupBy: "language", sum: "pages", having: { sum: { pages: 1 } } });
  // @ts-expect-error a secret
  db.repository(domain.authors).aggregate({ groupBy: "apiToken" });
  // @ts-expect-error no such option
  books.aggregate({ count: true, wehre: {} });
  // @ts-expect-error no such column
  books.distinct("titel");
}

/** Each mistake is shown where it is, beside what is right: an expectation holds for the next line only. */
export function mistakes(db: Database<typeof domain>) {
  const books = db.repository(domain.books);
  const authors = db.repository(domain.authors);
  const categories = db.repository(domain.categories);
  books.list({
    with: {
      author: true,
      // @ts-expect-error no such relation
      nope: true,
    },
    where: {
      title: "x",
      // @ts-expect-error no such column
      titel: "x",
    },
    counts: {
      loans: true,
      // @ts-expect-error no such relation to many
      lones: true,
    },
    columns: [
      "title",
      // @ts-expect-error no such column
      "titel",
    ],
  });
  authors.get("x", {
    with: {
      books: {
        limit: 1,
        // @ts-expect-error no such option
        lmit: 1,
      },
    },
  });
  authors.get("x", {
    with: {
      books: {
        where: {
          title: "x",
          // @ts-expect-error no such column of the related row
          titel: "x",
        },
      },
    },
  });
  authors.get("x", {
    with: {
      books: {
        where: {
          and: [
            { pages: 1 },
            // @ts-expect-error nor in a list of conditions
            { pages: 1, page: 1 },
          ],
        },
      },
    },
  });
  authors.get("x", {
    with: {
      books: {
        sort: [
          "-title",
          // @ts-expect-error no such column of the related row
          "titel",
        ],
      },
    },
  });
  authors.get("x", {
    with: {
      books: {
        with: {
          loans: true,
          // @ts-expect-error no such relation, one level deeper
          lones: true,
        },
      },
    },
  });
  authors.get("x", {
    with: {
      books: {
        counts: {
          samples: {
            where: {
              int: 1,
              // @ts-expect-error no such column, of what is counted
              itn: 1,
            },
          },
        },
      },
    },
  });
  categories.list({
    after: null,
    with: {
      parent: {
        with: {
          children: {
            with: {
              parent: {
                with: {
                  children: true,
                  // @ts-expect-error four levels deep
                  childs: true,
                },
              },
            },
          },
        },
      },
    },
  });
  books.list({
    after: null,
    // @ts-expect-error shown at the property, not at the call
    page: 1,
  });
  books.aggregate({
    count: true,
    sum: [
      "pages",
      // @ts-expect-error a text has no sum
      "title",
    ],
  });
}

/** Depth 4 is exact, and what an editor shows is plain. */
export async function depth(db: Database<typeof domain>) {
  const found = await db.repository(domain.categories).get(1n, {
    columns: ["slug"],
    with: {
      parent: {
        columns: ["slug"],
        with: {
          children: {
            columns: ["id"],
            with: { parent: { columns: ["slug"], with: { children: { columns: ["id"] } } } },
          },
        },
      },
    },
  });
  holds<
    Equal<
      typeof found,
      {
        slug: string;
        parent: {
          slug: string;
          children: { id: bigint; parent: { slug: string; children: { id: bigint }[] } | null }[];
        } | null;
      }
    >
  >();
}
