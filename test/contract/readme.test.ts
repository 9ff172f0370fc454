import { randomBytes } from "node:crypto";
import { join } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Consumer, installPacked, manifest } from "./consumer.ts";
import { commandsOf, snippetsOf } from "./readme.ts";
import { read } from "./tree.ts";

const README_LINES_LIMIT = 100;
const readme = read("README.md");
const snippets = snippetsOf(readme);
const commands = commandsOf(snippets);

describe("README.md", () => {
  it("fits two screens", () => {
    expect(readme.trimEnd().split("\n").length).toBeLessThanOrEqual(README_LINES_LIMIT);
  });

  it("shows the two commands, word for word", () => {
    const shown = commands.map(({ command }) => command);
    expect(shown).toEqual(expect.arrayContaining(["npm ci && npm start", "npm ci && npm test"]));
  });

  it("shows only npm commands that exist", () => {
    const scripts = commands.flatMap(({ command }) => [...command.matchAll(/npm (?:run )?([\w:]+)/g)]);
    const own = scripts
      .map(([, name = ""]) => name)
      .filter((name) => !["ci", "install", "pkg"].includes(name));
    expect(own.filter((name) => !(name in manifest.scripts))).toEqual([]);
  });

  it("installs the package and its peers, and nothing else but tools", () => {
    const installs = commands.filter(({ command }) => command.startsWith("npm install "));
    const named = installs.map(({ command }) => command.split(" ").slice(2));
    const { peerDependencies, devDependencies } = manifest;
    for (const names of named) {
      const tools = names.includes("--save-dev") ? Object.keys(devDependencies) : [];
      const known = [manifest.name, ...Object.keys(peerDependencies), ...tools];
      expect(names.filter((name) => !name.startsWith("-") && !known.includes(name))).toEqual([]);
    }
    expect(named.flat()).toEqual(expect.arrayContaining([manifest.name, ...Object.keys(peerDependencies)]));
  });

  it("installs the program of every npx command", () => {
    const programs = commands.flatMap(({ command }) => /^npx (\S+)/.exec(command)?.[1] ?? []);
    const installs = commands.filter(({ command }) => command.startsWith("npm install "));
    const named = installs.flatMap(({ command }) => command.split(" ").slice(2));
    expect(programs.length).toBeGreaterThan(0);
    expect(programs.filter((program) => !named.includes(program))).toEqual([]);
  });

  it("holds no block that this test does not run", () => {
    const unread = snippets.filter(
      ({ language, file }) => !["sh", "text"].includes(language) && file === undefined,
    );
    expect(unread).toEqual([]);
  });
});

describe("the example of README.md", () => {
  const database = `readme_${randomBytes(6).toString("hex")}`;
  const server = new URL(process.env.PLINTH_TEST_URL ?? "");
  const own = Object.assign(new URL(server), { pathname: `/${database}` });
  let consumer: Consumer;
  let admin: pg.Client;

  beforeAll(async () => {
    admin = new pg.Client({ connectionString: server.href });
    await admin.connect();
    await admin.query(`create database ${database}`);
    consumer = installPacked();
    for (const { file, text } of snippets) if (file !== undefined) consumer.write(file, text);
  });

  afterAll(async () => {
    consumer?.remove();
    await admin.query(`drop database if exists ${database} with (force)`);
    await admin.end();
  });

  it("type-checks", () => {
    const files = snippets.flatMap(({ file }) => (file?.endsWith(".ts") ? [file] : []));
    expect(consumer.typeErrors(files)).toBe("");
  });

  it("runs, command by command, and prints what it says", () => {
    const bin = join("node_modules", manifest.name, manifest.bin.plinth ?? "");
    const runnable = commands.filter(({ command }) => command.startsWith("npx "));
    const printed = runnable.map(({ command }) => {
      const [program = "", ...parameters] = command.split(" ").slice(1);
      expect(["plinth", "tsx"]).toContain(program);
      const start = program === "plinth" ? [bin] : ["--import", "tsx"];
      return consumer.node([...start, ...parameters], { DATABASE_URL: own.href });
    });
    const promised = runnable.flatMap(({ prints }, place) =>
      prints === undefined ? [] : [{ prints, place }],
    );
    expect(promised.length).toBeGreaterThan(0);
    for (const { prints, place } of promised) expect(printed[place]).toBe(prints);
  });
});

describe("snippetsOf", () => {
  const markdown = "```ts\n// a.ts\nx();\n```\n\n```sh\nnpx tsx a.ts  # runs it\n```\n\n```text\n1\n```\n";

  it("knows which file a block shows", () => {
    expect(snippetsOf(markdown).map(({ language, file }) => [language, file])).toEqual([
      ["ts", "a.ts"],
      ["sh", undefined],
      ["text", undefined],
    ]);
  });

  it("gives a command the output that follows it", () => {
    expect(commandsOf(snippetsOf(markdown))).toEqual([{ command: "npx tsx a.ts", prints: "1\n" }]);
  });
});
