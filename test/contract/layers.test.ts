// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the sources under test hold templates
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { checkLayers } from "../../scripts/check-layers.ts";
import { readSource } from "../../scripts/source.ts";
import { ROOT, withTree } from "./tree.ts";

/** What the check says of a `src/` that holds only `files`. */
const breachesOf = (files: Readonly<Record<string, string>>): Promise<string[]> =>
  withTree(files, (folder) => checkLayers(folder, []));

describe("checkLayers", () => {
  it("finds src/ in order", () => {
    expect(checkLayers(join(ROOT, "src"))).toEqual([]);
  });

  it("accepts imports that go down, to the left in a row, and to any file of the same folder", async () => {
    const breaches = await breachesOf({
      "cli/commands/db.ts": 'import { x } from "../../index.ts"; import "../main.ts"; console.log(x);',
      "database.ts": 'import { t } from "./migrations/index.ts"; import { h } from "./health/index.ts";',
      "driver/session.ts": 'import pg from "pg"; import { readFileSync } from "node:fs";',
      "index.ts": '// The database\nexport { createDatabase, type Database } from "./database.ts";\n',
      "pool/pool.test.ts": 'import { x } from "../cli/main.ts"; import "pg"; export default 1;',
      "schema/entity.ts": 'import { q } from "../sql/index.ts"; import { E } from "../errors/index.ts";',
    });
    expect(breaches).toEqual([]);
  });

  it.each([
    [
      "an import that goes up",
      "pool/pool.ts",
      'import { r } from "../repository/index.ts";',
      /row 2 imports row 4/,
    ],
    ["a type that goes up", "sql/a.ts", 'type P = import("../pool/index.ts").Pool;', /row 0 imports row 2/],
    [
      "a neighbour to the right",
      "actor/a.ts",
      'import { t } from "../transaction/index.ts";',
      /stands right of/,
    ],
    ["a sibling of row 5", "seeds/a.ts", 'import { m } from "../migrations/index.ts";', /are siblings/],
    [
      "an inner file of another folder",
      "pool/a.ts",
      'import { s } from "../driver/session.ts";',
      /import the face/,
    ],
    [
      "a dynamic import of an inner file",
      "pool/a.ts",
      'await import("../driver/session.ts");',
      /import the face/,
    ],
    [
      "a re-export that goes up",
      "errors/a.ts",
      'export { a } from "../pool/index.ts";',
      /row 0 imports row 2/,
    ],
    ["an import of cli/", "testing/a.ts", 'import { run } from "../cli/index.ts";', /nobody imports cli/],
    [
      "a root below its row",
      "pool/a.ts",
      'import { d } from "../database.ts";',
      /row 2 imports the root database/,
    ],
    [
      "a root that imports a higher one",
      "database.ts",
      'import "./index.ts";',
      /index.ts stands above database.ts/,
    ],
    ["a folder without a row", "utils/a.ts", 'import { E } from "../errors/index.ts";', /utils has no row/],
    ["pg outside driver/", "pool/a.ts", 'import type { Client } from "pg";', /pg belongs in driver\//],
    [
      "drizzle-orm outside its adapters",
      "statement/a.ts",
      'import { sql } from "drizzle-orm";',
      /drizzle-orm belongs/,
    ],
    ["a package nobody decided on", "http/a.ts", 'import { Hono } from "hono";', /hono is no dependency/],
    ["the package by its own name", "http/a.ts", 'import { x } from "plinth";', /plinth is no dependency/],
    ["export *", "pool/a.ts", 'export * from "./b.ts";', /name the exports/],
    ["a default export", "pool/a.ts", "export default 1;", /no default exports/],
    ["console outside cli/", "pool/a.ts", "function f() { console.log(1); }", /only cli\/ writes/],
    ["code in a face", "pool/index.ts", "export const x = 1;", /a face holds exports and no code/],
  ])("refuses %s", async (_what, path, text, breach) => {
    expect(await breachesOf({ [path]: text })).toEqual([expect.stringMatching(breach)]);
  });

  it("names the file and the line", async () => {
    const text = '/* a\n comment */\nimport { r } from "../health/index.ts";\n';
    expect(await breachesOf({ "pool/pool.ts": text })).toEqual([
      "pool/pool.ts:3: row 2 imports row 6: imports go down only",
    ]);
  });

  it("shows a cycle of files, types included", async () => {
    const breaches = await breachesOf({
      "pool/a.ts": 'import { b } from "./b.ts";',
      "pool/b.ts": 'import type { C } from "./c.ts";',
      "pool/c.ts": 'import type { A } from "./a.ts";',
    });
    expect(breaches).toEqual(["import cycle of files: pool/a.ts -> pool/b.ts -> pool/c.ts -> pool/a.ts"]);
  });

  it("shows a cycle of a folder and a root", async () => {
    const breaches = await breachesOf({
      "database.ts": 'import { h } from "./health/index.ts";',
      "health/health.ts": 'import type { Database } from "../database.ts";',
    });
    expect(breaches).toEqual(["import cycle of folders: database.ts -> health -> database.ts"]);
  });

  it("allows what an exception allows, and refuses an exception nobody needs", async () => {
    const files = { "pool/a.ts": 'import { h } from "../health/index.ts";' };
    const needed = { from: "pool/a.ts", to: "health/index.ts", reason: "a test" };
    const unneeded = { from: "pool/b.ts", to: "health/index.ts", reason: "a test" };
    expect(await withTree(files, (folder) => checkLayers(folder, [needed, unneeded]))).toEqual([
      "unused exception: pool/b.ts -> health/index.ts",
    ]);
  });
});

describe("readSource", () => {
  const specifiers = (text: string): string[] => readSource(text).imports.map(({ specifier }) => specifier);

  it("reads static, type, dynamic, re-exported and required specifiers", () => {
    const text = `
      import a, { b } from "one"; import type { C } from 'two'; import "three";
      export { d } from "four"; type E = import("five").E; await import(\n  "six",\n); require.resolve("seven");
      import {
        f,
      } from "eight";`;
    expect(specifiers(text)).toEqual(["one", "two", "three", "four", "five", "six", "seven", "eight"]);
  });

  it("sees no import in comments, strings, templates and regular expressions", () => {
    const text = [
      '// import "a"\n/* import "b" */ const s = "import \\"c\\"", t = \'from "d"\';',
      'const u = `from "e" ${nested(`from "f" ${"g"}`)} import "h"`;',
      'const r = /["`\']from "i"/g, q = text.replace(/[/"]/, "") / 2; import "seen";',
    ].join("\n");
    expect(specifiers(text)).toEqual(["seen"]);
  });

  it("takes no call of something named from for an import", () => {
    expect(
      specifiers('Buffer.from("a"); from("b"); const $from = { from: "c" }; list.require("d");'),
    ).toEqual([]);
  });

  it("reads the code inside a template's holes", () => {
    expect(specifiers('const s = `a ${await import("seen")} ${{ b: { c: 1 } }.b} from "hidden"`;')).toEqual([
      "seen",
    ]);
  });

  it("keeps every offset and line", () => {
    const text = 'const a = "x\\"y"; // z\nconst b = `q\n${a}`;\n';
    const { code } = readSource(text);
    expect(code).toHaveLength(text.length);
    expect(code.split("\n")).toHaveLength(text.split("\n").length);
  });
});
