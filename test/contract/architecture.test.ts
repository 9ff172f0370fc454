import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ROOTS, ROWS } from "../../scripts/layers.ts";
import { faces } from "../../scripts/public-names.ts";
import { BEHAVIOURS } from "../../src/behaviours.ts";
import { ROOT, read } from "./tree.ts";

interface ExplainedPlace {
  readonly row: string;
  readonly place: string;
  readonly text: string;
}

/** The lines `| row | \`place\` | what it guarantees |` of a document. */
function explainedPlaces(document: string): ExplainedPlace[] {
  const lines = document.matchAll(/^\| *(\d|root) *\| *`([^`]+)` *\| *(.+?) *\|$/gm);
  return [...lines].map(([, row = "", place = "", text = ""]) => ({ row, place, text }));
}

const document = read("docs/architecture.md");
const explained = explainedPlaces(document);
const entries = readdirSync(join(ROOT, "src"), { withFileTypes: true });
const folders = entries.filter((entry) => entry.isDirectory()).map((entry) => `${entry.name}/`);
const files = entries
  .filter((entry) => entry.isFile() && !entry.name.endsWith(".test.ts"))
  .map(({ name }) => name);

describe("docs/architecture.md", () => {
  it("explains every folder and file of src/ once, and nothing else", () => {
    expect(explained.map(({ place }) => place).sort()).toEqual([...folders, ...files].sort());
  });

  it("puts each folder in the row the layer check puts it in", () => {
    const inDocument = explained
      .filter(({ row }) => row !== "root")
      .map(({ row, place }) => `${row} ${place}`);
    const inCheck = ROWS.flatMap((row, number) => row.map((folder) => `${number} ${folder}/`));
    expect(inDocument).toEqual(inCheck);
  });

  it("names the composition roots the layer check knows", () => {
    const roots = explained.filter(({ row }) => row === "root").map(({ place }) => place);
    expect(roots).toEqual(Object.keys(ROOTS));
  });

  it("says of each folder whether users import it, as package.json does", () => {
    const said = explained.flatMap(({ text }) =>
      [...text.matchAll(/`(plinth(?:\/[a-z-]+)?)`/g)].map(([, name]) => name),
    );
    expect(said.sort()).toEqual(Object.keys(faces(ROOT)).sort());
  });

  it("says what each folder guarantees in a sentence or more", () => {
    const short = explained.filter(({ text }) => text.length < 60 || !text.endsWith("."));
    expect(short).toEqual([]);
  });

  it("lists the behaviours in the order they apply in", () => {
    const [, order = ""] = /^## The order of behaviours\n[^*]*\*\*([^*]+)\*\*/m.exec(document) ?? [];
    const planned = order.split(/,\s+/);
    const names = BEHAVIOURS.map(({ name }) => name.replaceAll("-", " "));
    expect(names).toEqual(planned.filter((name) => names.includes(name)));
  });

  it("opens with where, what, how to read and how to change", () => {
    const headings = [...document.matchAll(/^## (.+)$/gm)].map(([, heading]) => heading);
    expect(headings.slice(0, 4)).toEqual(["Where", "What", "How to read it", "How to change it"]);
  });
});

describe("explainedPlaces", () => {
  it("reads the lines of the table and no other table", () => {
    const table =
      "| Row | Place | Guarantees |\n|---|---|---|\n| 2 | `pool/` | Lends. |\n| root | `index.ts` | Names. |\n";
    expect(explainedPlaces(`${table}\n| Word | \`means\` | x |\n`)).toEqual([
      { row: "2", place: "pool/", text: "Lends." },
      { row: "root", place: "index.ts", text: "Names." },
    ]);
  });
});
