import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { commandsOf, documentedCommands, flagsOf, subcommandsOf } from "./cli-reference.ts";
import { manifest } from "./consumer.ts";
import { ROOT, read } from "./tree.ts";

/** Flags of every command: the reference explains them once, above the commands. */
const EVERYWHERE = ["--json", "--project", "--verbose"];

const helpOf = (words: readonly string[]): string =>
  execFileSync(process.execPath, [join(ROOT, manifest.bin.plinth ?? ""), ...words, "--help"], {
    encoding: "utf8",
  });

describe("docs/reference/cli.md", () => {
  const page = read("docs/reference/cli.md");
  const documented = documentedCommands(page);
  const commands = commandsOf(helpOf);
  const byName = (a: { readonly name: string }, b: { readonly name: string }): number =>
    a.name.localeCompare(b.name);

  it("has a section for each command, and for no other", () => {
    expect(commands.length).toBeGreaterThan(5);
    expect(documented.map(({ name }) => name).sort()).toEqual(commands.map(({ name }) => name).sort());
  });

  it("names in each section the flags its command has", () => {
    const own = (flags: readonly string[]): string[] => flags.filter((flag) => !EVERYWHERE.includes(flag));
    const inHelp = [...commands].sort(byName).map(({ name, flags }) => ({ name, flags: own(flags) }));
    const inPage = [...documented].sort(byName).map(({ name, flags }) => ({ name, flags: own(flags) }));
    expect(inPage).toEqual(inHelp);
  });

  it("explains the flags of every command once", () => {
    const above = flagsOf(page.slice(0, page.search(/^#{1,6} +`?plinth /m)));
    const used = new Set(commands.flatMap(({ flags }) => flags.filter((flag) => EVERYWHERE.includes(flag))));
    expect([...used].filter((flag) => !above.includes(flag))).toEqual([]);
  });
});

describe("commandsOf", () => {
  const helps: Readonly<Record<string, string>> = {
    "": "Usage: plinth\n\nOptions:\n  --version  v\n\nCommands:\n  db              the server\n  help [command]  help\n",
    db: "Usage: plinth db\n\nCommands:\n  start [options]  starts\n  stop             stops\n",
    "db start":
      "Usage: plinth db start\n\nOptions:\n  --detach    leaves it, see --json\n  -h, --help  help\n",
    "db stop": "Usage: plinth db stop\n\nOptions:\n  -h, --help  help\n",
  };

  it("asks every level for its help", () => {
    expect(subcommandsOf(helps[""] ?? "")).toEqual(["db"]);
    expect(commandsOf((words) => helps[words.join(" ")] ?? "")).toEqual([
      { name: "plinth db start", flags: ["--detach"] },
      { name: "plinth db stop", flags: [] },
    ]);
  });
});

describe("documentedCommands", () => {
  it("reads headings and the flags below them", () => {
    const page =
      "# Commands\n\n`--json` everywhere\n\n## `plinth db start`\n\n`--detach` leaves it.\n\n## plinth db stop [name]\n";
    expect(documentedCommands(page)).toEqual([
      { name: "plinth db start", flags: ["--detach"] },
      { name: "plinth db stop", flags: [] },
    ]);
  });
});
