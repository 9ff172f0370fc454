import { describe, expect, it } from "vitest";
import { parseMigrationFile } from "./migration-file.ts";
import { migrationText } from "./migration-text.ts";
import { parseStatements } from "./statements.ts";

describe("migrationText", () => {
  it("is read back as the same statements, also those that end in a comment", async () => {
    const up = ["create table a () -- why", "comment on table a is 'x -- y'", "select 1;\n-- done"];
    const down = ["drop table a /* -- */"];
    const file = parseMigrationFile("0001_a.sql", Buffer.from(migrationText({ up, down })));
    const [ups, downs] = [
      await parseStatements(file, file.up),
      await parseStatements(file, file.down ?? file.up),
    ];
    expect(ups.map(({ text }) => text)).toEqual([
      "create table a () -- why",
      "comment on table a is 'x -- y'",
      "select 1",
    ]);
    expect(downs).toHaveLength(1);
  });

  it("leaves a line to write on where there is no statement", () => {
    expect(migrationText({ up: [], down: [] })).toBe("-- migrate:up\n\n\n-- migrate:down\n\n");
  });

  it("stands the statements apart", () => {
    expect(migrationText({ up: ["select 1", "select 2"], down: ["select 3"] })).toBe(
      "-- migrate:up\n\nselect 1;\n\nselect 2;\n\n-- migrate:down\n\nselect 3;\n",
    );
  });
});
