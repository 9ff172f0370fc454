import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { integer, text, uuid } from "drizzle-orm/pg-core";
import { appSchema, entity, ulidKey } from "plinth/schema";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { type TestServer, testServer } from "../../test/support/server.ts";
import { BEHAVIOURS } from "../behaviours.ts";
import { compareCatalogs, readCatalog, renderCatalog, renderSchema } from "../catalog/index.ts";
import { generateMigration } from "../migrations/generate/generate.ts";
import { lintMigrations, proveMigrations, readMigrationFolder } from "../migrations/index.ts";
import { describeSchema } from "../schema/index.ts";
import { openShadow, type Shadow } from "../shadow/index.ts";
import { schema as studios } from "./studios.fixture.ts";

let server: TestServer;
let shadow: Shadow;
beforeAll(async () => {
  server = await testServer();
  shadow = await openShadow({ url: server.url, directory: import.meta.dirname });
});
afterAll(async () => {
  await shadow.release();
  await server.stop();
});

type Module = Readonly<Record<string, unknown>>;

/** A folder that a schema's migrations are generated into, one for each step. */
function steps(schemaName: string) {
  const folder = mkdtempSync(join(tmpdir(), "plinth-tenant-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const next = async (module: Module) => {
    const described = describeSchema(module);
    const generated = await generateMigration({
      folder,
      name: `step ${readdirSync(folder).length}`,
      schemaName,
      declared: renderSchema(described, BEHAVIOURS).up,
      renames: described.renames,
      shadow,
      acceptDrops: true,
    });
    expect(generated.findings).toEqual([]);
    return generated;
  };
  const check = async () => {
    const read = await readMigrationFolder(folder, { format: "plinth" });
    const proof = await proveMigrations({ shadow, files: read.files, schemaName });
    expect(proof.findings.filter(({ level }) => level === "error")).toEqual([]);
    const all = [];
    for (const mode of ["static", "trace"] as const) {
      const linted = await lintMigrations({ folder: read, schemaName, shadow, mode });
      all.push(...linted.findings);
    }
    return { all, findings: all.filter(({ level }) => level === "error") };
  };
  return { next, check };
}

function shop(isTenant: boolean, further: object = {}) {
  const app = appSchema("shop");
  const tenant = isTenant ? ({ tenant: "shopId" } as const) : {};
  const boxes = entity(
    app,
    "boxes",
    { id: ulidKey(), shopId: uuid().notNull(), name: text().notNull().unique() },
    { ...tenant, ...further },
  );
  const items = entity(
    app,
    "items",
    {
      id: ulidKey(),
      shopId: uuid().notNull(),
      boxId: text().references(() => boxes.id, { onDelete: "set null" }),
      size: integer().notNull(),
    },
    { ...tenant, ...further },
  );
  return { app, boxes, items };
}

describe("a schema with tenants", () => {
  it("is migrated to, proven both ways with rows, lints clean, and leaves nothing to do", async () => {
    const { next, check } = steps("studios");
    const first = await next(studios);
    expect(first.text).toContain("alter table projects force row level security");
    expect(first.text).toContain("create policy projects_tenant on projects");
    expect((await next(studios)).isEmpty).toBe(true);
    const { findings, all } = await check();
    expect(findings).toEqual([]);
    // An index on the column alone serves a foreign key that carries the tenant.
    expect(all.filter(({ rule }) => rule === "design/foreign-key-index")).toEqual([]);
  });

  it("is reached from tables that are there, and left again", async () => {
    const { next, check } = steps("shop");
    await next(shop(false));
    const to = await next(shop(true));
    expect(to.losesUp).toEqual([]);
    expect((await next(shop(true))).isEmpty).toBe(true);
    const { findings } = await check();
    expect(findings.map(({ rule, object }) => [rule, object])).toEqual([]);
    const away = await next(shop(false));
    expect(away.losesUp).toEqual([]);
    expect(away.text).toContain("alter table boxes no force row level security");
  });

  it("is compared: a policy that somebody changed, or row security that is off, is a difference", async () => {
    const database = await shadow.createDatabase();
    onTestFinished(() => database.drop());
    const other = await shadow.createDatabase();
    onTestFinished(() => other.drop());
    const declared = renderSchema(
      describeSchema(shop(true, { softDelete: true, history: true })),
      BEHAVIOURS,
    );
    const catalogOf = async (of: typeof database, statements: readonly string[], after = "") =>
      of.use(async (connection) => {
        await connection.script(
          "drop schema if exists shop cascade; create schema shop; set search_path to shop",
        );
        for (const statement of statements) await connection.query({ text: statement, values: [] });
        await connection.script(after);
        return readCatalog(connection, "shop");
      });
    const wish = await catalogOf(database, declared.up);
    const differences = async (change: string) =>
      compareCatalogs(await catalogOf(other, declared.up, change), wish).length;
    expect(await differences("")).toBe(0);
    expect(await differences("alter table items no force row level security")).toBe(1);
    expect(await differences("alter table items disable row level security")).toBe(1);
    expect(await differences("alter policy items_tenant on items using (true)")).toBe(1);
    expect(await differences("drop policy items_history_tenant on items_history")).toBe(1);
    expect(await differences("create policy everybody on items using (true)")).toBe(1);
    expect(compareCatalogs(await catalogOf(other, renderCatalog(wish)), wish)).toEqual([]);
    const down = await catalogOf(other, [...declared.up, ...declared.down]);
    expect(down.objects ?? []).toEqual([]);
  });
});
