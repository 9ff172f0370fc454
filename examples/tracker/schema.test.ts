import { testDatabase } from "plinth/testing";
import { describe, expect, it, onTestFinished } from "vitest";
import { compareCatalogs, readCatalog } from "../../src/catalog/index.ts";
import { MIGRATIONS, migratorOn } from "./db.ts";
import * as schema from "./schema.ts";

const open = async (migrations: string | undefined) => {
  const { db, close } = await testDatabase({ schema, ...(migrations === undefined ? {} : { migrations }) });
  onTestFinished(close);
  return db;
};

const catalogOf = ({ pool }: Awaited<ReturnType<typeof open>>) =>
  pool.use((connection) => readCatalog(connection, schema.app.schemaName));

describe("the migrations", () => {
  it("make what the schema in TypeScript declares", async () => {
    const migrated = await catalogOf(await open(MIGRATIONS));
    const declared = await catalogOf(await open(undefined));
    expect(compareCatalogs(migrated, declared)).toEqual([]);
    expect(migrated.objects.length).toBeGreaterThan(60);
  });

  it("leave nothing behind when they are undone, and can be applied again", async () => {
    const db = await open(MIGRATIONS);
    const before = await catalogOf(db);
    const migrator = migratorOn(db);
    const { migrations } = await migrator.status();
    await migrator.down({ steps: migrations.length });
    expect((await catalogOf(db)).objects).toEqual([]);
    await migrator.up();
    expect(compareCatalogs(await catalogOf(db), before)).toEqual([]);
  });
});
