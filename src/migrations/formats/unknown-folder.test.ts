import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { readMigrationFolder } from "../index.ts";
import { onDisk, removeFolders } from "./on-disk.fixture.ts";

afterAll(removeFolders);

describe("readMigrationFolder where it cannot know", () => {
  it("refuses a folder of several tools, and says which file speaks for which", async () => {
    const files = {
      "1_a.up.sql": "select 1;",
      "2_b.sql": "-- migrate:up\nselect 1;",
      "V1__c.sql": "-- +goose Up\nselect 1;",
    };
    await expect(readMigrationFolder(files)).rejects.toMatchObject({
      code: "MIGRATION_INVALID",
      message: expect.stringContaining(
        [
          "the folder looks like several tools' at once, so its order is unknown",
          "  golang-migrate: 1_a.up.sql is one of a pair .up.sql and .down.sql",
          "  dbmate: 2_b.sql has a line -- migrate:up",
          "  goose: V1__c.sql has a line -- +goose Up",
          "  flyway: V1__c.sql is named as Flyway does",
        ].join("\n"),
      ),
    });
  });

  it("takes the caller's word for the format", async () => {
    const files = {
      "1_a.sql": "-- migrate:up\nselect 1;",
      "meta/_journal.json": '{"entries":[{"tag":"1_a"}]}',
    };
    await expect(readMigrationFolder(files)).rejects.toThrow(/several tools/);
    expect((await readMigrationFolder(files, { format: "drizzle" })).files).toHaveLength(1);
  });

  it("refuses a folder without migrations, and takes an empty one in a project for a beginning", async () => {
    const nothing = onDisk({ "README.md": "" });
    await expect(readMigrationFolder(nothing)).rejects.toThrow(
      `${nothing} holds no migrations that can be read`,
    );
    await expect(readMigrationFolder(join(nothing, "gone"))).rejects.toThrow(/does not exist/);
    const project = onDisk({ "plinth.config.ts": "", "migrations/.keep": "" });
    expect(await readMigrationFolder(join(project, "migrations"))).toEqual({
      format: "plinth",
      splitsPhases: true,
      files: [],
      findings: [],
    });
  });

  it("follows links to files and passes over what is neither file nor folder", async () => {
    const folder = onDisk({ "a.sql": "select 1;" });
    symlinkSync(join(folder, "a.sql"), join(folder, "b.sql"));
    symlinkSync(join(folder, "nowhere"), join(folder, "c.sql"));
    symlinkSync(folder, join(folder, "loop"));
    expect((await readMigrationFolder(folder)).files.map(({ fileName }) => fileName)).toEqual([
      "a.sql",
      "b.sql",
    ]);
  });

  it.each([
    [
      { "meta/_journal.json": '{"dialect":"sqlite","entries":[]}' },
      /_journal\.json says that the folder is for sqlite/,
    ],
    [
      { "migration_lock.toml": '# x\nprovider = "mysql"', "1_a/migration.sql": "select 1;" },
      /migration_lock\.toml says that the folder is for mysql/,
    ],
  ])("refuses a folder for another kind of database: %j", async (files, message) => {
    await expect(readMigrationFolder(files)).rejects.toThrow(message);
  });

  it("refuses bytes that are no text", async () => {
    const bytes = { "a.sql": new Uint8Array([0xff, 0xfe, 0x00]) };
    await expect(readMigrationFolder(bytes)).rejects.toThrow("a.sql is not UTF-8 text");
  });
});
