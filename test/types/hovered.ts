/** What an editor shows: each constant is hovered by `hover.test.ts`. Checked by the compiler, never run. */
import type { Database } from "plinth";
import type { CreateInput, Key, Row, UpdateInput } from "plinth/schema";
import * as domain from "../support/domain.ts";

export declare const row: Row<typeof domain.loans>;
export declare const input: CreateInput<typeof domain.loans>;
export declare const change: UpdateInput<typeof domain.loans>;
export declare const key: Key<typeof domain.loans>;

export async function calls(db: Database<typeof domain>) {
  const authors = db.repository(domain.authors);
  const loans = db.repository(domain.loans);
  const found = await loans.find({ bookId: "x", reader: "y" });
  const chosen = await authors.get("x", {
    columns: ["id", "bio"],
    reveal: ["apiToken"],
    counts: { books: true },
  });
  const nested = await authors.get("x", {
    columns: ["id"],
    with: { books: { columns: ["title"], limit: 1 } },
  });
  const created = await loans.create({ bookId: "x", reader: "y", dueOn: "2026-12-24" });
  const summed = await loans.aggregate({ groupBy: "reader", count: true, max: "dueOn" });
  return [found, chosen, nested, created, summed];
}
