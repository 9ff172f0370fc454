/** Where mistakes are shown: at the column itself, on a line of its own here. Checked by the compiler, never run. */
import type { Database } from "plinth";
import * as domain from "../support/domain.ts";

export function places(db: Database<typeof domain>) {
  const books = db.repository(domain.books);
  const authors = db.repository(domain.authors);
  books.list({
    where: {
      title: "x",
      // @ts-expect-error no such column
      titel: "x",
    },
  });
  books.list({
    where: {
      or: [
        { title: "x" },
        {
          // @ts-expect-error no such column, inside a list of conditions
          titel: "x",
        },
      ],
    },
  });
  books.list({
    where: {
      author: {
        is: {
          // @ts-expect-error no such column of the related row
          nmae: "x",
        },
      },
    },
  });
  books.list({
    sort: [
      "title",
      // @ts-expect-error no such column
      "-titel",
    ],
  });
  books.get("x", {
    columns: [
      "title",
      // @ts-expect-error no such column
      "titel",
    ],
  });
  authors.get("x", {
    with: {
      books: {
        columns: [
          "title",
          // @ts-expect-error no such column of the related row
          "titel",
        ],
      },
    },
  });
  authors.get("x", {
    with: {
      books: {
        where: {
          // @ts-expect-error no such column of the related row
          titel: "x",
        },
      },
    },
  });
  authors.get("x", {
    with: {
      books: {
        with: {
          author: {
            with: {
              books: {
                with: {
                  // @ts-expect-error no such relation, four levels down
                  autor: true,
                },
              },
            },
          },
        },
      },
    },
  });
  authors.create({
    email: "e",
    name: "n",
    // @ts-expect-error no such column
    nmae: "n",
  });
  authors.update("x", {
    // @ts-expect-error no such column
    nmae: "n",
  });
}
