import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it } from "vitest";
import { findDeclaredName } from "./declared-name.ts";

const folders: string[] = [];

/** The name that is found in `schema.ts`, beside the other files. */
function foundIn(schema: string, others: Readonly<Record<string, string>> = {}): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), "plinth-declared-"));
  folders.push(folder);
  for (const [name, text] of Object.entries({ "schema.ts": schema, ...others })) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return findDeclaredName(join(folder, "schema.ts"));
}

const HEAD = `import { text } from "drizzle-orm/pg-core";
import { appSchema, entity, ulidKey } from "plinth/schema";
`;
const TRACKER = `${HEAD}export const app = appSchema("tracker");
export const users = entity(app, "users", { id: ulidKey(), name: text().notNull() });
`;

describe("findDeclaredName", () => {
  afterEach(() => {
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
  });

  it("reads the one name of a schema module", () => {
    expect(foundIn(TRACKER)).toBe("tracker");
    expect(foundIn(TRACKER.replace('"tracker"', " 'tracker' "))).toBe("tracker");
    expect(foundIn(TRACKER.replaceAll("\n", "\r\n"))).toBe("tracker");
    expect(
      foundIn(`import * as plinth from "plinth/schema";\nexport const app = plinth.appSchema("shop");`),
    ).toBe("shop");
  });

  it("follows the project's own files, under the names TypeScript gives them", () => {
    const parts = {
      "app.ts": TRACKER,
      "tables/tasks.ts": `import { app } from "../app";\nexport const tasks = 1;`,
      "tables/index.ts": `export { tasks } from './tasks.ts';\nimport "./side.mjs";`,
      "tables/side.mts": "export {};",
    };
    expect(foundIn(`export * from "./app.js";\nexport * from "./tables";`, parts)).toBe("tracker");
    // The file beside says something else, and nobody imports it.
    expect(foundIn(TRACKER, { "old.ts": TRACKER.replace("tracker", "legacy") })).toBe("tracker");
  });

  it("passes over prose that names what would be a doubt in code", () => {
    const prose = "// Tasks require a title; DATABASE_SCHEMA renames the schema, import and Function do not.";
    expect(foundIn(`${prose}\n${TRACKER}`)).toBe("tracker");
  });

  it("reads the schemas of the examples", () => {
    const found = (path: string) => findDeclaredName(fileURLToPath(new URL(path, import.meta.url)));
    expect(found("../../examples/tracker/schema.ts")).toBe("tracker");
    expect(found("../../examples/snippets/schema.ts")).toBe("snippets");
  });

  it("reads modules that import each other", () => {
    expect(foundIn(`export * from "./app.ts";`, { "app.ts": `import "./schema.ts";\n${TRACKER}` })).toBe(
      "tracker",
    );
  });

  it.each([
    ["another name", `${TRACKER}export const other = appSchema("legacy");`],
    ["another name in a comment", `${TRACKER}// was: appSchema("legacy")`],
    ["a computed name", TRACKER.replace('"tracker"', "NAME")],
    ["a template", TRACKER.replace('"tracker"', "`tracker`")],
    ["options, as public needs them", TRACKER.replace('"tracker"', '"public", { adopted: true }')],
    ["a name that is refused", TRACKER.replace("tracker", "pg_tracker")],
    ["a reserved name", TRACKER.replace("tracker", "plinth")],
    ["a name that must be quoted", TRACKER.replace('"tracker"', '"Tracker"')],
    ["a name that is too long", TRACKER.replace("tracker", "t".repeat(64))],
    ["no name", `${HEAD}export const nothing = 1;`],
    [
      "the function under another name",
      `import { appSchema as make } from "plinth/schema";\nmake("legacy");\n${TRACKER}`,
    ],
    ["the function passed on", `${TRACKER}export const other = [appSchema].map((make) => make("legacy"));`],
    ["the function taken apart", `${TRACKER}const { appSchema: make } = await load();`],
    ["the function by its name in a text", `${TRACKER}export const other = plinth["appSchema"]("legacy");`],
    ["Drizzle's own schemas", `${TRACKER}export const other = pgSchema("legacy");`],
    ["a variable that renames it", `process.env.DATABASE_SCHEMA = "legacy";\n${TRACKER}`],
    ["a variable by its name in a text", `process.env["DATABASE_SCHEMA"] ??= "legacy";\n${TRACKER}`],
    ["a variable among others", `Object.assign(process.env, { DATABASE_SCHEMA: "legacy" });\n${TRACKER}`],
    ["a package", `${TRACKER}export * from "@acme/tables";`],
    ["a package whose name begins alike", `${TRACKER}export * from "plinth-tables";`],
    ["an alias of package.json", `${TRACKER}export * from "#tables";`],
    ["an absolute path", `${TRACKER}export * from "/srv/tables.ts";`],
    ["a URL", `${TRACKER}export * from "file:///srv/tables.ts";`],
    ["an import at run time", `${TRACKER}export const other = await import("./tables.ts");`],
    ["a require", `${TRACKER}export const other = require("./tables.ts");`],
    [
      "a require under another name",
      `${TRACKER}const load = require;\nexport const other = load("./tables.ts");`,
    ],
    ["code in a text", `${TRACKER}export const other = eval('make("legacy")');`],
    ["a comment before a path", `${TRACKER}export * from /* generated */ "./tables.ts";`],
    ["a file that is not there", `${TRACKER}export * from "./gone.ts";`],
    ["an escaped path", `${TRACKER}export * from "./\\x74ables.ts";`],
    ["a path with a query", `${TRACKER}export * from "./tables.ts?again";`],
  ])("leaves it to the module where there is %s", (_, schema) => {
    expect(foundIn(schema, { "tables.ts": "export {};" })).toBeUndefined();
  });

  it("leaves it to the module where a path means several files, or none that is code", () => {
    const schema = `${TRACKER}export * from "./tables";`;
    expect(foundIn(schema, { "tables.ts": "", "tables.js": "" })).toBeUndefined();
    expect(foundIn(schema, { "tables.ts": "", "tables/index.ts": "" })).toBeUndefined();
    expect(foundIn(schema, { "tables/package.json": "{}", "tables/index.ts": "" })).toBeUndefined();
    expect(foundIn(schema, { "tables.json": "{}" })).toBeUndefined();
    expect(foundIn(schema, { "tables.tsx": "" })).toBeUndefined();
    expect(foundIn(schema, { "tables.ts": "" })).toBe("tracker");
  });

  it("leaves it to the module where an imported file raises a doubt", () => {
    expect(foundIn(`${TRACKER}export * from "./a.ts";`, { "a.ts": `export * from "zod";` })).toBeUndefined();
    expect(
      foundIn(`${TRACKER}export * from "./a.ts";`, { "a.ts": `export const b = appSchema("b");` }),
    ).toBeUndefined();
  });

  it("finds nothing in a file that is not there", () => {
    expect(findDeclaredName(join(tmpdir(), "plinth-no-such-schema.ts"))).toBeUndefined();
  });
});
