import { describe, expect, it } from "vitest";
import { parseMigrationFile } from "./migration-file.ts";
import { type Phase, planPhases, statementsOf } from "./phases.ts";
import { parseStatements } from "./statements.ts";

const parse = (sql: string) => {
  const file = parseMigrationFile("0001_a.sql", Buffer.from(`-- migrate:up\n${sql}\n`));
  return parseStatements(file, file.up);
};

const phasesOf = async (sql: string, marker = ""): Promise<readonly string[]> => {
  const file = parseMigrationFile("0001_a.sql", Buffer.from(`-- migrate:up${marker}\n${sql}\n`));
  const phases: readonly Phase[] = planPhases(file.up, await parseStatements(file, file.up));
  return phases.map((phase) => `${phase.kind} ${phase.first}+${statementsOf(phase).length}`);
};

describe("parseStatements", () => {
  it("takes statements apart where PostgreSQL does, and keeps their place", async () => {
    const statements = await parse(`
/* a /* nested */ comment; */ create function "ü"() returns int language plpgsql as $body$
begin return 1; end; $body$;;
-- done; really
insert into t values ('a;''b', E'c\\';d') -- last`);
    expect(statements.map(({ text, offset }) => [text.slice(0, 20), offset])).toEqual([
      ['create function "ü"(', 31],
      ["insert into t values", 138],
    ]);
  });

  it.each([
    ["begin; select 1; commit;", 2],
    ["select 1; savepoint a;", 2],
    ["select 1;\n\nrollback;", 4],
  ])("refuses transaction control in %j", async (sql, line) => {
    await expect(parse(sql)).rejects.toMatchObject({
      code: "MIGRATION_INVALID",
      line,
      message: expect.stringContaining("the file controls transactions itself, but the runner does that\n"),
    });
  });

  it("refuses a section nothing was written into yet", async () => {
    const file = parseMigrationFile("0001_a.sql", Buffer.from("-- migrate:up\n\n\n-- migrate:down\n\n"));
    await expect(parseStatements(file, file.up)).rejects.toMatchObject({
      message:
        "0001_a.sql:2: there is no statement\n  2 | \n    | ^\n  Write what the migration does before it is run.",
    });
  });

  it("lets a function or block say begin and commit", async () => {
    expect(
      await parse("do $$ begin perform 1; end $$; comment on schema pg_catalog is 'begin; commit';"),
    ).toHaveLength(2);
  });

  it.each([
    ["discard all", "discard all would give up the lock that keeps other runners out"],
    ["copy t from stdin", "copy from stdin and copy to stdout need a client that sends or takes the rows"],
    ["create index concurrently on t (a)", "an index built concurrently needs a name"],
    ["-- nothing", "there is no statement"],
    ["select 'unterminated", "unterminated quoted string"],
    ["\\restrict x", 'syntax error at or near "\\"'],
  ])("refuses %s", async (sql, why) => {
    await expect(parse(sql)).rejects.toMatchObject({
      code: "MIGRATION_INVALID",
      message: expect.stringContaining(`0001_a.sql:2: ${why}`),
    });
  });

  // Each of these takes PostgreSQL's lexer or parser minutes, or its whole stack.
  it.each([
    ["opening comments", "/*".repeat(200_000)],
    ["empty comments", "/**/".repeat(200_000)],
    ["operators", `select 1 ${"+-".repeat(200_000)} 1`],
    ["brackets", `select ${"(".repeat(200_000)}`],
    ["additions", `select 1${"+1".repeat(200_000)}`],
    ["dollar signs", "$".repeat(400_000)],
    ["names full of dollar signs", `select a${"$b".repeat(200_000)} ${"/*".repeat(2_000)}`],
    ["quotes", "'".repeat(400_001)],
  ])("answers within a second or two to 400 kB of %s", { timeout: 10_000 }, async (_what, sql) => {
    const error: unknown = await parse(sql).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "MIGRATION_INVALID" });
    expect(error instanceof Error && error.message.length).toBeLessThan(1_000);
  });

  it("does not take a banner of stars, dashes or equal signs for an attack", async () => {
    const banner = `/*${"*".repeat(200)}\n${"=".repeat(2_000).replaceAll("=".repeat(500), `${"=".repeat(499)}\n`)}*/\n--${"-".repeat(5_000)}\n`;
    expect(await parse(`${banner}select '${"=".repeat(5_000)}';`)).toHaveLength(1);
  });
});

describe("planPhases", () => {
  it.each([
    ["create table a (); create table b ();", ["transaction 0+2"]],
    ["create index concurrently a on t (a);", ["outside 0+1"]],
    ["drop index concurrently a;", ["outside 0+1"]],
    ["reindex index concurrently a;", ["outside 0+1"]],
    ["reindex (concurrently false) index a;", ["outside 0+1"]],
    ["select 1; reindex table t; select 2;", ["transaction 0+1", "outside 1+1", "transaction 2+1"]],
    ["reindex schema a;", ["outside 0+1"]],
    ["vacuum analyze t;", ["outside 0+1"]],
    ["analyze t;", ["transaction 0+1"]],
    ["cluster;", ["outside 0+1"]],
    ["cluster t;", ["outside 0+1"]],
    ["cluster t using a;", ["outside 0+1"]],
    ["alter system set work_mem = '4MB';", ["outside 0+1"]],
    ["create database d;", ["outside 0+1"]],
    ["drop database if exists d;", ["outside 0+1"]],
    ["alter database d set tablespace s;", ["outside 0+1"]],
    ["alter database d set work_mem = '4MB';", ["transaction 0+1"]],
    ["alter table p detach partition c concurrently;", ["outside 0+1"]],
    ["alter table p detach partition c;", ["transaction 0+1"]],
    ["create subscription s connection '' publication p;", ["outside 0+1"]],
    ["create tablespace s location '/s';", ["outside 0+1"]],
    ["select 'create index concurrently a on t (a)';", ["transaction 0+1"]],
    ["do $$ begin execute 'vacuum'; end $$;", ["transaction 0+1"]],
    ["select 1; select 2; vacuum; select 3;", ["transaction 0+2", "outside 2+1", "transaction 3+1"]],
    [
      "select 1; alter type t add value 'a'; alter type t add value 'b'; select 2;",
      ["transaction 0+3", "transaction 3+1"],
    ],
    ["alter type t rename value 'a' to 'b'; select 2;", ["transaction 0+2"]],
    [
      "alter table t add constraint c check (a > 0) not valid; alter table t validate constraint c; alter table t validate constraint d; alter table t alter a set not null; select 1;",
      ["transaction 0+1", "transaction 1+1", "transaction 2+1", "transaction 3+2"],
    ],
    [
      "select 1; alter domain d validate constraint c; select 2;",
      ["transaction 0+1", "transaction 1+1", "transaction 2+1"],
    ],
    [
      "alter type t add value 'a'; alter table t validate constraint c;",
      ["transaction 0+1", "transaction 1+1"],
    ],
    [
      "select 1; do $$ begin loop commit; end loop; end $$; select 2;",
      ["transaction 0+1", "outside 1+1", "transaction 2+1"],
    ],
    ["do $$ declare a int; begin null; COMMIT AND CHAIN; end $$ language plpgsql;", ["outside 0+1"]],
    ["do $$ begin if true then /* no */ rollback -- yes\n ; end if; end $$;", ["outside 0+1"]],
    ["do $$ <<outer>> begin <<inner>> commit; end $$;", ["outside 0+1"]],
    ["do $$ begin execute 'commit;'; -- ; commit;\n perform $q$; commit; $q$; end $$;", ["transaction 0+1"]],
    [
      "do $$ begin update logs set a = commit; select commit from logs into commit; end $$;",
      ["transaction 0+1"],
    ],
    ['do $$ begin perform case when a then commit else b end, "commit"; end $$;', ["transaction 0+1"]],
    ["do language plpython3u $$ begin; commit; $$;", ["transaction 0+1"]],
    ["create procedure p() language plpgsql as $$ begin commit; end $$;", ["transaction 0+1"]],
  ])("cuts %j into %j", async (sql, phases) => {
    expect(await phasesOf(sql)).toEqual(phases);
  });

  it("makes every statement a phase where the section says transaction:false", async () => {
    expect(await phasesOf("select 1; do $$ begin commit; end $$; select 2;", " transaction:false")).toEqual([
      "transaction 0+1",
      "outside 1+1",
      "transaction 2+1",
    ]);
  });
});
