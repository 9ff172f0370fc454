import { describe, expect, it } from "vitest";
import { z } from "zod";
import { openLibrary } from "../test/support/library.ts";
import { rejection } from "../test/support/rejection.ts";

const { db } = await openLibrary();

describe("db.sql with a schema", () => {
  const rows = z.object({ n: z.bigint(), day: z.string().transform((day) => `on ${day}`) });

  it("gives rows as the schema makes them", async () => {
    const found = await db.sql(rows)`select ${7}::int8 as n, date '2026-02-28' as day`;
    expect(found).toEqual([{ n: 7n, day: "on 2026-02-28" }]);
  });

  it("names what does not fit, and never its value", async () => {
    const error = await rejection(
      db.sql(rows)`select 1::int8 as n, date '2026-02-28' as day union all select 2::int8, null`,
    );
    expect(error).toMatchObject({ code: "INVALID_DATA" });
    expect(String(error)).toContain("row 1 of the answer does not fit its schema: day");
    const secret = z
      .string()
      .refine((text) => text === "", { error: ({ input }) => `bad: ${String(input)}` });
    const quoting = await rejection(db.sql(z.object({ s: secret }))`select 'hunter2' as s`);
    expect(JSON.stringify(quoting)).not.toContain("hunter2");
  });

  it("works in a transaction, and in a batch", async () => {
    await db.transaction(async (tx) => {
      expect(await tx.sql(z.object({ one: z.number() }))`select 1 as one`).toEqual([{ one: 1 }]);
    });
    const [two] = await db.batch([db.sql(z.object({ two: z.number() }))`select 2 as two`]);
    expect(two).toEqual([{ two: 2 }]);
  });

  it("waits for schemas that need time", async () => {
    const slow = z.object({ one: z.number() }).transform(async ({ one }) => ({ one: one + 1 }));
    expect(await db.sql(slow)`select 1 as one`).toEqual([{ one: 2 }]);
  });
});
