/** drizzle-kit reads the same tables: what it makes of them is compared with what Plinth makes, on real databases. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type DrizzleSnapshotJSON,
  generateMigration as generateByKit,
  generateDrizzleJson,
} from "drizzle-kit/api";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { type TestServer, testServer } from "../../../test/support/server.ts";
import {
  type Catalog,
  type CatalogDifference,
  compareCatalogs,
  readCatalog,
  renderSchema,
} from "../../catalog/index.ts";
import { describeSchema } from "../../schema/index.ts";
import { openShadow, type Shadow, type ShadowDatabase } from "../../shadow/index.ts";
import { readMigrations } from "../folder.ts";
import { buildFromStatements, replayMigrations } from "../replay.ts";
import { everyType, type Module, type ShopForm, shop } from "./drizzle-schemas.fixture.ts";
import { generateMigration } from "./generate.ts";

const HOME = "garden";

let server: TestServer;
let shadow: Shadow;

beforeAll(async () => {
  server = await testServer();
  shadow = await openShadow({ url: server.url, directory: import.meta.dirname });
});
afterAll(async () => {
  await shadow.release();
  await server.stop();
});

const NOTHING = generateDrizzleJson({});

function snapshot(module: Module): DrizzleSnapshotJSON {
  return generateDrizzleJson({ ...module }, NOTHING.id, [HOME]);
}

/** What drizzle-kit's files leave, one after the other. */
async function builtByKit(...modules: readonly Module[]): Promise<Catalog> {
  const database = await shadow.createDatabase();
  let before = NOTHING;
  return read(database, async (run) => {
    for (const module of modules) {
      const after = snapshot(module);
      for (const statement of await generateByKit(before, after)) await run(statement);
      before = after;
    }
  });
}

/** What Plinth's files leave, one after the other. */
async function builtByPlinth(...modules: readonly Module[]): Promise<Catalog> {
  const folder = mkdtempSync(join(tmpdir(), "plinth-kit-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const module of modules) {
    const declared = renderSchema(describeSchema(module), []).up;
    const options = { folder, name: "step", schemaName: HOME, declared, shadow, acceptDrops: true };
    expect((await generateMigration(options)).findings).toEqual([]);
  }
  return read(await replayMigrations(shadow, await readMigrations(folder), HOME));
}

/** What the schema's own DDL makes of an empty database. */
async function rendered(module: Module): Promise<Catalog> {
  return read(await buildFromStatements(shadow, renderSchema(describeSchema(module), []).up, HOME));
}

type Run = (statement: string) => Promise<unknown>;

async function read(database: ShadowDatabase, work?: (run: Run) => Promise<void>): Promise<Catalog> {
  try {
    return await database.use(async (connection) => {
      await work?.((statement) => connection.script(statement));
      return readCatalog(connection, HOME);
    });
  } finally {
    await database.drop();
  }
}

/** Where the two differ on purpose, what each makes of it, and why. */
const DIFFERENT: readonly {
  readonly name: string;
  readonly theirs: string;
  readonly ours: string;
  readonly why: string;
}[] = [
  {
    name: "pieces_title",
    theirs: "CREATE INDEX pieces_title ON pieces USING btree (title DESC NULLS LAST, code)",
    ours: "CREATE INDEX pieces_title ON pieces USING btree (title DESC, code)",
    why: "Drizzle says `nulls last` of every column; where none is null, `order by … desc` could not use the index",
  },
];

/** What is different although nothing in the list says why it may be. */
function unexplained(theirs: Catalog, ours: Catalog): readonly CatalogDifference[] {
  return compareCatalogs(theirs, ours).filter(
    ({ name, left, right }) =>
      !DIFFERENT.some((one) => one.name === name && one.theirs === left && one.ours === right),
  );
}

const WHOLE: ShopForm = {
  columns: true,
  indexes: true,
  constraints: true,
  types: true,
  nulls: true,
  defaults: true,
  enumValues: true,
  tables: true,
  views: true,
  sequences: true,
  policies: true,
};

describe("the database that drizzle-kit makes", () => {
  it.each([
    ["a column of every type", everyType()],
    ["a plain shop", shop()],
    ["a shop with everything", shop(WHOLE)],
  ])("is the one that Plinth makes: %s", async (_what, module) => {
    const theirs = await builtByKit(module);
    expect(theirs.objects.length).toBeGreaterThan(3);
    expect(unexplained(theirs, await rendered(module))).toEqual([]);
    expect(unexplained(theirs, await builtByPlinth(module))).toEqual([]);
  });
});

describe("the list of differences", () => {
  it("holds nothing that is equal by now", async () => {
    const [theirs, ours] = [await builtByKit(shop(WHOLE)), await rendered(shop(WHOLE))];
    const found = compareCatalogs(theirs, ours).map(({ name, left, right }) => ({
      name,
      theirs: left,
      ours: right,
    }));
    expect(found).toEqual(DIFFERENT.map(({ why: _why, ...one }) => one));
  });
});

describe("the migration that drizzle-kit writes", () => {
  const parts = Object.keys(WHOLE).map((part) => [part, { [part]: true }] as const);

  // To drop a value drizzle-kit makes the enum anew, which policies and partial indexes on its columns stop.
  const everything = { ...WHOLE, enumValues: false };

  it.each([...parts, ["everything", everything] as const])(
    "leads where Plinth's leads, to and from: %s",
    async (_part, form) => {
      for (const [from, to] of [
        [shop(), shop(form)],
        [shop(form), shop()],
      ] as const) {
        const theirs = await builtByKit(from, to);
        const ours = await builtByPlinth(from, to);
        expect(unexplained(theirs, ours)).toEqual([]);
      }
    },
  );
});
