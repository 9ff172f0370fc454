import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { publicNames } from "../../scripts/public-names.ts";
import { type Consumer, installPacked, manifest } from "./consumer.ts";
import { ROOT } from "./tree.ts";

const names = publicNames(ROOT);
let consumer: Consumer;

beforeAll(() => {
  consumer = installPacked();
});

afterAll(() => consumer.remove());

describe("the packed package", () => {
  it("holds the build and the papers, no source and no test", () => {
    const allowed =
      /^(?:dist\/[\w/-]+\.(?:js|d\.ts)|bin\/plinth\.js|package\.json|README\.md|CHANGELOG\.md|LICENSE)$/;
    const { packed } = consumer;
    expect(packed.filter((path) => !allowed.test(path) || /\.(?:test|fixture)\./.test(path))).toEqual([]);
    expect(packed).toEqual(expect.arrayContaining(["README.md", "CHANGELOG.md", "LICENSE", "bin/plinth.js"]));
  });

  it("is built from the sources that are there now", () => {
    const built = consumer.packed.filter((path) => path.startsWith("dist/") && path.endsWith(".js"));
    const sourceOf = (path: string): string => path.replace("dist/", "src/").replace(/\.js$/, ".ts");
    expect(built.filter((path) => !existsSync(join(ROOT, sourceOf(path))))).toEqual([]);
  });

  it("has every file its package.json points to", () => {
    const targets = [...Object.values(manifest.exports), ...Object.values(manifest.bin)].flatMap((target) =>
      typeof target === "string" ? [target] : Object.values(target),
    );
    const missing = targets
      .map((path) => path.replace("./", ""))
      .filter((path) => !consumer.packed.includes(path));
    expect(missing).toEqual([]);
  });

  it("offers at run time the names of the checked-in list", () => {
    consumer.write(
      "names.js",
      `const found = {};
       for (const subpath of ${JSON.stringify(Object.keys(names))}) found[subpath] = Object.keys(await import(subpath));
       console.log(JSON.stringify(found));`,
    );
    const found: Record<string, string[]> = JSON.parse(consumer.node(["names.js"]));
    for (const [subpath, listed] of Object.entries(names)) {
      expect(found[subpath]?.sort(), subpath).toEqual(listed.filter((name) => !name.startsWith("type ")));
    }
  });

  it("type-checks in a strict consumer, every name of every subpath", () => {
    const imports = Object.entries(names).map(([subpath, listed], index) => {
      const renamed = listed.map((name) => `${name} as ${name.replace("type ", "")}_${index}`);
      return `import { ${renamed.join(", ")} } from "${subpath}";\n`;
    });
    consumer.write("every-name.ts", imports.join(""));
    expect(consumer.typeErrors(["every-name.ts"])).toBe("");
  });

  it("refuses the import of anything it does not export", () => {
    consumer.write("inner.js", 'await import("plinth/dist/pool/pool.js");');
    expect(() => consumer.node(["inner.js"])).toThrow(/ERR_PACKAGE_PATH_NOT_EXPORTED/);
  });

  it("says its version on the command line", () => {
    const bin = join("node_modules", manifest.name, manifest.bin.plinth ?? "");
    expect(consumer.node([bin, "--version"]).trim()).toBe(manifest.version);
  });
});
