import { text } from "drizzle-orm/pg-core";
import { appSchema, entity, identityKey, publicId } from "plinth/schema";
import { testDatabase } from "plinth/testing";
import { describe, expect, it, onTestFinished } from "vitest";

/** What is drawn next, then "taken" for ever: a collision left to chance would come once in a billion rows. */
const draws: string[] = [];
const app = appSchema("links");
const links = entity(app, "links", {
  id: identityKey(),
  publicId: publicId().$defaultFn(() => draws.shift() ?? "taken"),
  url: text().notNull().unique(),
});
const schema = { links };

async function open() {
  const database = await testDatabase({ schema });
  onTestFinished(() => database.close());
  return database.db;
}

describe("publicId", () => {
  it("is drawn again when it is taken, also inside a transaction, which goes on", async () => {
    const db = await open();
    const repository = db.repository(links);
    draws.push("taken", "taken", "taken", "free", "last");
    await repository.create({ url: "first" });
    const rows = await db.transaction(async () => [
      await repository.create({ url: "second" }),
      await repository.create({ url: "third" }),
    ]);
    expect(rows.map((row) => row.publicId)).toEqual(["free", "last"]);
    expect(draws).toEqual([]);
  });

  it("is drawn five times at most, and the error says what to do", async () => {
    const repository = (await open()).repository(links);
    await repository.create({ publicId: "taken", url: "first" });
    await expect(repository.create({ url: "second" })).rejects.toMatchObject({
      code: "UNIQUE_VIOLATION",
      columns: ["public_id"],
      summary: 'every public_id drawn for "links" was taken (5 draws)',
      hint: "The ids are too short for the number of rows: publicId({ length: … }).",
    });
  });

  it("that the caller chose, or another key that is taken, fails as itself", async () => {
    const repository = (await open()).repository(links);
    draws.push("one", "other");
    await repository.create({ url: "first" });
    await expect(repository.create({ url: "first" })).rejects.toMatchObject({
      code: "UNIQUE_VIOLATION",
      columns: ["url"],
    });
    await expect(repository.create({ publicId: "one", url: "second" })).rejects.toMatchObject({
      code: "UNIQUE_VIOLATION",
      columns: ["public_id"],
    });
  });
});
