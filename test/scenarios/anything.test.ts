/** Fault 55, at random: whatever is passed wherever, a call is fine or refused, and its SQL keeps its shape. */
import fc from "fast-check";
import { PlinthError } from "plinth";
import { describe, expect, it } from "vitest";
import * as domain from "../support/domain.ts";
import { openLibrary } from "../support/library.ts";
import { rejection } from "../support/rejection.ts";

const { db, repo } = await openLibrary();
const { seed, numRuns } = { seed: 20261121, numRuns: 3_000 };

const anything = fc.anything({
  withBigInt: true,
  withBoxedValues: true,
  withDate: true,
  withMap: true,
  withNullPrototype: true,
  withObjectString: true,
  withSet: true,
  withSparseArray: true,
  withTypedArray: true,
  withUnicodeString: true,
  key: fc.oneof(
    fc.string(),
    fc.constantFrom(
      "title",
      "equals",
      "in",
      "not",
      "or",
      "and",
      "mode",
      "contains",
      "__proto__",
      "constructor",
      "toString",
      "toPostgres",
      "toJSON",
      "then",
      "length",
    ),
  ),
});

/** The text of a call, or the error it is refused with; anything but a `PlinthError` fails the test. */
function outcome(call: () => { toSQL(): { text: string } }): string {
  try {
    return call().toSQL().text;
  } catch (error) {
    if (error instanceof PlinthError) return error.code;
    throw error;
  }
}

describe("anything at all", () => {
  it("as the value of any column leaves one text, or is refused", () => {
    const keys = Object.keys(domain.samples).filter((key) => !["id", "bookId", "enableRLS"].includes(key));
    const textOf = (key: string) => repo.samples.create({ [key]: null }).toSQL().text;
    const texts = new Map(keys.map((key) => [key, textOf(key)]));
    fc.assert(
      fc.property(fc.constantFrom(...keys), anything, (key, value) => {
        if (value === undefined) return;
        expect([texts.get(key), "INVALID_VALUE"]).toContain(
          outcome(() => repo.samples.create({ [key]: value } as never)),
        );
      }),
      { seed, numRuns },
    );
  });

  it("as a key, a list of keys, or a unique key", () => {
    const one = repo.books.find("x").toSQL().text;
    const many = repo.books.findMany(["x"]).toSQL().text;
    fc.assert(
      fc.property(anything, (value) => {
        expect([one, "INVALID_VALUE", "INVALID_QUERY"]).toContain(
          outcome(() => repo.books.find(value as never)),
        );
        expect([many, "INVALID_VALUE", "INVALID_QUERY"]).toContain(
          outcome(() => repo.books.findMany(value as never)),
        );
        outcome(() => repo.loans.find(value as never));
        outcome(() => repo.authors.findBy(value as never));
      }),
      { seed, numRuns },
    );
  });

  it("as a condition, an order, a page, a cursor, a relation, an option", () => {
    const slots = ["where", "sort", "page", "limit", "after", "with", "reveal"];
    fc.assert(
      fc.property(fc.constantFrom(...slots), anything, (slot, value) => {
        const text = outcome(() => repo.books.list({ [slot]: value } as never));
        expect(text.startsWith("select ") || /^INVALID_/.test(text)).toBe(true);
        outcome(() => repo.books.list(value as never));
        outcome(() => repo.books.count({ title: value } as never));
        outcome(() => repo.books.list({ with: { author: value } } as never));
        outcome(() => repo.books.list({ with: { samples: { [slot]: value } } } as never));
      }),
      { seed, numRuns },
    );
  });

  it("as an input or its options", () => {
    fc.assert(
      fc.property(anything, anything, (input, options) => {
        outcome(() => repo.authors.create(input as never));
        outcome(() => repo.authors.createMany(input as never, options as never));
        outcome(() => repo.authors.update("x", input as never));
        outcome(() => repo.authors.upsert(input as never, options as never));
        outcome(() => repo.authors.upsert({ email: "e", name: "n" }, { on: options } as never));
        outcome(() =>
          repo.authors.upsert({ email: "e", name: "n" }, { on: "email", update: options } as never),
        );
        outcome(() => repo.books.increment("x", input as never));
        outcome(() => repo.books.delete(input as never));
        outcome(() => db.sql`select ${input}`);
      }),
      { seed, numRuns },
    );
  });

  it("is more conditions than anybody means: refused before it is sent", async () => {
    const or = Array.from({ length: 70_000 }, (_, i) => ({ title: String(i) }));
    expect((await rejection(repo.books.count({ or }))).message).toContain("10,000 conditions");
  });

  it("is JSON nested past every limit: refused, and the connection goes on", async () => {
    for (const depth of [5_000, 1_000_000]) {
      let document: unknown = [];
      for (let i = 0; i < depth; i++) document = [document];
      const error = await rejection(repo.samples.create({ document }).then(() => repo.samples.get("none")));
      expect(["INVALID_VALUE", "STATEMENT_INVALID"]).toContain(error.code);
    }
    expect(await repo.samples.count()).toBeGreaterThanOrEqual(0);
  });
});
