import { describe, expect, it } from "vitest";
import { checkCommittedText, checkTestText } from "./committed-text.ts";
import { committedFiles, read } from "./tree.ts";

const files = committedFiles();
const texts = files.filter((path) => !/\.(png|svg|ico|gz)$/.test(path));
/** This file and its neighbours show bad text on purpose. */
const examplesOfBadText = /^test\/contract\/(committed-text|lockfile)\.test\.ts$/;

describe("the committed files", () => {
  it("hold no path of one machine and no registry address", () => {
    const checked = texts.filter((path) => !examplesOfBadText.test(path));
    expect(checked.length).toBeGreaterThan(50);
    expect(checked.flatMap((path) => checkCommittedText(path, read(path)))).toEqual([]);
  });

  it("are what .gitignore leaves", () => {
    expect(files).toContain("package.json");
    expect(files.filter((path) => /(^|\/)(node_modules|dist|\.git|\.plinth)\//.test(path))).toEqual([]);
  });
});

describe("the tests", () => {
  it("are claims, and all of them run", () => {
    const tests = files.filter((path) => path.endsWith(".test.ts") && !examplesOfBadText.test(path));
    expect(tests.length).toBeGreaterThan(5);
    expect(tests.flatMap((path) => checkTestText(path, read(path)))).toEqual([]);
  });
});

describe("checkCommittedText", () => {
  it.each([
    ["a home folder", 'const root = "/home/ann/plinth";'],
    ["a home folder on macOS", "cd /Users/ann"],
    ["a home folder on Windows", "C:\\Users\\ann"],
    ["a registry", "https://registry.npmjs.org/pg"],
    ["a tarball", "https://packages.example.org/pg/-/pg-8.0.0.tgz"],
    ["a registry setting", "registry=https://packages.example.org/"],
  ])("finds %s", (_what, text) => {
    expect(checkCommittedText("a.md", text)).toHaveLength(1);
  });

  it.each([
    ["a route", "GET /v1/users/:id and /home"],
    ["a system path", "/usr/lib/postgresql/15/bin and /tmp/x"],
    [
      "a page",
      "https://www.postgresql.org/docs/current/runtime-config.html and https://example.org/work/item",
    ],
    ["a relative path", "docs/work/notes.md"],
  ])("leaves %s alone", (_what, text) => {
    expect(checkCommittedText("a.md", text)).toEqual([]);
  });
});

describe("checkTestText", () => {
  it("finds a name that wishes, in a table of cases too", () => {
    const text =
      'describe("pool", () => { it("should lend", f); it.each([["a"], ["b"]])("should lend %s", f); });';
    expect(checkTestText("a.test.ts", text)).toEqual([
      'a.test.ts: "should lend" wishes; say what happens',
      'a.test.ts: "should lend %s" wishes; say what happens',
    ]);
  });

  it.each(["only", "skip", "todo", "skipIf(slow)"])("finds a test that is switched by .%s", (switched) => {
    expect(checkTestText("a.test.ts", `it.${switched}("lends a connection", f);`)).toHaveLength(1);
  });

  it("leaves claims alone", () => {
    const text = 'describe("pool", () => { it("lends what it has", f); expect(names).toBe("should"); });';
    expect(checkTestText("a.test.ts", text)).toEqual([]);
  });
});
