import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { rejection } from "../../test/support/rejection.ts";
import { readMigrations } from "./folder.ts";

const ground = mkdtempSync(join(tmpdir(), "plinth-folder-"));
afterAll(() => rmSync(ground, { recursive: true }));

function folderWith(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(ground, "f-"));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

describe("readMigrations", () => {
  it("reads files of every size whole, whatever was read before them", async () => {
    const sizes = [0, 1, 65_535, 65_536, 65_537, 200_000, 10];
    const texts = sizes.map((size, i) => `-- ${i}${"é".repeat(size / 2)}`);
    const files = await readMigrations(
      folderWith(
        Object.fromEntries(texts.map((text, i) => [`000${i + 1}_a.sql`, `-- migrate:up\n${text}\n`])),
      ),
    );
    expect(files.map(({ up }) => up.text.trim())).toEqual(texts);
  });

  it("follows a link to a file", async () => {
    const elsewhere = folderWith({ "real.txt": "-- migrate:up\nselect 1;\n" });
    const folder = folderWith({});
    symlinkSync(join(elsewhere, "real.txt"), join(folder, "0001_linked.sql"));
    expect((await readMigrations(folder)).map(({ name, up }) => [name, up.text.trim()])).toEqual([
      ["linked", "select 1;"],
    ]);
  });

  it("refuses a folder, and a file of more than 16 MB, without reading it", async () => {
    const folder = folderWith({});
    mkdirSync(join(folder, "0001_folder.sql"));
    expect(await rejection(readMigrations(folder))).toMatchObject({ code: "MIGRATION_INVALID" });
    const large = folderWith({ "0001_large.sql": "" });
    truncateSync(join(large, "0001_large.sql"), 16_777_217);
    expect(await rejection(readMigrations(large))).toMatchObject({
      code: "MIGRATION_INVALID",
      message: expect.stringContaining("0001_large.sql is larger than 16 MB"),
    });
  });
});
