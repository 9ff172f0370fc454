import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type TestServer, testServer } from "../../test/support/server.ts";
import { type Installation, installPlinth } from "./installation.fixture.ts";

const schema = (columns: string): string => `import { text } from "drizzle-orm/pg-core";
import { appSchema, entity, renamedFrom, ulidKey } from "plinth/schema";
export const app = appSchema("shop");
export const roles = entity(app, "roles", { id: ulidKey(), ${columns} });
`;

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

let applications = 0;
function application(columns: string): string {
  applications += 1;
  return plinth.application(`shop${applications}`, {
    "package.json": '{ "type": "module" }',
    "plinth.config.ts": "export default {};\n",
    "schema.ts": schema(columns),
  });
}

const generate = (folder: string, ...flags: readonly string[]) =>
  plinth.run(folder, ["migrate", "generate", "change", "--shadow-url", server.url, ...flags]);

describe("plinth migrate generate", () => {
  it("writes the first migration, then the next one, and then has nothing to do", async () => {
    const folder = application("slug: text().notNull()");
    const first = await generate(folder);
    expect(first).toEqual({ code: 0, stdout: `${join(folder, "migrations/0001_change.sql")}\n`, stderr: "" });
    writeFileSync(join(folder, "schema.ts"), schema("slug: text().notNull(), title: text()"));
    expect((await generate(folder)).stdout).toBe(`${join(folder, "migrations/0002_change.sql")}\n`);
    expect(
      readFileSync(join(folder, "migrations/0002_change.sql"), "utf8"),
    ).toBe(`-- loses: roles.title (data)

-- migrate:up

alter table roles add column title text;

-- migrate:down

alter table roles drop column title;
`);
    const again = await generate(folder);
    expect([again.code, again.stdout]).toEqual([
      0,
      "nothing to do: the migrations make what the schema declares\n",
    ]);
  });

  it("refuses what looks like a rename with exit code 4, and takes each of the three answers", async () => {
    const folder = application("slug: text().notNull()");
    await generate(folder);
    writeFileSync(join(folder, "schema.ts"), schema("key: text().notNull()"));
    const refused = await generate(folder);
    expect([refused.code, refused.stdout]).toEqual([4, ""]);
    expect(refused.stderr).toContain("--rename roles.slug=key");
    const renamed = await generate(folder, "--rename", "roles.slug=key", "--dry-run");
    expect(renamed.stdout).toContain("rename column slug to key");
    const dropped = await generate(folder, "--accept-drops", "--dry-run");
    expect(dropped.stderr).toContain("up loses roles.slug (data)");
    writeFileSync(join(folder, "schema.ts"), schema('key: renamedFrom("slug", text().notNull())'));
    expect((await generate(folder, "--dry-run")).stdout).toBe(renamed.stdout);
    expect(readdirSync(join(folder, "migrations"))).toEqual(["0001_change.sql"]);
  });

  it("gives one JSON document", async () => {
    const folder = application("slug: text().notNull()");
    const { stdout } = await generate(folder, "--json");
    expect(JSON.parse(stdout)).toMatchObject({
      ok: true,
      command: "migrate generate",
      data: {
        isEmpty: false,
        fileName: "0001_change.sql",
        losesUp: [],
        upMayFail: [],
        downMayFail: [],
        losesDown: ["roles (data)"],
        irreversible: [],
      },
      findings: [],
      error: null,
    });
  });

  it.each([
    ["a rename of the wrong form", ["--rename", "nonsense"], "is no rename"],
    ["a rename of nothing", ["--rename", "roles.nope=key"], "nothing is renamed that way"],
  ])("refuses %s", async (_what, flags, message) => {
    const folder = application("slug: text().notNull()");
    const { code, stderr } = await generate(folder, ...flags);
    expect(code).toBe(1);
    expect(stderr).toContain(message);
  });
});
