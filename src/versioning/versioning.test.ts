import { text } from "drizzle-orm/pg-core";
import { createDatabase } from "plinth";
import { appSchema, entity, ulidKey, versioned } from "plinth/schema";
import { describe, expect, it, onTestFinished } from "vitest";
import { refusal, rejection } from "../../test/support/rejection.ts";
import { workshops } from "../../test/support/workshop.ts";
import { BEHAVIOURS } from "../behaviours.ts";
import { renderSchema } from "../catalog/index.ts";
import { connect, parseTarget } from "../driver/index.ts";
import { describeSchema } from "../schema/index.ts";

const app = appSchema("workshop");
const notes = entity(
  app,
  "notes",
  { id: ulidKey(), title: text().notNull(), ...versioned() },
  { softDelete: true },
);
const plain = entity(app, "plain", { id: ulidKey(), title: text().notNull() });
const schema = { app, notes, plain };

const openWorkshop = workshops();

async function open() {
  const workshop = await openWorkshop();
  const connection = await connect(parseTarget(workshop.url));
  const { up } = renderSchema(describeSchema(schema), BEHAVIOURS);
  await connection.script(
    // The workshop has a function of that name already, which serves every table of the schema.
    `set search_path to workshop; ${up.filter((text) => !/create (schema|function "refuse_truncate")/i.test(text)).join(";\n")}`,
  );
  await connection.close();
  const db = await createDatabase({ schema, url: workshop.url });
  onTestFinished(() => db.close());
  return { db, notes: db.repository(notes), plain: db.repository(plain), client: workshop.client };
}

describe("a versioned entity", () => {
  it("counts every change of any client, whatever that writes into the column", async () => {
    const { db, notes, client } = await open();
    const note = await notes.create({ title: "a" });
    expect(note.version).toBe(1);
    expect((await notes.update(note.id, { title: "b" })).version).toBe(2);
    await (await client()).run("update workshop.notes set title = 'c', version = 99");
    expect((await notes.get(note.id)).version).toBe(3);
    await db.sql`update workshop.notes set title = 'd'`;
    await notes.delete(note.id);
    expect((await notes.restore(note.id)).version).toBe(6);
  });

  it("is changed only if it is the version that was seen", async () => {
    const { notes } = await open();
    const seen = await notes.create({ title: "a" });
    const query = notes.update(seen.id, { title: "mine" }, { ifVersion: seen.version });
    expect(query.toSQL().text).toContain(`"version" = `);
    expect(await query).toMatchObject({ title: "mine", version: 2 });
    const late = await rejection(notes.update(seen.id, { title: "late" }, { ifVersion: seen.version }));
    expect(late).toMatchObject({ code: "VERSION_CONFLICT", entity: "notes" });
    expect((await notes.get(seen.id)).title).toBe("mine");
  });

  it("tells a row that is gone from one that has changed, and a condition from a version", async () => {
    const { notes } = await open();
    const note = await notes.create({ title: "a" });
    const ends = [
      notes.update("none", { title: "x" }, { ifVersion: 1 }),
      notes.update(note.id, { title: "x" }, { ifVersion: 2 }),
      notes.update(note.id, { title: "x" }, { ifVersion: 1, where: { title: "b" } }),
      notes.update(note.id, { title: "x" }, { ifVersion: 2, where: { title: "a" } }),
    ];
    const codes = await Promise.all(ends.map(async (end) => (await rejection(end)).code));
    expect(codes).toEqual(["NOT_FOUND", "VERSION_CONFLICT", "CONDITION_FAILED", "VERSION_CONFLICT"]);
    await notes.delete(note.id);
    expect(await rejection(notes.update(note.id, { title: "x" }, { ifVersion: 2 }))).toMatchObject({
      code: "NOT_FOUND",
    });
  });

  it("lets one of many writers of one version through, also in a batch", async () => {
    const { db, notes } = await open();
    const note = await notes.create({ title: "a" });
    const ends = await Promise.allSettled(
      Array.from({ length: 20 }, (_, i) => notes.update(note.id, { title: `${i}` }, { ifVersion: 1 })),
    );
    expect(ends.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    const batch = db.batch([
      notes.create({ title: "beside" }),
      notes.update(note.id, { title: "late" }, { ifVersion: 1 }),
    ]);
    expect(await rejection(batch)).toMatchObject({ code: "VERSION_CONFLICT" });
    expect(await notes.count({ title: "beside" })).toBe(0);
  });

  it("refuses what is no version, and entities without one", async () => {
    const { notes, plain } = await open();
    const note = await notes.create({ title: "a" });
    for (const ifVersion of ["1", 1.5, null, Number.NaN, 3_000_000_000]) {
      const { code, issues } = await refusal(
        notes.update(note.id, { title: "x" }, { ifVersion: ifVersion as number }),
      );
      expect([ifVersion, code]).toEqual([ifVersion, "INVALID_VALUE"]);
      expect(issues.join()).toContain("ifVersion");
    }
    const row = await plain.create({ title: "a" });
    const update = plain.update(row.id, { title: "x" }, { ifVersion: 1 as never });
    expect((await refusal(update)).issues.join()).toContain("versioned()");
    // @ts-expect-error: it is kept by the database
    expect((await refusal(notes.update(note.id, { version: 7 }))).code).toBe("INVALID_VALUE");
  });
});
