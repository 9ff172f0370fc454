import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bigint, integer, text } from "drizzle-orm/pg-core";
import { appSchema, entity, renamedFrom, secret, ulidKey } from "plinth/schema";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { type TestServer, testServer } from "../../test/support/server.ts";
import { BEHAVIOURS } from "../behaviours.ts";
import { compareCatalogs, readCatalog, renderCatalog, renderSchema } from "../catalog/index.ts";
import { rowChangingLines } from "../migrations/dev/row-changes.ts";
import { generateMigration } from "../migrations/generate/generate.ts";
import {
  lintMigrations,
  parseMigrationFile,
  proveMigrations,
  readMigrationFolder,
  squashMigrations,
} from "../migrations/index.ts";
import { type AnyEntity, describeSchema, describeTable } from "../schema/index.ts";
import { openShadow, type Shadow } from "../shadow/index.ts";
import { pastOf } from "./past.ts";

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

type Columns = Parameters<typeof entity>[2];

/** A schema of one table, as a developer would have it next. */
function items(columns: Columns, options: object = { history: true }, name = "items") {
  const app = appSchema("shop");
  const own = entity(app, name, { id: ulidKey(), ...columns }, options);
  return { app, own: own as AnyEntity };
}

/** A folder that a schema's migrations are generated into, one for each step. */
function steps() {
  const folder = mkdtempSync(join(tmpdir(), "plinth-history-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const next = async (schema: ReturnType<typeof items>) => {
    const described = describeSchema(schema);
    const generated = await generateMigration({
      folder,
      name: `step ${readdirSync(folder).length}`,
      schemaName: "shop",
      declared: renderSchema(described, BEHAVIOURS).up,
      renames: described.renames,
      shadow,
      acceptDrops: true,
    });
    expect(generated.findings).toEqual([]);
    return generated;
  };
  return { folder, next };
}

/** A database that the folder's migrations were run on, with work between them. */
async function migrate(folder: string, between: Readonly<Record<number, string>>) {
  const database = await shadow.createDatabase();
  const connection = await database.connect();
  onTestFinished(() => connection.close().then(() => database.drop()));
  const run = async (sql: string) => (await connection.script(sql)).at(-1)?.rows ?? [];
  await run("create schema shop; set search_path to shop");
  for (const [i, file] of readdirSync(folder).sort().entries()) {
    const [, up = ""] =
      /-- migrate:up\n([\s\S]*?)(-- migrate:down|$)/.exec(readFileSync(join(folder, file), "utf8")) ?? [];
    const statements = up.split(/;\n\n/).filter((one) => one.trim() !== "");
    for (const one of statements) await run(one);
    if (between[i] !== undefined) await run(between[i]);
  }
  return run;
}

const BEGIN = /\(0, clock_timestamp\(\), 'begin', ''\)/g;

describe("a schema that changes", () => {
  it("is migrated to a history and away from it, and nothing is left to do", async () => {
    const { folder, next } = steps();
    const plain = { title: text().notNull() };
    await next(items(plain, {}));
    expect((await next(items(plain))).text).toContain("create table items_history (");
    expect((await next(items(plain))).isEmpty).toBe(true);
    const away = await next(items(plain, {}));
    expect(away.losesUp).toContain("items_history (data)");
    const read = await readMigrationFolder(folder, { format: "plinth" });
    const proof = await proveMigrations({ shadow, files: read.files, schemaName: "shop" });
    expect(proof.findings.filter(({ level }) => level === "error")).toEqual([]);
    const only = [read.files[1]?.fileName ?? ""];
    for (const mode of ["static", "trace"] as const) {
      const { findings } = await lintMigrations({ folder: read, only, schemaName: "shop", shadow, mode });
      expect(findings.filter(({ level }) => level === "error")).toEqual([]);
    }
  });

  it("knows the past of rows that were there before it, and is dumped whole", async () => {
    const { folder, next } = steps();
    await next(items({ title: text() }, {}));
    await next(items({ title: text() }));
    const run = await migrate(folder, {
      0: "insert into items values ('a', 'one'), ('b', 'one')",
      1: "update items set title = 'two' where id = 'a'; delete from items where id = 'b'",
    });
    const [[moment]] = (await run("select at from items_history where operation = 'begin'")) as [[string]];
    const past = pastOf(describeTable(items({ title: text() }).own), `'${moment}'::timestamptz`);
    expect(await run(`select * from ${past} t order by id`)).toEqual([
      ["a", "one"],
      ["b", "one"],
    ]);
    const [one, other] = [await shadow.createDatabase(), await shadow.createDatabase()];
    onTestFinished(() => one.drop().then(() => other.drop()));
    const declared = renderSchema(describeSchema(items({ title: text() })), BEHAVIOURS).up;
    const catalogOf = async (database: typeof one, statements: readonly string[]) =>
      database.use(async (connection) => {
        await connection.script("create schema shop; set search_path to shop");
        for (const text of statements) await connection.query({ text, values: [] });
        return readCatalog(connection, "shop");
      });
    const wish = await catalogOf(one, declared);
    expect(compareCatalogs(await catalogOf(other, renderCatalog(wish)), wish)).toEqual([]);
    const begins = await other.use((connection) =>
      connection.script("select count(*) from shop.items_history where operation = 'begin'"),
    );
    expect(begins.at(-1)?.rows).toEqual([["1"]]);
  });

  it("notes when the history began, once its triggers have their locks, and anew where it begins anew", async () => {
    const { folder, next } = steps();
    await next(items({ title: text() }, {}));
    const { text: file } = await next(items({ title: text() }));
    expect(file.match(BEGIN)).toHaveLength(1);
    expect(file.search(BEGIN)).toBeGreaterThan(file.lastIndexOf("create trigger"));
    await next(items({ title: text() }, {}));
    await next(items({ title: text() }));
    const run = await migrate(folder, {
      0: "insert into items values ('a', 'one'); begin",
      1: "create table noted as select at, at > now() as is_later, version from items_history; commit",
    });
    expect(await run("select is_later, version from noted")).toEqual([["t", "0"]]);
    const after = "select count(*), bool_and(h.at > n.at) from items_history h cross join noted n";
    expect(await run(after)).toEqual([["1", "t"]]);
    const [[began]] = (await run("select at from items_history")) as [[string]];
    const past = (moment: string) =>
      pastOf(describeTable(items({ title: text() }).own), `${moment}::timestamptz`);
    await run("update items set title = 'two'");
    expect(await run(`select title from ${past(`'${began}'`)} t`)).toEqual([["one"]]);
    await expect(run(`select title from ${past("(select at from noted)")} t`)).rejects.toMatchObject({
      code: "HISTORY_UNKNOWN",
    });
  });

  it("tells no developer that the note of a beginning was not run", async () => {
    const { folder, next } = steps();
    await next(items({ title: text() }));
    const [file = ""] = readdirSync(folder);
    const parsed = parseMigrationFile(file, readFileSync(join(folder, file)));
    expect(parsed.up.text).toMatch(BEGIN);
    expect(await rowChangingLines(parsed)).toEqual([]);
  });

  it("is squashed, with rows that migrations made, and the squash notes a beginning of its own", async () => {
    const { folder, next } = steps();
    onTestFinished(() => rmSync(`${folder}-replaced`, { recursive: true, force: true }));
    await next(items({ title: text() }, {}));
    const rows =
      "-- migrate:up\ninsert into items values ('a', 'one');\n-- migrate:down\ndelete from items;\n";
    writeFileSync(join(folder, "0002_rows.sql"), rows);
    await next(items({ title: text() }));
    writeFileSync(join(folder, "0004_rows.sql"), rows.replaceAll("'a'", "'b'"));
    await next(items({ headline: renamedFrom("title", text()) }));
    const squashed = await squashMigrations({ folder, to: "0005", schemaName: "shop", shadow });
    expect(squashed.findings.filter(({ level }) => level === "error")).toEqual([]);
    expect(squashed.text.match(BEGIN)).toHaveLength(1);
    expect(squashed.text).not.toContain("'rename'");
    const run = await migrate(folder, {});
    expect(await run("select operation, row_key from items_history order by version, at, row_key")).toEqual([
      ["begin", ""],
      ["insert", "a"],
      ["insert", "b"],
    ]);
  });

  it("leaves the history as it was, whatever becomes of the columns", async () => {
    const { folder, next } = steps();
    await next(items({ title: text().notNull(), size: integer(), gone: text() }));
    const renamed = { headline: renamedFrom("title", text().notNull()), size: integer(), gone: text() };
    const step = await next(items(renamed));
    expect(step.text).toContain(`values ('rename', '', '{"column":"title"}', '{"column":"headline"}')`);
    await next(items({ ...renamed, size: bigint({ mode: "bigint" }), added: text().notNull().default("x") }));
    const last = items({
      headline: text().notNull(),
      size: bigint({ mode: "bigint" }),
      added: text().notNull().default("x"),
    });
    await next(last);
    const run = await migrate(folder, {
      0: "insert into items (id, title, size, gone) values ('a', 'one', 1, 'kept'), ('b', 'one', 1, 'kept too'); select pg_sleep(0.01)",
      1: "update items set headline = 'two' where id = 'a'",
      2: "update items set size = 4294967296 where id = 'a'",
      3: "delete from items where id = 'b'",
    });
    const [[moment]] = (await run("select max(at) from items_history where operation = 'insert'")) as [
      [string],
    ];
    const past = pastOf(describeTable(last.own), `'${moment}'::timestamptz`);
    expect(await run(`select id, headline, size from ${past} t order by id`)).toEqual([
      ["a", "one", "1"],
      ["b", "one", "1"],
    ]);
    expect(
      await run("select after ->> 'gone' from items_history where operation = 'insert' order by row_key"),
    ).toEqual([["kept"], ["kept too"]]);
    expect(
      await run(
        "select after ->> 'size' from items_history where row_key = 'a' order by version desc limit 1",
      ),
    ).toEqual([["4294967296"]]);
  });

  it("takes the history along when its table is renamed", async () => {
    const { folder, next } = steps();
    await next(items({ title: text() }));
    const step = await next(items({ title: text() }, { history: true, renamedFrom: "items" }, "things"));
    expect(step.losesUp).toEqual([]);
    const run = await migrate(folder, {
      0: "insert into items values ('a', 'one')",
      1: "update things set title = 'two'",
    });
    expect(await run("select operation from things_history where version > 0 order by version")).toEqual([
      ["insert"],
      ["update"],
    ]);
  });

  it("hides a column from the moment it is secret", async () => {
    const { folder, next } = steps();
    await next(items({ code: text() }));
    await next(items({ code: secret(text()) }));
    const run = await migrate(folder, {
      0: "insert into items values ('a', 'open')",
      1: "update items set code = 'hidden'; delete from items",
    });
    expect(
      await run(
        "select operation, before, after, concealed from items_history where version > 0 order by version",
      ),
    ).toEqual([
      ["insert", null, '{"id": "a", "code": "open"}', null],
      ["update", "{}", "{}", "{code}"],
      ["delete", '{"id": "a"}', null, null],
    ]);
  });
});

describe("a declared history", () => {
  it.each([
    [
      { history: { except: ["titel"] } },
      'history of "items", except: unknown column "titel"; did you mean "title"?',
    ],
    [
      { history: { except: ["id"] } },
      'history of "items": "id" tells which row it was, so it cannot be left out',
    ],
    [{ history: { exclude: [] } }, 'unknown option "exclude"'],
    [{ history: "yes" }, 'history of "items" must be true, or an object with except'],
    [{ history: { except: "title" } }, "except must be a list of properties"],
  ])("is refused: %j", (options, message) => {
    expect(() => describeSchema(items({ title: text() }, options))).toThrow(
      expect.objectContaining({ code: "SCHEMA_INVALID", message: expect.stringContaining(message) }),
    );
  });

  it("is refused where its names would be too long", () => {
    expect(() => describeSchema(items({}, { history: true }, "n".repeat(41)))).toThrow(
      /longer than a name may be/,
    );
    expect(describeSchema(items({}, { history: true }, "n".repeat(40))).entities).toHaveLength(1);
  });

  it("knows its columns by type", () => {
    const app = appSchema("shop");
    // @ts-expect-error there is no such column
    entity(app, "a", { id: ulidKey() }, { history: { except: ["titel"] } });
    expect(
      entity(app, "b", { id: ulidKey(), title: text() }, { history: { except: ["title"] } }),
    ).toBeDefined();
  });
});
