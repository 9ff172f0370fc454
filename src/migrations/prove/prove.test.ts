import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type TestServer, testServer } from "../../../test/support/server.ts";
import { SOAK_TIMEOUT_MS, soakRuns } from "../../../test/support/soak.ts";
import { openShadow, type Shadow, type ShadowDatabase } from "../../shadow/index.ts";
import { type MigrationFile, parseMigrationFile } from "../migration-file.ts";
import { randomTables } from "../rows/random-tables.fixture.ts";
import { type ProveOptions, proveMigrations } from "./prove.ts";
import type { ProofFinding, ProofReport } from "./report.ts";

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

const USERS = `-- migrate:up
create table users (id int generated always as identity primary key, email text not null unique, age int, name text not null);
-- migrate:down
drop table users;
`;

/** The folder's first file makes a table `users`, unless it is given. */
function files(...texts: readonly string[]): readonly MigrationFile[] {
  return texts.map((text, index) => parseMigrationFile(`000${index + 1}_step.sql`, Buffer.from(text)));
}

function step(up: string, down: string | undefined, header = ""): string {
  return `${header}\n-- migrate:up\n${up}\n${down === undefined ? "" : `-- migrate:down\n${down}\n`}`;
}

function prove(chain: readonly MigrationFile[], options: Partial<ProveOptions> = {}): Promise<ProofReport> {
  return proveMigrations({ shadow, files: chain, schemaName: "shop", ...options });
}

/** What is found about one step after `users` was made. */
async function findingsOf(
  up: string,
  down: string | undefined,
  header?: string,
): Promise<readonly ProofFinding[]> {
  const { findings, migrations } = await prove(files(USERS, step(up, down, header)));
  // The rows are what it is about.
  expect(migrations[1]?.rows ?? 5).toBeGreaterThanOrEqual(5);
  return findings;
}

function short(findings: readonly ProofFinding[]): readonly string[] {
  return findings.map(({ level, rule, object }) => `${level} ${rule} ${object}`);
}

describe("proveMigrations", () => {
  it("finds nothing in a chain that leads there and back, whatever it holds", async () => {
    const { migrations, findings, serverVersion } = await prove(
      files(
        USERS,
        step(
          `create type status as enum ('open', 'it''s "done"');
           create table "odd $1 ""table""" (id uuid primary key, owner int not null references users on delete cascade,
             status status not null default 'open', at timestamptz not null, check (at > '2000-01-01')) partition by hash (id);
           create table odd_0 partition of "odd $1 ""table""" for values with (modulus 2, remainder 0);
           create table odd_1 partition of "odd $1 ""table""" for values with (modulus 2, remainder 1);`,
          `drop table "odd $1 ""table"""; drop type status;`,
        ),
        step(
          `alter table users add column boss int references users; create index concurrently users_boss on users (boss);
           create function touch() returns trigger language plpgsql as $$ begin new.name = new.name; return new; end $$;
           create trigger touching before update on users for each row execute function touch();
           create view grown as select id, name from users where age > 17;`,
          "drop view grown; drop trigger touching on users; drop function touch(); alter table users drop column boss;",
        ),
        step(
          "alter table users add column tier int; update users set tier = 1; alter table users alter tier set not null;",
          "alter table users drop column tier;",
        ),
      ),
    );
    expect(findings).toEqual([]);
    expect(serverVersion).toBe(shadow.serverVersion);
    expect(migrations.map(({ proof, tables }) => [proof, tables])).toEqual([
      ["up-down-up", 0],
      ["up-down-up", 1],
      ["up-down-up", 2],
      ["up-down-up", 2],
    ]);
    expect(migrations[3]?.rows).toBeGreaterThan(9);
  });

  it("finds what down leaves behind and does not bring back, with both sides", async () => {
    const findings = await findingsOf(
      "alter table users add column extra text default 'x', alter age type bigint; create table left_over (id int primary key);",
      "alter table users drop column extra;",
    );
    expect(
      findings.map(({ rule, level, why, left, right }) => ({
        rule,
        level,
        what: why.split("\n")[0],
        left,
        right,
      })),
    ).toEqual([
      {
        rule: "down-differs",
        level: "error",
        what: "column users.age is not as it was",
        left: "integer",
        right: "bigint",
      },
      {
        rule: "down-differs",
        level: "error",
        what: "table left_over is not as it was",
        left: undefined,
        right: "table",
      },
    ]);
    expect(findings[0]?.why).toBe(
      "column users.age is not as it was\n    before up:\n      integer\n    after down:\n      bigint",
    );
  });

  it("finds an up that differs the second time", async () => {
    const findings = await findingsOf(
      "do $$ begin if to_regclass('ghost') is null then create table ghost (id int); else create table ghost2 (id int); end if; end $$;",
      "alter table ghost rename to ghost3; drop table ghost3; create sequence ghost; ",
    );
    expect(short(findings)).toContain("error up-differs 0002_step.sql");
    expect(findings.find(({ rule }) => rule === "up-differs")?.why).toContain("after up, down, up");
  });

  it("finds an up that cannot run a second time, although down brought the catalog back", async () => {
    const findings = await findingsOf(
      "insert into users (email, name) values ('root@example.com', 'root');",
      "select 1;",
    );
    expect(short(findings)).toEqual(["error up-again-fails 0002_step.sql"]);
    expect(findings[0]?.why).toContain("a row with the same key already exists");
  });

  it("names what down left behind instead of the second up it stops", async () => {
    const findings = await findingsOf("create table twice (id int);", "select 1;");
    expect(short(findings)).toEqual(["error down-differs 0002_step.sql"]);
  });

  it("tells an up that no rows survive from one that some rows stop", async () => {
    const [never, ...more] = await findingsOf(
      "alter table users add column required text not null;",
      "alter table users drop column required;",
    );
    expect(more).toEqual([]);
    expect(never).toMatchObject({
      rule: "up-fails-with-rows",
      level: "error",
      object: "0002_step.sql",
      line: 3,
    });
    expect(never?.why).toBe(`up fails on tables with rows; on empty ones it runs
  0002_step.sql:3: a required column has no value (table users, column required) [23502]
    3 | alter table users add column required text not null;
      | ^`);
    const [some, ...others] = await findingsOf(
      "alter table users alter age set not null;",
      "alter table users alter age drop not null;",
    );
    expect(others).toEqual([]);
    expect(some).toMatchObject({ rule: "up-fails-with-rows", level: "warning" });
  });

  it("tells a down that no rows survive from one that only new rows stop", async () => {
    const loosened = await findingsOf(
      "alter table users alter name drop not null;",
      "alter table users alter name set not null;",
    );
    expect(short(loosened)).toEqual(["warning down-fails-with-rows 0002_step.sql"]);
    const broken = await findingsOf(
      "alter table users drop column name;",
      "alter table users add column name text not null;",
      "-- up loses: users.name (data)",
    );
    expect(short(broken)).toEqual(["error down-fails 0002_step.sql"]);
    expect(broken[0]?.line).toBe(5);
  });

  it("finds rows and values that do not come back", async () => {
    const gone = await findingsOf(
      "alter table users add x int;",
      "delete from users; alter table users drop column x;",
    );
    expect(gone[0]).toMatchObject({
      rule: "rows-lost",
      level: "error",
      why: "after up and down, 5 of 5 rows of users are gone",
      fix: "Bring them back in down; or say on top of the file that they are lost:\n-- loses: users (data)",
    });
    const recreated = await findingsOf(
      "alter table users add x int;",
      "drop table users; create table users (id int generated always as identity primary key, email text not null unique, age int, name text not null);",
    );
    expect(short(recreated)).toEqual(["error rows-lost 0002_step.sql"]);
    const cut = await findingsOf(
      "alter table users alter name type varchar(3) using left(name, 3);",
      "alter table users alter name type text;",
    );
    expect(cut[0]).toMatchObject({ rule: "rows-lost", level: "error" });
    expect(cut[0]?.why).toBe("after up and down, users.name does not hold the values of before");
  });

  it("only warns of a loss that the file shows in so many words, and is silent about one it declares", async () => {
    const dropped = await findingsOf(
      "alter table users drop column age;",
      "alter table users add column age int;",
    );
    expect(dropped.map(({ level, fix }) => [level, fix.split("\n")[1]])).toEqual([
      ["warning", "-- up loses: users.age (data)"],
    ]);
    const updated = await findingsOf("update users set name = 'x';", "select 1;");
    expect(short(updated)).toEqual(["warning rows-lost 0002_step.sql"]);
    const table = await findingsOf(
      "drop table users;",
      "create table users (id int generated always as identity primary key, email text not null unique, age int, name text not null);",
    );
    expect(short(table)).toEqual(["warning rows-lost 0002_step.sql"]);
    const declared = await findingsOf(
      "alter table users drop column age;",
      "alter table users add column age int;",
      "-- up loses: users.age (data)",
    );
    expect(declared).toEqual([]);
  });

  it("keeps rows apart from values that only moved: a renamed column, a changed type and back", async () => {
    const findings = await findingsOf(
      "alter table users rename name to title; alter table users alter age type text using age::text;",
      "alter table users rename title to name; alter table users alter age type int using age::int;",
    );
    // Text that is no number may come in between; that is all there is to say.
    expect(short(findings)).toEqual(["warning down-fails-with-rows 0002_step.sql"]);
  });

  it("warns of a missing way back, unless the file says why", async () => {
    const chain = files(
      USERS,
      step("create table a (id int);", undefined),
      step("create table b (id int);", undefined, "-- irreversible: the letters are sent"),
    );
    const { findings, migrations } = await prove(chain);
    expect(short(findings)).toEqual(["warning irreversible 0002_step.sql"]);
    expect(migrations.map(({ proof }) => proof)).toEqual(["up-down-up", "up", "up"]);
  });

  it("says once that a folder knows no way back", async () => {
    const chain = files(
      step("create table a (id int);", undefined),
      step("create table b (id int);", undefined),
    );
    const { findings } = await prove(chain);
    expect(findings.map(({ rule, why }) => [rule, why])).toEqual([
      ["irreversible", "none of the 2 migrations has a way back, so only up was proven"],
    ]);
  });

  it("lowers to a warning what a file says it cannot undo", async () => {
    const { findings } = await prove(
      files(
        "-- migrate:up\ncreate type stage as enum ('a');\n-- migrate:down\ndrop type stage;",
        step(
          "alter type stage add value if not exists 'b';",
          "select 1;",
          "-- irreversible: value b of stage stays",
        ),
      ),
    );
    expect(short(findings)).toEqual(["warning down-differs 0002_step.sql"]);
    expect(findings[0]).toMatchObject({ left: "'a'", right: "'a', 'b'" });
  });

  it("stops at an up that fails without rows, too, and says where", async () => {
    const { findings, migrations } = await prove(
      files(
        USERS,
        step("create table fine (id int);\nalter table nowhere add x int;", "drop table fine;"),
        USERS,
      ),
      { declared: ["create table other (id int)"] },
    );
    expect(short(findings)).toEqual(["error up-fails 0002_step.sql"]);
    expect(findings[0]?.line).toBe(4);
    expect(migrations.map(({ proof }) => proof)).toEqual(["up-down-up", "failed"]);
  });

  it("takes a file that cannot be parsed for a fault of the file", async () => {
    const { findings } = await prove(files(USERS, step("create table fine (id int);", "drop tabel fine;")));
    expect(short(findings)).toEqual(["error down-fails 0002_step.sql"]);
    expect(findings[0]?.why).toContain('syntax error at or near "tabel"');
  });

  it("goes on after a fault with the state up leads to, and proves the rest", async () => {
    const broken = (n: number): string => step(`create table broken_${n} (id int primary key);`, "select 1;");
    const { findings, migrations } = await prove(
      files(
        USERS,
        broken(1),
        step("alter table users add y int;", "alter table users drop column y;"),
        broken(2),
        broken(3),
      ),
    );
    expect(short(findings)).toEqual([
      "error down-differs 0002_step.sql",
      "error down-differs 0004_step.sql",
      "error down-differs 0005_step.sql",
    ]);
    expect(migrations.map(({ proof }) => proof)).toEqual([
      "up-down-up",
      "failed",
      "up-down-up",
      "failed",
      "failed",
    ]);
    expect(migrations[2]).toMatchObject({ tables: 2 });
  });

  it("compares the end of the chain with what is declared", async () => {
    const { findings } = await prove(files(USERS), {
      declared: [
        "create table users (id int generated always as identity primary key, email text not null unique, age bigint, name text not null)",
      ],
    });
    expect(findings.map(({ rule, object, left, right }) => ({ rule, object, left, right }))).toEqual([
      { rule: "schema-differs", object: "column users.age", left: "integer", right: "bigint" },
    ]);
    const same = await prove(files(USERS), {
      declared: [
        "create table users (name text not null, age int, id int generated always as identity primary key, email text not null unique)",
      ],
    });
    expect(same.findings).toEqual([]);
  });

  it("proves from a version on, on what came before", async () => {
    const chain = files(
      USERS,
      step("create table left_over (id int);", "select 1;"),
      step("alter table users add y int;", "alter table users drop column y;"),
    );
    const { findings, migrations } = await prove(chain, { from: "3" });
    expect(findings).toEqual([]);
    expect(migrations.map(({ proof, tables }) => [proof, tables])).toEqual([
      ["replayed", 0],
      ["replayed", 0],
      ["up-down-up", 2],
    ]);
    await expect(prove(chain, { from: "0009" })).rejects.toMatchObject({ code: "MIGRATION_INVALID" });
    await expect(prove(chain, { rowsPerTable: 0 })).rejects.toMatchObject({ code: "MIGRATION_INVALID" });
  });

  it("knows rows that fit without a way back, too", async () => {
    const one = await prove(files(USERS, step("alter table users alter age set not null;", undefined)));
    expect(short(one.findings)).toEqual([
      "warning irreversible 0002_step.sql",
      "warning up-fails-with-rows 0002_step.sql",
    ]);
    const never = await prove(files(USERS, step("alter table users add column x int not null;", undefined)));
    expect(short(never.findings)).toEqual([
      "warning irreversible 0002_step.sql",
      "error up-fails-with-rows 0002_step.sql",
    ]);
    const cast = await prove(
      files(
        USERS,
        step("alter table users alter name type int using name::int;", undefined),
        step("select 1;", undefined),
      ),
    );
    expect(short(cast.findings)).toContain("warning up-fails-with-rows 0002_step.sql");
    expect(cast.migrations.map(({ proof, tables }) => [proof, tables])).toEqual([
      ["up-down-up", 0],
      ["up", 1],
      ["up", 1],
    ]);
  });

  it(
    "finds nothing in migrations that take back all they make, and always what one of them forgets",
    async () => {
      await fc.assert(
        fc.asyncProperty(randomTables(), fc.nat(), async (tables, choice) => {
          const up = tables
            .map(({ ddl }) => ddl)
            .filter((ddl) => ddl !== "")
            .join(";\n");
          const drops = tables.map(({ name }) => `drop table ${name} cascade;`);
          const whole = await prove(
            files(step(up, drops.join("\n")), step("create view v as select 1 as one;", "drop view v;")),
          );
          // Tables that can hold no row are what a proof warns of.
          expect(whole.findings.filter(({ rule }) => rule !== "unproven-with-data")).toEqual([]);
          expect(whole.findings.length > 0).toBe(tables.some(({ isPossible }) => !isPossible));
          const forgotten = drops.filter((_, index) => index !== choice % drops.length);
          const faulty = await prove(files(step(up, ["select 1;", ...forgotten].join("\n"))));
          expect(short(faulty.findings)).toContain("error down-differs 0001_step.sql");
        }),
        { numRuns: soakRuns(200), seed: 20_260_413, endOnFailure: true },
      );
    },
    SOAK_TIMEOUT_MS,
  );

  it("cancels the running statement when it is told to stop", async () => {
    const controller = new AbortController();
    const proof = prove(files(USERS, step("select pg_sleep(60);", "select 1;")), {
      signal: controller.signal,
      onProgress: () => setTimeout(() => controller.abort(), 200),
    });
    await expect(proof).rejects.toMatchObject({ code: "QUERY_CANCELED" });
  });

  it("stops when it is told to", async () => {
    const signal = AbortSignal.abort();
    await expect(prove(files(USERS), { signal })).rejects.toMatchObject({ code: "QUERY_CANCELED" });
  });

  it("leaves no database behind, whatever happened", async () => {
    const own = await openShadow({ url: server.url, directory: import.meta.dirname });
    // By name: other test files make and drop shadow databases on this server at the same time.
    const made: string[] = [];
    const noted = async (database: Promise<ShadowDatabase>): Promise<ShadowDatabase> => {
      const { name, clone, ...rest } = await database;
      made.push(name);
      return { name, ...rest, clone: () => noted(clone()) };
    };
    const watched: Shadow = { ...own, createDatabase: () => noted(own.createDatabase()) };

    await proveMigrations({
      shadow: watched,
      files: files(USERS, step("create table a (id int);", "select 1;"), step("nonsense;", undefined)),
    });
    await expect(
      proveMigrations({ shadow: watched, files: files("-- migrate:up\nnonsense;", USERS), from: "2" }),
    ).rejects.toMatchObject({
      code: "MIGRATION_INVALID",
    });

    expect(made.length).toBeGreaterThan(1);
    const database = await own.createDatabase();
    const connection = await database.connect();
    const { rows } = await connection.query({ text: "select datname from pg_database", values: [] });
    await connection.close();
    await own.release();
    expect(rows.map(String).filter((name) => made.includes(name))).toEqual([]);
  });
});
