import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { type TestDatabase, testDatabase } from "plinth/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as schema from "./schema.ts";

let database: TestDatabase<typeof schema>;
beforeAll(async () => {
  database = await testDatabase({ schema });
});
afterAll(() => database.close());

/** In this folder, on a PostgreSQL schema that nobody has made yet. */
async function run(program: string, arguments_: readonly string[], schemaName: string): Promise<string> {
  const { stdout } = await promisify(execFile)(program, arguments_, {
    cwd: import.meta.dirname,
    env: { ...process.env, DATABASE_URL: database.url, DATABASE_SCHEMA: schemaName },
  });
  return stdout;
}

const accept = (schemaName: string) => run(process.execPath, ["--import", "tsx", "accept.ts"], schemaName);

describe("accept.ts", () => {
  it("migrates from scratch and reads back what it inserted, as often as it is run", async () => {
    const first = await accept("scratch");
    expect(first).toContain("migrate up: 0001_create_snippets.sql\n");
    expect(first).toMatch(/^insertSnippet: id 1, public id [0-9A-Za-z]{10}, \d{4}-/m);
    expect(first).toContain("getByPublicId: the same row, viewed 0 times\n");
    expect(await accept("scratch")).toMatch(/migrate up: nothing to do\ninsertSnippet: id 2,/);
  });

  it("finds nothing to migrate after npm run migrate up, which is a no-op the second time", async () => {
    const migrate = () => run("npm", ["run", "--silent", "migrate", "up", "--", "--json"], "migrated");
    expect(JSON.parse(await migrate())).toMatchObject({ ok: true, command: "migrate up" });
    expect(JSON.parse(await migrate())).toMatchObject({ ok: true, data: { ran: [] } });
    expect(await accept("migrated")).toContain("migrate up: nothing to do\n");
  });

  it("fails when the row cannot be inserted", async () => {
    await accept("broken");
    await database.db.sql`alter table broken.snippets add constraint closed check (false) not valid`;
    await expect(accept("broken")).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining("CHECK_VIOLATION"),
    });
  });
});
