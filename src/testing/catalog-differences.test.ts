import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { BEHAVIOURS } from "../behaviours.ts";
import { renderSchema } from "../catalog/index.ts";
import { describeSchema } from "../schema/index.ts";
import { catalogDifferences } from "./index.ts";
import * as schema from "./shop.fixture.ts";

const statements = renderSchema(describeSchema(schema), BEHAVIOURS).up;

function migrationsOf(up: readonly string[]): string {
  const folder = mkdtempSync(join(tmpdir(), "plinth-testing-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, "0001_create_shop.sql"), `-- migrate:up\n${up.join(";\n")};\n`);
  return folder;
}

describe("catalogDifferences", () => {
  it("is empty when the migrations make what the schema declares", async () => {
    expect(await catalogDifferences({ schema, migrations: migrationsOf(statements) })).toEqual([]);
  });

  it("names what is missing, what is too much and what is different", async () => {
    const migrations = migrationsOf([
      ...statements.filter((statement) => !statement.startsWith("create trigger")),
      'create index by_name on "projects" ("name")',
      'alter table "users" alter column "full_name" drop not null',
    ]);
    expect(await catalogDifferences({ schema, migrations })).toEqual(
      expect.arrayContaining([
        {
          kind: "index",
          name: "by_name",
          migrated: "CREATE INDEX by_name ON projects USING btree (name)",
          declared: undefined,
        },
        { kind: "column", name: "users.full_name", migrated: "text", declared: "text not null" },
        expect.objectContaining({ kind: "trigger", migrated: undefined }),
      ]),
    );
  });

  it("refuses a module without entities", async () => {
    await expect(catalogDifferences({ schema: {}, migrations: migrationsOf([]) })).rejects.toMatchObject({
      code: "SCHEMA_INVALID",
      summary: "the schema module exports no entity",
    });
  });
});
