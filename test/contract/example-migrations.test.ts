import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it, onTestFinished } from "vitest";
import { proveMigrations, readMigrations } from "../../src/migrations/index.ts";
import { loadProject } from "../../src/project.ts";
import { openShadow } from "../../src/shadow/index.ts";
import { testServer } from "../support/server.ts";

const EXAMPLES = fileURLToPath(new URL("../../examples/", import.meta.url));
const NAMES = readdirSync(EXAMPLES).filter((name) => existsSync(join(EXAMPLES, name, "migrations")));

describe("the migrations of the examples", () => {
  it("are those of three examples at least", () => {
    expect(NAMES).toEqual(expect.arrayContaining(["shop", "snippets", "tracker"]));
  });

  it.each(NAMES)("prove both ways and lead to the declared schema: %s", async (name) => {
    const server = await testServer();
    const shadow = await openShadow({ url: server.url, directory: EXAMPLES });
    onTestFinished(async () => {
      await shadow.release();
      await server.stop();
    });
    const project = await loadProject(join(EXAMPLES, name));
    const { up: declared } = await project.renderSchema();
    const files = await readMigrations(project.config.migrations.folder);
    const schemaName = await project.readSchemaName();
    const { findings, migrations } = await proveMigrations({ shadow, files, schemaName, declared });
    expect(findings).toEqual([]);
    expect(migrations.map(({ proof }) => proof)).toEqual(files.map(() => "up-down-up"));
  });
});
