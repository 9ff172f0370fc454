import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { evaluatePlainConfig, readPlainConfig } from "./plain-config.ts";

const folder = mkdtempSync(join(tmpdir(), "plinth-plain-"));
afterAll(() => rmSync(folder, { recursive: true }));

const IMPORT = 'import { defineConfig } from "plinth";\n';

/** What the file exports, or why it has to be loaded. */
function evaluated(text: string, name = "plinth.config.ts"): unknown {
  writeFileSync(join(folder, name), text);
  const plain = readPlainConfig(join(folder, name));
  if (plain === undefined) return "not plain";
  const module = evaluatePlainConfig(plain);
  return module === undefined ? "to be loaded" : module.default;
}

describe("a plain config", () => {
  it("is evaluated without a transpiler", () => {
    const text = `${IMPORT}
// The pool of one process.
const max = Number("5");

export default defineConfig({
  schema: "./tables.ts",
  database: { pool: { max } },
});
`;
    const config = { schema: "./tables.ts", database: { pool: { max: 5 } } };
    expect(evaluated(text)).toEqual(config);
    expect(evaluated(text.replaceAll("\n", "\r\n"))).toEqual(config);
    expect(evaluated(text, "plinth.config.mjs")).toEqual(config);
    expect(evaluated(`${IMPORT}export default { schema: "./a.ts" };\n`)).toEqual({ schema: "./a.ts" });
  });

  it("runs to its end, in strict mode", () => {
    expect(evaluated(`${IMPORT}const list = [];\nexport default { list };\nlist.push(1);`)).toEqual({
      list: [1],
    });
    expect(evaluated(`${IMPORT}undeclared = 1;\nexport default {};`)).toBe("to be loaded");
  });

  it.each([
    ["a type annotation", "const max: number = 5;\nexport default defineConfig({});"],
    [
      "a type argument that JavaScript would compare",
      "export default { max: f<undefined>(5) };\nfunction f() {}",
    ],
    ["an assertion", "export default defineConfig({ schema: process.env.SCHEMA! });"],
    ["satisfies", "export default { schema: './a.ts' } satisfies object;"],
    ["an export beside the default", "export const a = 1;\nexport default defineConfig({});"],
    ["a default that is a name", "const config = {};\nexport default config;"],
    ["a wait", "export default defineConfig({ schema: await Promise.resolve('./a.ts') });"],
    [
      "an old default in a comment",
      "/*\nexport default defineConfig({ schema: './old.ts' });\n*/\nexport default {};",
    ],
    ["an error", "throw new Error('no secret');\nexport default {};"],
  ])("is loaded where it has %s", (_, text) => {
    expect(evaluated(IMPORT + text)).toBe("to be loaded");
  });

  it.each([
    [
      "has another import",
      `${IMPORT}import { max } from "./pool.ts";\nexport default defineConfig({ max });`,
    ],
    ["imports at run time", `${IMPORT}export default defineConfig(await import("./pool.ts"));`],
    ["knows where it is", `${IMPORT}export default { schema: import.meta.url };`],
    ["does not import defineConfig", "export default {};"],
    ["imports a type with it", 'import { type Config, defineConfig } from "plinth";\nexport default {};'],
  ])("is none when it %s", (_, text) => {
    expect(evaluated(text)).toBe("not plain");
  });

  it("is a config file", () => {
    expect(evaluated(`${IMPORT}export default {};`, "schema.ts")).toBe("not plain");
  });
});
