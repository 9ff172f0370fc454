import { randomBytes } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { startPostgres } from "../../../test/support/postgres.ts";
import { type TestServer, testServer } from "../../../test/support/server.ts";
import { type Connection, connect, parseTarget } from "../../driver/index.ts";
import { openShadow, type Shadow } from "../../shadow/index.ts";
import { type AdoptOptions, adoptMigrations, createMigrator, recordBaseline } from "../index.ts";
import { SHOP_BUILDERS, type ShopBuilder } from "./shop.fixture.ts";
import { type ToolFolder, toolFolder } from "./tools.fixture.ts";

let server: TestServer;
let shadow: Shadow;
let admin: Connection;
const places: Place[] = [];

beforeAll(async () => {
  server = await testServer();
  admin = await connect(parseTarget(server.url));
  shadow = await openShadow({ url: server.url, directory: "/nowhere" });
});

afterEach(async () => {
  for (const place of places.splice(0)) await place.remove();
});

afterAll(async () => {
  await shadow.release();
  await admin.close();
  await server.stop();
});

/** A database, the tool's files and Plinth's folder. */
interface Place {
  readonly url: string;
  readonly files: ToolFolder;
  readonly folder: string;
  run(sql: string): Promise<void>;
  rows(sql: string): Promise<readonly (readonly (string | null)[])[]>;
  adopt(options: Pick<AdoptOptions, "from"> & Partial<AdoptOptions>): ReturnType<typeof adoptMigrations>;
  remove(): Promise<void>;
}

async function newPlace(): Promise<Place> {
  const name = `adopt_${randomBytes(6).toString("hex")}`;
  await admin.script(`create database ${name}`);
  const url = new URL(server.url);
  url.pathname = `/${name}`;
  const connection = await connect(parseTarget(url.href));
  const files = toolFolder();
  const folder = `${files.path}/plinth/migrations`;
  const place: Place = {
    url: url.href,
    files,
    folder,
    run: async (sql) => {
      await connection.script(sql);
    },
    rows: async (text) => (await connection.query({ text, values: [] })).rows,
    adopt: (options) =>
      adoptMigrations({ target: parseTarget(url.href), schemaName: "public", folder, shadow, ...options }),
    remove: async () => {
      await connection.close();
      await admin.script(`drop database ${name} with (force)`);
      files.remove();
    },
  };
  places.push(place);
  return place;
}

async function builtShop(builder: ShopBuilder): Promise<Place> {
  const place = await newPlace();
  builder.write(place.files, 3);
  await builder.build(place.files, place.url);
  return place;
}

const migratorOf = (place: Place) =>
  createMigrator({
    target: parseTarget(place.url),
    schemaName: "public",
    folder: place.folder,
    isProduction: false,
  });

for (const builder of SHOP_BUILDERS) {
  const { tool, title, install } = builder;
  if (install !== undefined) {
    process.stderr.write(`\n!! ${title} is not installed: ${install}\n!! SKIPPED: adopting from it\n\n`);
    continue;
  }
  describe(`adopting ${title}`, () => {
    it("records its history, proves the baseline, leaves its table alone, and goes on from there", async () => {
      const place = await builtShop(builder);
      const tables = await snapshot(place, builder);
      const toolFolderPath = `${place.files.path}/${builder.folder}`;
      const adoption = await place.adopt({ from: tool, toolFolder: toolFolderPath });
      expect(adoption).toMatchObject({ outcome: "adopted", fileName: "0001_baseline.sql", findings: [] });
      const text = readFileSync(`${place.folder}/0001_baseline.sql`, "utf8");
      expect(text).toBe(adoption.text);
      expect(text).toContain(`-- The baseline: what 3 migrations of ${tool} had made of this database`);
      for (const [at, { name }] of adoption.applied.entries()) {
        expect(text).toMatch(new RegExp(`^-- ${at + 1}\\. ${name.replaceAll(".", "\\.")}(?:  20.*)?$`, "m"));
      }
      for (const table of builder.tables)
        expect(text).not.toContain(table.replace("public.", "create table "));
      expect(
        await place.rows(
          "select version, name, statements_total = statements_applied from plinth_migrations",
        ),
      ).toEqual([["0001", "baseline", "t"]]);
      const [[note]] = (await place.rows("select obj_description('plinth_migrations'::regclass)")) as [
        [string],
      ];
      expect(note).toMatch(new RegExp(`^Begun by 0001_baseline\\.sql, which took over from ${tool}: `));
      await goOn(place);
      // The tool's own view of things has not changed either.
      if (builder.isReal) await builder.build(place.files, place.url);
      expect(await snapshot(place, builder)).toEqual(tables);
    });

    it("refuses while a migration of its folder is pending", async () => {
      const place = await newPlace();
      builder.write(place.files, 3);
      await builder.build(place.files, place.url);
      builder.write(place.files, 3);
      addPending(place, builder);
      const options = { from: tool, toolFolder: `${place.files.path}/${builder.folder}` };
      await expect(place.adopt(options)).rejects.toMatchObject({
        code: "SAFETY_REFUSED",
        message: expect.stringMatching(
          new RegExp(`^1 migration is in ${tool}'s folder and not applied here\n  .*late`),
        ),
      });
      expect(existsSync(place.folder)).toBe(false);
      expect(await place.rows("select to_regclass('plinth_migrations')")).toEqual([[null]]);
    });
  });
}

/** The tool's rows, to be found again as they were. */
async function snapshot(place: Place, { tables }: ShopBuilder): Promise<readonly unknown[]> {
  const rows: unknown[] = [];
  for (const table of tables) rows.push(await place.rows(`select t::text from ${table} as t order by 1`));
  return rows;
}

/** The first migration of Plinth's own, up and down. */
async function goOn(place: Place): Promise<void> {
  place.files.write(
    "plinth/migrations/0002_tags.sql",
    "-- migrate:up\nalter table orders add tags text[];\n-- migrate:down\nalter table orders drop tags;\n",
  );
  const migrator = migratorOf(place);
  expect((await migrator.up()).ran.map(({ fileName }) => fileName)).toEqual(["0002_tags.sql"]);
  expect(await migrator.status()).toMatchObject({ pending: 0, findings: [] });
  await migrator.down();
}

function addPending({ files }: Place, { tool, folder }: ShopBuilder): void {
  const late: Readonly<Record<typeof tool, readonly [string, string]>> = {
    drizzle: [
      "meta/_journal.json",
      JSON.stringify({
        entries: [
          ...["0000_customers", "0001_orders", "0002_totals"].map((tag, at) => ({
            tag,
            when: 1_700_000_000_000 + at,
          })),
          { tag: "0003_late", when: 1_800_000_000_000 },
        ],
      }),
    ],
    prisma: ["20250101000000_late/migration.sql", "select 1;"],
    knex: ["20250101000000_late.js", "exports.up = (knex) => knex.raw('select 1');"],
    "node-pg-migrate": ["1800000000000_late.sql", "-- Up Migration\nselect 1;"],
    dbmate: ["20250101000000_late.sql", "-- migrate:up\nselect 1;"],
    "golang-migrate": ["000009_late.up.sql", "select 1;"],
    flyway: ["V2__late.sql", "select 1;"],
    alembic: [
      "versions/ffff_late.py",
      "revision = 'ffff'\ndown_revision = 'ae10222'\ndef upgrade():\n    pass\n",
    ],
  };
  const [path, text] = late[tool];
  files.write(`${folder}/${path}`, text);
}

const [shop] = SHOP_BUILDERS.filter(({ tool }) => tool === "golang-migrate");
if (shop === undefined) throw new Error("the shops have none of golang-migrate");

describe("adoptMigrations", () => {
  it("says so when it is done a second time, and changes nothing", async () => {
    const place = await builtShop(shop);
    const first = await place.adopt({ from: shop.tool });
    // Without the folder nobody can know what is pending.
    expect(first.findings.map(({ rule }) => rule)).toEqual(["pending-unknown"]);
    const before = await place.rows("select * from plinth_migrations");
    const again = await place.adopt({ from: shop.tool });
    expect(again).toMatchObject({ outcome: "already", fileName: "0001_baseline.sql", file: undefined });
    expect(await place.rows("select * from plinth_migrations")).toEqual(before);
    expect(readdirSync(place.folder)).toEqual(["0001_baseline.sql"]);
  });

  it("shows in a dry run what it would write, and writes nothing", async () => {
    const place = await builtShop(shop);
    const { text, sql, outcome, file } = await place.adopt({ from: shop.tool, dryRun: true });
    expect({ outcome, file }).toEqual({ outcome: "adopted", file: undefined });
    expect(text).toContain("-- migrate:up\n\ncreate type customer_kind as enum ('person', 'company');");
    expect(sql).toMatch(
      /^create table "public"\."plinth_migrations" \([\s\S]*\nbegin;\n\ninsert into [\s\S]*commit;\n$/,
    );
    expect(existsSync(place.folder)).toBe(false);
    expect(await place.rows("select to_regclass('plinth_migrations')")).toEqual([[null]]);
    // What it showed is what it does.
    await place.run(sql ?? "");
    expect(await place.adopt({ from: shop.tool })).toMatchObject({ outcome: "already" });
  });

  it("records the baseline on the project's next database, where the file is there already", async () => {
    const [first, second] = [await builtShop(shop), await builtShop(shop)];
    const { text } = await first.adopt({ from: shop.tool });
    second.files.write("plinth/migrations/0001_baseline.sql", text);
    expect(await second.adopt({ from: shop.tool })).toMatchObject({
      outcome: "adopted",
      file: undefined,
      text: "",
    });
    await goOn(second);
  });

  it("refuses a database that is not what the baseline makes, with both sides", async () => {
    const [first, second] = [await builtShop(shop), await builtShop(shop)];
    const { text } = await first.adopt({ from: shop.tool });
    second.files.write("plinth/migrations/0001_baseline.sql", text);
    await second.run("alter table orders add by_hand date; drop index orders_customer_id_idx");
    const adoption = await second.adopt({
      from: shop.tool,
      toolFolder: `${second.files.path}/${shop.folder}`,
    });
    expect(adoption.outcome).toBe("differs");
    expect(adoption.findings).toEqual([
      {
        rule: "baseline-differs",
        level: "error",
        object: expect.stringMatching(/^column orders\.by_hand$/),
        why: "the database has\n    date\n  and the migrations make\n    nothing",
        fix: "Bring the database and the baseline together, and run adopt again. Nothing was recorded.",
      },
      expect.objectContaining({ rule: "baseline-differs", object: "index orders_customer_id_idx" }),
    ]);
    expect(await second.rows("select to_regclass('plinth_migrations')")).toEqual([[null]]);
  });

  it("makes the same again on an empty database, and takes it away again", async () => {
    const [first, second] = [await builtShop(shop), await newPlace()];
    const { text } = await first.adopt({ from: shop.tool });
    second.files.write("plinth/migrations/0001_baseline.sql", text);
    await migratorOf(second).up();
    await second.run(
      "insert into customers (email) values ('a@b'); insert into orders (customer_id) values (1)",
    );
    expect(await second.rows("select order_count(1), total from customer_totals")).toEqual([["1", "0.00"]]);
    await migratorOf(second).down();
    expect(await second.rows("select to_regclass('customers')")).toEqual([[null]]);
  });

  it("takes only the application's schema, or the whole database where it is told so", async () => {
    const place = await builtShop(shop);
    await place.run(`create schema billing;
      create table billing.invoices (id bigint primary key, order_id integer references public.orders (id));
      create extension citext; alter table customers add nick citext`);
    const one = await place.adopt({ from: shop.tool, dryRun: true });
    expect(one.outcome).toBe("adopted");
    expect(one.text).not.toContain("billing");
    expect(one.text).toMatch(/create extension .*citext/);
    const all = await place.adopt({ from: shop.tool, allSchemas: true });
    expect(all.outcome).toBe("adopted");
    expect(all.text).toContain("create table billing.invoices");
    const next = await newPlace();
    next.files.write("plinth/migrations/0001_baseline.sql", all.text);
    await migratorOf(next).up();
    expect(await next.rows("select to_regclass('billing.invoices') is null")).toEqual([["f"]]);
  });

  it("finds the tool's table under another name, and in another schema", async () => {
    const place = await builtShop(shop);
    await place.run(
      "create schema tools; alter table schema_migrations set schema tools; alter table tools.schema_migrations rename to done",
    );
    await expect(place.adopt({ from: shop.tool })).rejects.toThrow(
      /has no table schema_migrations of golang-migrate/,
    );
    const adoption = await place.adopt({ from: shop.tool, table: "tools.done", allSchemas: true });
    expect(adoption.leftAlone).toEqual([{ schema: "tools", name: "done" }]);
    expect(adoption.text).not.toContain("create schema");
  });

  it("refuses to leave out a table that something needs", async () => {
    const place = await builtShop(shop);
    await place.run("create view progress as select version from schema_migrations");
    await expect(place.adopt({ from: shop.tool })).rejects.toMatchObject({
      code: "SAFETY_REFUSED",
      message: expect.stringContaining(
        "view progress needs a table of the other tool (public.schema_migrations), which a baseline leaves out",
      ),
    });
  });

  it("refuses a folder that holds other migrations, and a schema that holds nothing", async () => {
    const place = await builtShop(shop);
    await expect(place.adopt({ from: shop.tool, schemaName: "shop" })).rejects.toThrow(
      /schema shop holds nothing to adopt\n {2}The tool's table is in schema public: .* DATABASE_SCHEMA=public/,
    );
    place.files.write("plinth/migrations/0001_init.sql", "-- migrate:up\nselect 1;\n");
    await expect(place.adopt({ from: shop.tool })).rejects.toThrow(
      /holds a migration already, 0001_init\.sql/,
    );
  });

  it("refuses to mix the tool's folder with Plinth's", async () => {
    const place = await builtShop(shop);
    const options = { from: shop.tool, toolFolder: place.folder };
    await expect(place.adopt(options)).rejects.toThrow(/is golang-migrate's folder and Plinth's at once/);
    await expect(place.adopt({ ...options, from: "dbmate" })).rejects.toThrow(
      /dbmate's files are in Plinth's own format/,
    );
  });

  it("records nothing when somebody changes the schema between the look and the record", async () => {
    const place = await builtShop(shop);
    const meddling: Shadow = {
      ...shadow,
      createDatabase: async () => {
        await place.run("alter table orders add meanwhile int");
        return shadow.createDatabase();
      },
    };
    await expect(place.adopt({ from: shop.tool, shadow: meddling })).rejects.toMatchObject({
      code: "MIGRATION_CHANGED",
      message: expect.stringContaining("somebody changed the schema while it was compared"),
    });
    expect(await place.rows("select count(*) from plinth_migrations")).toEqual([["0"]]);
  });

  it("keeps names with line ends and markers in comments", async () => {
    const place = await newPlace();
    await place.run(`create table t (id int primary key);
      create table knex_migrations (id serial primary key, name varchar(255), batch int, migration_time timestamptz);
      insert into knex_migrations (name, batch) values (E'a\n-- migrate:down\ndrop table t;', 1), ('migrate:up', 1)`);
    const { text } = await place.adopt({ from: "knex" });
    expect(text).toContain("-- 1. a?-- migrate:down?drop table t;\n-- 2. migrate:up\n");
    expect(await migratorOf(place).status()).toMatchObject({ pending: 0, findings: [] });
  });
});

describe("adoptMigrations on servers of two versions", () => {
  let other: Awaited<ReturnType<typeof startPostgres>>;
  beforeAll(async () => {
    other = await startPostgres({ version: shadow.serverVersion === 15 ? 18 : 15 });
  });
  afterAll(() => other.remove());

  it("compares what they write differently by what it means", async () => {
    const place = await builtShop(shop);
    // From 16 on a query of one relation is written without its name in front of the columns.
    await place.run("create view names as select c.id, c.email from customers c");
    const elsewhere = await openShadow({ url: other.url, directory: "/nowhere" });
    try {
      const same = await place.adopt({ from: shop.tool, shadow: elsewhere, dryRun: true });
      expect(same.outcome).toBe("adopted");
      expect(same.findings.map(({ rule, object }) => `${rule} ${object}`)).toEqual([
        "baseline-written-differently view names",
        "pending-unknown golang-migrate",
      ]);
      const edited = same.text.replace(/(view names as\s+select )(?:c\.)?id,/i, "$1 1::bigint as id,");
      place.files.write("plinth/migrations/0001_baseline.sql", edited);
      const different = await place.adopt({ from: shop.tool, shadow: elsewhere, dryRun: true });
      expect(different.outcome).toBe("differs");
      expect(different.findings[0]).toMatchObject({
        rule: "baseline-differs",
        object: "view names",
        fix: expect.stringContaining("with --shadow-url, prove it on one of the database's version"),
      });
    } finally {
      await elsewhere.release();
    }
  });
});

describe("recordBaseline", () => {
  const files = {
    "0001_a.sql":
      "-- migrate:up\ncreate table a (id int primary key, note text);\n-- migrate:down\ndrop table a;\n",
    "0002_b.sql": "-- migrate:up\ncreate table b (id int primary key);\ncreate index on a (note);\n",
    "0003_c.sql": "-- migrate:up\ncreate table c (id int primary key);\n",
  };

  async function placeWith(sql: string): Promise<Place> {
    const place = await newPlace();
    for (const [name, text] of Object.entries(files)) place.files.write(`plinth/migrations/${name}`, text);
    await place.run(sql);
    return place;
  }

  const record = (place: Place, options: { readonly to?: string; readonly dryRun?: boolean } = {}) =>
    recordBaseline({
      target: parseTarget(place.url),
      schemaName: "public",
      folder: place.folder,
      shadow,
      ...options,
    });

  const BUILT =
    "create table a (id int primary key, note text); create table b (id int primary key); create index on a (note)";

  it("records what the database has, up to a version, and up goes on after it", async () => {
    const place = await placeWith(BUILT);
    expect(await record(place, { to: "2" })).toEqual({
      recorded: ["0001_a.sql", "0002_b.sql"],
      sql: undefined,
      findings: [],
    });
    expect(await record(place, { to: "2" })).toEqual({ recorded: [], sql: undefined, findings: [] });
    expect((await migratorOf(place).up()).ran.map(({ fileName }) => fileName)).toEqual(["0003_c.sql"]);
    expect(await migratorOf(place).status()).toMatchObject({ pending: 0, findings: [] });
  });

  it("goes on from what the ledger has", async () => {
    const place = await placeWith("select 1");
    await migratorOf(place).up({ to: "1" });
    await place.run(
      "create table b (id int primary key); create index on a (note); create table c (id int primary key)",
    );
    expect((await record(place)).recorded).toEqual(["0002_b.sql", "0003_c.sql"]);
    expect(await migratorOf(place).status()).toMatchObject({ pending: 0, findings: [] });
  });

  it("refuses with the differences, and records nothing", async () => {
    const place = await placeWith(`${BUILT}; alter table b add extra int`);
    const { recorded, findings } = await record(place);
    expect(recorded).toEqual([]);
    expect(findings.map(({ object }) => object).sort()).toEqual([
      "column b.extra",
      "column c.id",
      "constraint c.c_pkey",
      "table c",
    ]);
    expect(await place.rows("select to_regclass('plinth_migrations')")).toEqual([[null]]);
  });

  it("shows in a dry run the SQL that it would send", async () => {
    const place = await placeWith(BUILT);
    const { recorded, sql } = await record(place, { to: "2", dryRun: true });
    expect(recorded).toEqual(["0001_a.sql", "0002_b.sql"]);
    expect(await place.rows("select to_regclass('plinth_migrations')")).toEqual([[null]]);
    await place.run(sql ?? "");
    expect((await record(place, { to: "2" })).recorded).toEqual([]);
  });

  it("refuses a migration that was begun and not finished, and a version that is not there", async () => {
    const place = await placeWith("select 1");
    place.files.write(
      "plinth/migrations/0001_a.sql",
      "-- migrate:up transaction:false\ncreate table a ();\nselect 1/0;\n",
    );
    await migratorOf(place)
      .up()
      .catch(() => undefined);
    await expect(record(place)).rejects.toThrow(/0001_a\.sql was begun and not finished/);
    await expect(record(place, { to: "9" })).rejects.toMatchObject({ code: "MIGRATION_INVALID" });
  });
});
