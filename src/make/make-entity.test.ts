import { execFile } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type TestServer, testServer } from "../../test/support/server.ts";
import { type Installation, installPlinth } from "../cli/installation.fixture.ts";

const run = promisify(execFile);
const CONFIG = { "plinth.config.ts": "export default {};\n", "package.json": '{ "type": "module" }' };
const TSCONFIG = JSON.stringify({
  compilerOptions: {
    strict: true,
    noEmit: true,
    module: "nodenext",
    target: "es2023",
    lib: ["es2023"],
    types: ["node"],
    skipLibCheck: true,
    noUncheckedIndexedAccess: true,
    exactOptionalPropertyTypes: true,
    verbatimModuleSyntax: true,
    allowImportingTsExtensions: true,
  },
});

let server: TestServer;
let installation: Installation;

beforeAll(async () => {
  server = await testServer();
  installation = await installPlinth();
}, 120_000);
afterAll(async () => {
  installation.remove();
  await server.stop();
});

let applications = 0;
function application(files: Readonly<Record<string, string>> = {}): string {
  applications += 1;
  return installation.application(`shop${applications}`, { ...CONFIG, "tsconfig.json": TSCONFIG, ...files });
}

const makeEntity = (folder: string, ...arguments_: readonly string[]) =>
  installation.run(folder, ["make", "entity", ...arguments_]);

describe("plinth make entity", () => {
  it("makes a schema, repositories and tests which type-check and pass as they are", async () => {
    const folder = application();
    const runs = [
      await makeEntity(folder, "Project", "name:text!:unique", "budget:numeric(12,2)", "--soft-delete"),
      await makeEntity(
        folder,
        "Task",
        "title:text!",
        "projectId:ref(projects)!",
        "parentId:ref(projects)",
        "status:enum(pending,in progress,done)!",
        "tags:text[]!",
        "dueOn:date",
        "weight:double!",
        "isUrgent:boolean!:index",
      ),
      await makeEntity(
        folder,
        "Category",
        "token:uuid!",
        "size:bigint!",
        "at:timestamp!",
        "data:json!",
        "--history",
      ),
    ];
    expect(runs.map(({ code, stderr }) => [code, stderr.replace(/^next:.*\n/, "")])).toEqual([
      [0, ""],
      [0, ""],
      [0, ""],
    ]);
    expect(readdirSync(join(folder, "repositories")).sort()).toEqual([
      "categories.test.ts",
      "categories.ts",
      "projects.test.ts",
      "projects.ts",
      "tasks.test.ts",
      "tasks.ts",
    ]);
    expect(readFileSync(join(folder, "schema.ts"), "utf8")).toContain(`export const tasks = entity(
  app,
  "tasks",
  {
    id: ulidKey(),
    title: text().notNull(),
    projectId: text().notNull().references((): AnyPgColumn => projects.id, { onDelete: "restrict" }),
    parentId: text().references((): AnyPgColumn => projects.id, { onDelete: "set null" }),
    status: taskStatus().notNull(),
    tags: text().array().notNull(),
    dueOn: date(),
    weight: doublePrecision().notNull(),
    isUrgent: boolean().notNull(),
    ...timestamps(),
  },
  { constraints: (t) => [index().on(t.projectId), index().on(t.parentId), index().on(t.isUrgent)] },
);
`);
    const modules = join(installation.folder, "node_modules");
    await run(process.execPath, [join(modules, "typescript/bin/tsc"), "-p", folder], { cwd: folder });
    const vitest = [join(modules, "vitest/vitest.mjs"), "run", "--root", folder, "--reporter", "json"];
    const { stdout } = await run(process.execPath, vitest, {
      cwd: folder,
      env: { ...process.env, PLINTH_TEST_URL: server.url },
    });
    expect(JSON.parse(stdout)).toMatchObject({ success: true, numPassedTests: 9 });
  }, 120_000);

  it("adds to a schema that is there, into its imports, and leaves its text alone", async () => {
    const schema = `// Ours.
import { text } from "drizzle-orm/pg-core";
import { appSchema, entity, uuidKey } from "plinth/schema";

export const shop = appSchema("shop");

export const people = entity(shop, "people", { id: uuidKey(), name: text().notNull() });
`;
    const folder = application({ "schema.ts": schema });
    const { code, stdout } = await makeEntity(folder, "order_line", "personId:ref(people)!");
    expect(code).toBe(0);
    expect(stdout).toBe(
      `extended ${join(folder, "schema.ts")}\nmade ${join(folder, "repositories/order-lines.ts")}\nmade ${join(folder, "repositories/order-lines.test.ts")}\n`,
    );
    const text = readFileSync(join(folder, "schema.ts"), "utf8");
    expect(text).toBe(
      `${schema
        .replace("{ text }", "{ type AnyPgColumn, index, text, uuid }")
        .replace("{ appSchema, entity, uuidKey }", "{ appSchema, entity, timestamps, ulidKey, uuidKey }")}
export const orderLines = entity(
  shop,
  "order_lines",
  {
    id: ulidKey(),
    personId: uuid().notNull().references((): AnyPgColumn => people.id, { onDelete: "restrict" }),
    ...timestamps(),
  },
  { constraints: (t) => [index().on(t.personId)] },
);
`,
    );
  });

  it.each([
    ["a type nobody knows", ["Task", "title:txet"], 'unknown type "txet"; did you mean "text"?'],
    ["a field without a type", ["Task", "title"], "write name:type"],
    [
      "a reference to nothing",
      ["Task", "userId:ref(users)"],
      'ref(users): unknown entity "users"; there are none',
    ],
    ["a field twice", ["Task", "a:text", "a:text"], 'the field "a" is there already'],
    ["a field that comes by itself", ["Task", "createdAt:date"], 'the field "createdAt" is there already'],
    ["a name that is none", ["1; drop table x", "a:text"], "is no name for an entity"],
    ["an enum without values", ["Task", "status:enum()"], "list the values"],
    ["a hostile enum", ["Task", 'status:enum(a","b)'], "list the values"],
    ["a name that is taken", ["Person", "a:text", "--table", "app"], 'the schema has "app" already'],
  ])("refuses %s and writes nothing", async (_what, arguments_, message) => {
    const folder = application({
      "schema.ts": 'import { appSchema } from "plinth/schema";\nexport const app = appSchema("shop");\n',
    });
    const { code, stderr } = await makeEntity(folder, ...arguments_);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
    expect(readdirSync(folder).sort()).toEqual([
      "package.json",
      "plinth.config.ts",
      "schema.ts",
      "tsconfig.json",
    ]);
  });

  it("never overwrites: a file that is there stops it before anything is written", async () => {
    const folder = application({ "repositories/tasks.test.ts": "// mine\n" });
    const { code, stderr } = await makeEntity(folder, "Task", "title:text!");
    expect(code).toBe(2);
    expect(stderr).toContain("tasks.test.ts is there already, and is not overwritten");
    expect(existsSync(join(folder, "schema.ts"))).toBe(false);
    expect(readFileSync(join(folder, "repositories/tasks.test.ts"), "utf8")).toBe("// mine\n");
  });

  it("leaves a schema that would not load as it was", async () => {
    const schema =
      'import { appSchema } from "plinth/schema";\nexport const app = appSchema("shop");\nconst tasks = 1;\n';
    const folder = application({ "schema.ts": schema });
    const { code } = await makeEntity(folder, "Task", "title:text!");
    expect(code).toBe(2);
    expect(readFileSync(join(folder, "schema.ts"), "utf8")).toBe(schema);
    expect(readdirSync(folder).filter((name) => name.startsWith("."))).toEqual([]);
  });
});

describe("plinth make seed", () => {
  it("makes a seed that runs, after the others, and never over one", async () => {
    const folder = application({ "seeds/reference/0007-roles.ts": "export default 1;\n" });
    await makeEntity(folder, "Task", "title:text!");
    const { stdout } = await installation.run(folder, ["make", "seed", "more roles", "--reference"]);
    expect(stdout).toBe(`${join(folder, "seeds/reference/0008-more-roles.ts")}\n`);
    const dev = await installation.run(folder, ["make", "seed", "demo"]);
    expect(dev.stdout).toBe(`${join(folder, "seeds/dev/demo.ts")}\n`);
    const again = await installation.run(folder, ["make", "seed", "demo"]);
    expect([again.code, again.stderr]).toEqual([2, expect.stringContaining("is not overwritten")]);
  });
});
