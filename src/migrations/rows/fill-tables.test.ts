import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type TestServer, testServer } from "../../../test/support/server.ts";
import { SOAK_TIMEOUT_MS, soakRuns } from "../../../test/support/soak.ts";
import { readCatalog } from "../../catalog/index.ts";
import { type Connection, connect, parseTarget, retarget } from "../../driver/index.ts";
import { quoteIdentifier } from "../../sql/index.ts";
import { type FilledTables, type FillOptions, fillTables } from "./fill-tables.ts";
import { type RandomTable, randomTables } from "./random-tables.fixture.ts";

let server: TestServer;
let admin: Connection;
let connection: Connection;
let databaseName: string;
let home: string;
let made = 0;

beforeAll(async () => {
  server = await testServer();
  databaseName = `rows_${randomBytes(6).toString("hex")}`;
  admin = await connect(parseTarget(server.url));
  await admin.script(`create database ${databaseName}`);
  connection = await connect(retarget(parseTarget(server.url), { database: databaseName }));
});
afterAll(async () => {
  await connection.close();
  await admin.script(`drop database ${databaseName} with (force)`);
  await admin.close();
  await server.stop();
});
beforeEach(async () => {
  await newSchema();
});

async function newSchema(): Promise<void> {
  home = `home ${++made}`;
  await connection.script(`create schema "${home}"; set search_path to "${home}"`);
}

/** Makes the tables and fills them. */
async function filled(ddl: string, options: Partial<FillOptions> = {}): Promise<FilledTables> {
  await connection.script(ddl);
  return fillTables(connection, await readCatalog(connection, home), { rowsPerTable: 4, ...options });
}

/** Rows by table; fails when a table stayed empty. */
async function rowsOf(ddl: string): Promise<Readonly<Record<string, number>>> {
  const result = await filled(ddl);
  expect(result.unfilled).toEqual([]);
  return Object.fromEntries(result.filled.map(({ table, rows }) => [table, rows]));
}

async function cell(text: string): Promise<string | null | undefined> {
  return (await connection.query({ text, values: [] })).rows[0]?.[0];
}

describe("fillTables", () => {
  it("gives every built-in kind of column a value", async () => {
    await filled(`create type mood as enum ('sad', 'it''s "happy"', 'ok');
      create type address as (street text, zip varchar(5), place point, mood mood);
      create type speed as range (subtype = float8);
      create table place (id int, name text);
      create table everything (
        a1 smallint not null, a2 int not null, a3 bigint not null, a4 numeric not null, a5 numeric(5,2) not null,
        a6 numeric(3,5) not null, a7 real not null, a8 float8 not null, a9 money not null, a10 oid not null,
        b1 text not null, b2 varchar(3) not null, b3 char(2) not null, b4 name not null, b5 "char" not null,
        c1 date not null, c2 time not null, c3 timetz not null, c4 timestamp not null, c5 timestamptz not null,
        c6 interval not null, c7 interval year to month not null,
        d1 bool not null, d2 uuid not null, d3 bytea not null, d4 json not null, d5 jsonb not null, d6 xml not null,
        d7 jsonpath not null, d8 bit(3) not null, d9 varbit(4) not null, d10 tsvector not null, d11 tsquery not null,
        e1 inet not null, e2 cidr not null, e3 macaddr not null, e4 macaddr8 not null, e5 pg_lsn not null,
        f1 point not null, f2 line not null, f3 lseg not null, f4 box not null, f5 path not null, f6 polygon not null,
        f7 circle not null,
        g1 int4range not null, g2 numrange not null, g3 tstzrange not null, g4 daterange not null, g5 speed not null,
        g6 int4multirange not null,
        h1 mood not null, h2 address not null, h3 text[] not null, h4 mood[] not null, h5 address[] not null,
        h6 varchar(2)[] not null, h7 regclass not null, h8 regtype not null, h9 place
      )`);
    expect(await cell("select count(*) from everything")).toBe("4");
  });

  it.each([
    ["a comparison", "price numeric(6,2) not null check (price > 999.5)"],
    ["a negative bound", "depth int not null check (depth < -5)"],
    ["a range", "ratio float8 not null check (ratio > 0 and ratio < 1)"],
    ["between", "year int not null check (year between 1990 and 1992)"],
    ["a list", "kind text not null check (kind in ('card', 'bank'))"],
    ["an array of choices", "kind varchar(9) not null check (kind = any (array['card', 'bank']))"],
    ["a length", "name text not null check (length(name) between 30 and 40)"],
    [
      "an exact length and a class",
      "hash text not null check (char_length(hash) = 64 and hash ~ '^[0-9a-f]+$')",
    ],
    ["a code", "currency text not null check (currency ~ '^[A-Z]{3}$')"],
    ["a posix class", "code text not null check (code ~ '^[[:alpha:]_][[:alnum:]_]{2,}$')"],
    ["alternatives", "phone text not null check (phone ~ '^(\\+49|0) ?\\d{3,5}$')"],
    [
      "a case-insensitive expression",
      "mail text not null check (mail ~* '^[a-z0-9._%-]+@[a-z0-9.-]+[.][a-z]+$')",
    ],
    ["like with an escape", "code text not null check (code like 'usr\\_%x')"],
    ["lower case", "slug text not null check (slug = lower(slug) and slug !~ ' ')"],
    ["upper case", "sku text not null check (sku = upper(sku))"],
    ["a day in the past", "born date not null check (born < current_date and born > '1960-01-01')"],
    ["an instant", "at timestamptz not null check (at >= '2031-05-01' and at < '2031-06-01')"],
    ["an interval", "every interval not null check (every > '0')"],
    ["keys of an object", "doc jsonb not null check (jsonb_typeof(doc) = 'object' and doc ? 'version')"],
    ["a number in an object", "doc jsonb not null check ((doc ->> 'version')::int > 3)"],
    ["the number of items", "tags text[] not null check (cardinality(tags) between 2 and 4)"],
    ["allowed items", "tags text[] not null check (tags <@ array['red', 'green'])"],
    ["the bounds of a range", "life int4range not null check (lower(life) >= 1900 and not isempty(life))"],
    [
      "a default only its author could know",
      "token text not null default 'Zz-9' check (md5(token) = md5('Zz-9'))",
    ],
    ["a function", "mail text not null check (looks_like_mail(mail))"],
    ["a domain on a domain", "score top_score not null"],
    ["a domain that is not null", "score positive"],
    ["an array of a domain", "scores top_score[] not null check (cardinality(scores) > 0)"],
    ["a mask of a network", "net cidr not null check (masklen(net) = 24)"],
    ["a byte length", "hash bytea not null check (octet_length(hash) = 4)"],
  ])("satisfies %s", async (_, column) => {
    const rows = await rowsOf(`
      create function looks_like_mail(text) returns boolean language sql immutable as $$ select $1 like '%@%.%' $$;
      create domain positive as int not null check (value > 0);
      create domain top_score as positive check (value > 90 or value = 7);
      create table checked (${column})`);
    expect(rows).toEqual({ checked: 4 });
  });

  it.each([
    ["one of three", "x int, y int, z int, check (num_nonnulls(x, y, z) = 1)"],
    ["an order", "starts timestamptz not null, ends timestamptz not null, check (starts < ends)"],
    ["equal columns", "a int not null, b int not null, check (a = b)"],
    ["different columns", "a bool not null, b bool not null, check (a <> b)"],
    [
      "columns that depend on a kind",
      "kind text not null check (kind in ('card', 'bank')), card text, iban text, check ((kind = 'card') = (card is not null)), check ((kind = 'bank') = (iban is not null))",
    ],
    ["a generated column", "a int not null, g int generated always as (a * 2) stored check (g > 50)"],
    ["arithmetic that fails for some", "a int not null, b int not null, check (10 / a > b)"],
    [
      "ten at once",
      Array.from(
        { length: 10 },
        (_, n) => `a${n} int, b${n} int, check (num_nonnulls(a${n}, b${n}) = 1)`,
      ).join(),
    ],
  ])("satisfies checks on several columns: %s", async (_, columns) => {
    expect(await rowsOf(`create table checked (${columns})`)).toEqual({ checked: 4 });
  });

  it("fills parents first, and keys of several columns agree", async () => {
    const rows = await rowsOf(`
      create table comments (id uuid primary key, tenant_id bigint not null, task_id int not null, author int);
      create table tasks (tenant_id bigint not null, id int, project_id int not null, primary key (tenant_id, id));
      create table projects (tenant_id bigint not null, id int, primary key (tenant_id, id));
      create table tenants (id bigint generated always as identity primary key, slug varchar(3) not null unique);
      alter table comments add foreign key (tenant_id, task_id) references tasks;
      alter table tasks add foreign key (tenant_id, project_id) references projects, add foreign key (tenant_id) references tenants;
      alter table projects add foreign key (tenant_id) references tenants`);
    expect(rows).toEqual({ comments: 4, tasks: 4, projects: 4, tenants: 4 });
  });

  it("closes circles: by empty columns where it can, by one statement where it must", async () => {
    const rows = await rowsOf(`
      create table hen (id int primary key, egg int not null);
      create table egg (id int generated always as identity primary key, hen int not null references hen);
      alter table hen add foreign key (egg) references egg;
      create table boss (id int primary key, team int);
      create table team (id serial primary key, boss int not null references boss);
      alter table boss add foreign key (team) references team;
      create table ring (id serial primary key, next int not null references ring);
      create table tree (id int primary key, parent int references tree);
      create table one (id int primary key, two int not null);
      create table two (id int primary key, one int not null references one deferrable initially deferred);
      alter table one add foreign key (two) references two deferrable initially deferred`);
    expect(rows).toEqual({ hen: 4, egg: 4, boss: 4, team: 4, ring: 4, tree: 4, one: 4, two: 4 });
    expect(Number(await cell("select count(*) from tree where parent is not null"))).toBeGreaterThan(0);
    expect(Number(await cell("select count(*) from boss where team is not null"))).toBeGreaterThan(0);
  });

  it("leaves room for every key: unique, exclusion, one to one, as few values as there are", async () => {
    const rows = await rowsOf(`
      create table rooms (id int primary key, during tstzrange not null, exclude using gist (during with &&));
      create table keyed (code char(1) primary key, mail text not null);
      create unique index on keyed (lower(mail));
      create table twins (code char(1) primary key references keyed);
      create table flags (flag boolean primary key);
      create table pairs (a char(1) references keyed, b boolean references flags, primary key (a, b))`);
    expect(rows).toEqual({ rooms: 4, keyed: 4, twins: 4, flags: 2, pairs: 4 });
  });

  it("tries every pair of two parents that tell rows apart", async () => {
    const rows = await rowsOf(`
      create table projects (id int primary key);
      create table people (id int primary key);
      create table members (project int references projects, person int references people, primary key (project, person));
      create function refuse_equals() returns trigger language plpgsql as $$ begin
        if (select count(*) from projects where id < new.project) = (select count(*) from people where id < new.person)
        then raise 'not the first with the first'; end if;
        return new;
      end $$;
      create trigger refuse_equals before insert on members for each row execute function refuse_equals()`);
    expect(rows).toEqual({ projects: 4, people: 4, members: 4 });
  });

  it("puts rows into every partition there is", async () => {
    const rows = await rowsOf(`
      create table events (id bigint generated always as identity, at timestamptz not null, region text not null)
        partition by range (at);
      create table events_2023 partition of events for values from ('2023-01-01') to ('2024-01-01');
      create table events_2030 partition of events for values from ('2030-01-01') to ('2031-01-01') partition by list (region);
      create table events_2030_eu partition of events_2030 for values in ('eu', 'uk');
      create table events_rest partition of events default;
      create table hashed (id bigint generated by default as identity primary key, v text) partition by hash (id);
      create table hashed_0 partition of hashed for values with (modulus 7, remainder 0);
      create table hashed_5 partition of hashed for values with (modulus 7, remainder 5);
      create table follows (event bigint references hashed)`);
    expect(rows).toEqual({ events: 6, hashed: 4, follows: 4 });
    expect(await cell("select count(distinct tableoid) from events")).toBe("3");
    expect(await cell("select count(distinct tableoid) from hashed")).toBe("2");
  });

  it("fills tables with hostile names, no columns, row security and parents by inheritance", async () => {
    const rows = await rowsOf(`
      create table "we""ird $1 ta'ble" ("co""l; --" text primary key, "select" int check ("select" > 3), place int, check (place <> "select"));
      create table nothing ();
      create table guarded (id int primary key); alter table guarded enable row level security, force row level security;
      create table base (id int primary key); create table derived (extra text not null) inherits (base)`);
    expect(rows).toEqual({ '"we""ird $1 ta\'ble"': 4, nothing: 4, guarded: 4, base: 4, derived: 4 });
  });

  it("inserts null and not null where both are allowed", async () => {
    await filled("create table t (id int primary key, note text)");
    expect(await cell("select count(*) filter (where note is null) between 1 and 3 from t")).toBe("t");
  });

  it("gives the same rows for the same seed, others for another", async () => {
    const ddl =
      "create table t (id int primary key, a text, b timestamptz, c jsonb, d int[] check (cardinality(d) > 1))";
    const contents: (string | null | undefined)[] = [];
    for (const seed of ["one", "one", "two"]) {
      await newSchema();
      await filled(ddl, { seed, rowsPerTable: 20 });
      contents.push(await cell("select string_agg(t::text, E'\\n' order by id) from t"));
    }
    expect(contents[1]).toBe(contents[0]);
    expect(contents[2]).not.toBe(contents[0]);
  });

  it("adds what is missing and leaves rows alone that are there", async () => {
    await filled("create table t (id int primary key); insert into t values (1), (70), (71)");
    expect(await cell("select count(*) || ' ' || count(*) filter (where id >= 70) from t")).toBe("4 2");
  });

  it("says of every table that stayed empty why, and goes on with the others", async () => {
    const { filled: full, unfilled } = await filled(`
      create table secret (x text not null, constraint odd_hash check (md5(x) = 'abc'));
      create table child (x text not null); alter table secret add primary key (x); alter table child add foreign key (x) references secret;
      create table contradiction (a int not null, b int not null, constraint apart check (a > b), constraint above check (b > a));
      create table unpartitioned (id int) partition by list (id);
      create function refuse() returns trigger language plpgsql as $$ begin raise exception 'not today'; end $$;
      create table refusing (id int); create trigger no before insert on refusing for each row execute function refuse();
      create table swallowing (id int); create rule away as on insert to swallowing do instead nothing;
      create type unknown_type; create function ut_in(cstring) returns unknown_type language internal immutable strict as 'byteain';
      create function ut_out(unknown_type) returns cstring language internal immutable strict as 'byteaout';
      create table fine (id int)`);
    expect(full).toEqual([{ table: "fine", rows: 4 }]);
    expect(Object.fromEntries(unfilled.map(({ table, why }) => [table, why]))).toEqual({
      secret: "no generated row satisfies check odd_hash: (md5(x) = 'abc'::text)",
      child: "foreign key child_x_fkey: the table it refers to has no rows",
      contradiction: "no generated row satisfies check above: (b > a) together with check apart: (a > b)",
      unpartitioned: "it has no partition that could hold a row",
      refusing:
        "the server refuses every generated row: a function in the database raised an exception (see error.serverMessage) [P0001]: not today",
      swallowing: "a trigger or rule turned the insert away",
    });
  });

  it("asks for the rows it cannot make, before the tables that need them", async () => {
    const asked: string[] = [];
    const result = await filled(
      `create table licence (key text primary key check (md5(key) = '54ef36ec71201fdf9d1423fd26f97f6b'));
       create table seat (licence text not null references licence);
       create table broken (x text check (x is null and x is not null))`,
      {
        supply: async (table, session) => {
          asked.push(table);
          if (table === "broken") await session.script("begin; insert into nowhere values (1)");
          await session.script("insert into licence values ('open sesame')");
        },
      },
    );
    expect(asked.sort()).toEqual(["broken", "licence"]);
    expect(result.filled).toEqual([
      { table: "licence", rows: 1 },
      { table: "seat", rows: 4 },
    ]);
    expect(result.unfilled).toHaveLength(1);
    expect(result.unfilled[0]?.why).toMatch(/broken_x_check.*; proveRows failed: .*nowhere/);
  });

  it("gives the session back with the search path it had", async () => {
    await connection.script("set search_path to pg_catalog, public");
    await fillTables(connection, await readCatalog(connection, home), { rowsPerTable: 1 });
    expect(await cell("show search_path")).toBe("pg_catalog, public");
    await connection.script(`set search_path to ${quoteIdentifier(home)}`);
  });

  it(
    "claims exactly the rows there are, whatever the tables, and fills every one that can be filled",
    async () => {
      await fc.assert(
        fc.asyncProperty(randomTables(), async (tables) => {
          await newSchema();
          await expectHonest(tables);
          await connection.script(`drop schema "${home}" cascade`);
        }),
        { numRuns: soakRuns(300), seed: 20_260_412, endOnFailure: true },
      );
    },
    SOAK_TIMEOUT_MS,
  );
});

async function expectHonest(tables: readonly RandomTable[]): Promise<void> {
  const { filled: full, unfilled } = await filled(tables.map(({ ddl }) => ddl).join(";\n"));
  const names = tables.map(({ name }) => name);
  expect([...full, ...unfilled].map(({ table }) => table).sort()).toEqual([...names].sort());
  for (const { table, rows } of full) {
    expect(rows).toBe(Number(await cell(`select count(*) from ${table}`)));
    expect(rows).toBeGreaterThan(0);
  }
  for (const { table, why } of unfilled) {
    expect(await cell(`select count(*) from ${table}`)).toBe("0");
    expect(why).not.toBe("");
  }
  // What refers to an impossible table is impossible, too.
  const possible = tables.filter(({ isPossible }) => isPossible).map(({ name }) => name);
  expect(full.map(({ table }) => table).sort()).toEqual([...possible].sort());
}
