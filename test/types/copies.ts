/** What copies take and give: checked by the compiler, never run. */
import type { Copied, Database } from "plinth";
import * as domain from "../support/domain.ts";
import { type Equal, holds } from "./equal.ts";

export async function copied(db: Database<typeof domain>) {
  const authors = db.repository(domain.authors);
  const row = { email: "e", name: "n" };
  const made = await authors.copyIn([row], { onProgress: ({ rows, bytes }) => rows + bytes });
  holds<Equal<typeof made, Copied>>();
  async function* rows() {
    yield row;
  }
  await authors.copyIn(rows(), { columns: ["email", "name"] });
  // @ts-expect-error name is missing
  await authors.copyIn([{ email: "e" }]);
  // @ts-expect-error kept by Plinth
  await authors.copyIn([{ ...row, createdBy: "x" }]);
  // @ts-expect-error no such column
  await authors.copyIn(rows(), { columns: ["nope"] });
  const pieces = authors.copyOut({ where: { name: "x" }, sort: "-name", columns: ["id"], format: "csv" });
  holds<Equal<typeof pieces, AsyncIterable<Buffer>>>();
  // @ts-expect-error a secret is not copied out
  authors.copyOut({ columns: ["apiToken"] });
  // @ts-expect-error only what comes in can be matched
  authors.copyOut({ header: "match" });
  await db.copyIn(domain.authors, "text", { columns: ["apiToken", "deletedAt"], header: "match" });
  // @ts-expect-error no bytes
  await db.copyIn(domain.authors, [row]);
  // @ts-expect-error no such format
  db.copyOut(db.sql`select 1`, { format: "json" });
  await db.transaction(async (tx) => {
    await tx.copyIn(domain.authors, Buffer.alloc(1) as never);
    tx.copyOut(tx.sql`select 1`, { format: "binary" });
  });
}
