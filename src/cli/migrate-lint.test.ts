import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type TestServer, testServer } from "../../test/support/server.ts";
import { type Installation, installPlinth } from "./installation.fixture.ts";

const TABLES = "create table tasks (id bigint primary key, title text not null);\n";
const SAFE = "create table labels (id bigint primary key);\ncomment on table labels is 'Labels';\n";

let plinth: Installation;
let server: TestServer;

beforeAll(async () => {
  server = await testServer();
  plinth = await installPlinth();
}, 120_000);
afterAll(async () => {
  plinth.remove();
  await server.stop();
});

let folders = 0;
/** A folder of plain SQL, which belongs to no project. */
function folderWith(second: string): string {
  folders += 1;
  return plinth.application(`sql${folders}`, { "001_tables.sql": TABLES, "002_change.sql": second });
}

const lint = (folder: string, ...flags: readonly string[]) =>
  plinth.run(folder, ["migrate", "lint", ".", "--shadow-url", server.url, ...flags]);

const statementsOf = (stdout: string) => JSON.parse(stdout).data.statements.slice(1);

describe("plinth migrate lint", () => {
  it("passes what blocks nobody, in a folder of any tool", async () => {
    const { code, stdout } = await lint(folderWith(SAFE));
    expect([code, stdout]).toEqual([
      0,
      expect.stringContaining("3 statements, 0 blocking, 0 errors, 0 warnings"),
    ]);
  });

  it("exits with 3 for what blocks, and prints the safe version", async () => {
    const { code, stdout, stderr } = await lint(folderWith("create index on tasks (title);\n"));
    expect(code).toBe(3);
    expect(stdout).toContain(
      "blocks  002_change.sql:1: create index on tasks (title)\n          tasks ShareLock; reads tasks\n",
    );
    expect(stderr).toContain(
      "error: 002_change.sql:1: lock/index: inserts, updates and deletes on tasks wait",
    );
    expect(stderr).toContain("create index concurrently tasks_title_idx on tasks (title);");
  });

  it("gives the same answer worked out and read off the server, as one JSON document", async () => {
    const folder = folderWith(
      "alter table tasks add column n serial;\nalter table tasks alter title type varchar(9);\n",
    );
    const [worked, traced] = [await lint(folder, "--json"), await lint(folder, "--json", "--mode", "trace")];
    expect([worked.code, traced.code]).toEqual([3, 3]);
    expect(statementsOf(traced.stdout)).toEqual(statementsOf(worked.stdout));
    expect(statementsOf(worked.stdout)[0]).toMatchObject({
      file: "002_change.sql",
      line: 1,
      direction: "up",
      sql: "alter table tasks add column n serial",
      blocking: true,
      locks: [
        { relation: "tasks", mode: "AccessExclusiveLock" },
        { relation: "tasks_pkey", mode: "AccessExclusiveLock" },
      ],
      rewrites: ["tasks", "tasks_pkey"],
      scans: ["tasks"],
    });
  });

  it("counts what the text alone does not tell as blocking", async () => {
    const folder = folderWith("alter table tasks alter title type varchar(9);\n");
    const { code, stdout } = await plinth.run(folder, ["migrate", "lint", "002_change.sql", "--no-shadow"]);
    expect([code, stdout]).toEqual([3, expect.stringContaining("blocks  002_change.sql:1:")]);
  });

  it("lets an allowance with a reason pass, and asks for the reason where there is none", async () => {
    const drop = "alter table tasks drop column title;\n";
    const allowed = await lint(folderWith(`-- plinth:allow breaks/drop-column: nothing reads it\n${drop}`));
    expect(allowed.code).toBe(0);
    const silent = await lint(folderWith(`-- plinth:allow breaks/drop-column\n${drop}`));
    expect([silent.code, silent.stderr]).toEqual([3, expect.stringContaining("allowance/without-reason")]);
  });

  it("reports what PostgreSQL cannot parse, and goes on", async () => {
    const { code, stderr } = await lint(folderWith("create tabel x;\n"));
    expect([code, stderr]).toEqual([3, expect.stringContaining("002_change.sql:1: run/syntax")]);
  });

  it.each([
    ["a mode nobody knows", ["--mode", "guess"]],
    ["a version out of range", ["--dialect-version", "14"]],
    ["trace without a server", ["--mode", "trace", "--no-shadow"]],
  ])("refuses %s as wrong usage", async (_what, flags) => {
    const { code } = await plinth.run(folderWith(SAFE), ["migrate", "lint", ".", ...flags]);
    expect(code).toBe(2);
  });
});
