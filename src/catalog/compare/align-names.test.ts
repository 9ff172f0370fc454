import { describe, expect, it } from "vitest";
import { type Catalog, compareCatalogs, readCatalog } from "../index.ts";
import { scratchDatabases } from "../scratch.fixture.ts";
import { alignNames } from "./align-names.ts";

const scratch = scratchDatabases();

async function catalogOf(sql: string): Promise<Catalog> {
  return readCatalog(await scratch.with(sql), "app");
}

async function differences(left: string, right: string): Promise<readonly string[]> {
  const found = compareCatalogs(await catalogOf(left), await catalogOf(right));
  return found.map(({ kind, name }) => `${kind} ${name}`);
}

const TASKS = "create table tasks (id bigint, title text, rank int, due date)";

describe("names", () => {
  it("are known as the server's own, shortened, numbered and quoted ones too", async () => {
    const long = `a${"very_".repeat(12)}long`;
    const { objects } = await catalogOf(`
      create table ${long} (${long} int unique, b int references ${long} (${long}), check (b > 0), check (b > ${"1"}));
      create table "Ünïcode ""table" ("Spalte ä" int primary key, b int unique, check (b > "Spalte ä"));
      create index on ${long} (b, ${long}); create index on ${long} (b, ${long}); create index on ${long} (lower(b::text), (b + 1));
      create index on "Ünïcode ""table" (b, b) include ("Spalte ä");
      create table tasks (id serial primary key, during int4range, exclude using gist (during with &&),
        exclude using gist (int4range(id, id + 1) with &&), check (true), unique (id, during));
      create table parted (id int primary key) partition by range (id);
      create table part partition of parted for values from (1) to (2);
      create index on parted (id, (id + 1));`);
    const named = objects.filter((object) => object.kind === "constraint" || object.kind === "index");
    expect(named.filter((object) => !object.isNameGenerated)).toEqual([]);
    expect(named).toHaveLength(20);
  });

  it("of the server and of Drizzle are the same", async () => {
    const server = `create table people (id int primary key, a int, b int unique, unique (a, b));
      create table tasks (a int, b int, foreign key (a, b) references people (a, b), primary key (a, b));
      create index on tasks (b)`;
    const drizzle = `create table people (id int primary key, a int, b int constraint people_b_unique unique,
        constraint people_a_b_unique unique (a, b));
      create table tasks (a int, b int,
        constraint tasks_a_b_people_a_b_fk foreign key (a, b) references people (a, b),
        constraint tasks_a_b_pk primary key (a, b));
      create index tasks_b_index on tasks (b)`;
    expect(await differences(server, drizzle)).toEqual([]);
    expect(await differences(drizzle, server)).toEqual([]);
  });

  it("that somebody chose count, unless the other side's is generated", async () => {
    const named = (name: string) => `${TASKS}; create index ${name} on tasks (due)`;
    expect(await differences(named("by_due"), named("due_first"))).toEqual([
      "index by_due",
      "index due_first",
    ]);
    expect(await differences(named("by_due"), named("tasks_due_idx"))).toEqual([]);
  });

  it("do not hide another definition", async () => {
    const one = `${TASKS}; alter table tasks add check (rank > 0); create index on tasks (due)`;
    const other = `${TASKS}; alter table tasks add check (rank > 1); create index on tasks (due desc)`;
    expect(await differences(one, other)).toEqual([
      "constraint tasks.tasks_rank_check",
      "index tasks_due_idx",
    ]);
  });

  it("do not depend on the order in which things were made", async () => {
    const one = `${TASKS}; alter table tasks add check (rank > 0), add check (rank < 9), add check (rank <> 5)`;
    const other = `${TASKS}; alter table tasks add check (rank <> 5), add check (rank > 0), add check (rank < 9)`;
    expect(await differences(one, other)).toEqual([]);
  });

  it("stay equal when the table was renamed, with comments, replica identity and serials", async () => {
    const made = (
      table: string,
    ) => `create table ${table} (id serial primary key, title text not null unique, owner int references ${table});
      create unique index on ${table} (owner, id)`;
    const marks = (table: string, comment: string, index: string) => `
      comment on constraint ${comment} on ${table} is 'c'; alter table ${table} replica identity using index ${index}`;
    const renamed = `${made("tasks")}; alter table tasks rename to todos; ${marks("todos", "tasks_title_key", "tasks_pkey")}`;
    const fresh = `${made("todos")}; ${marks("todos", "todos_title_key", "todos_pkey")}`;
    expect(await differences(renamed, fresh)).toEqual([]);
    expect(await differences(fresh, renamed)).toEqual([]);
    const other = `${made("todos")}; ${marks("todos", "todos_title_key", "todos_pkey").replace("'c'", "'d'")}`;
    expect(await differences(renamed, other)).toEqual(["comment constraint todos.tasks_title_key"]);
  });

  it("are taken over so that both catalogs speak of one thing by one name", async () => {
    const past = await catalogOf(
      "create table t (id serial primary key, a int); create index on t (a); alter table t rename to tasks",
    );
    const wish = await catalogOf(
      "create table tasks (id serial primary key, a int); create index on tasks (a)",
    );
    expect(alignNames(wish, past).objects).toEqual(past.objects);
    expect(alignNames(past, past)).toBe(past);
  });

  it("are left alone where another object has the name", async () => {
    const past = await catalogOf(`${TASKS}; create index tasks_rank_idx on tasks (due)`);
    const wish = await catalogOf(`${TASKS}; create index on tasks (due); create index on tasks (rank)`);
    expect(compareCatalogs(past, wish).map(({ kind, name }) => `${kind} ${name}`)).toEqual([
      "index tasks_due_idx",
      "index tasks_rank_idx",
    ]);
    const ids = alignNames(wish, past).objects.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });
});

describe("what is not compared", () => {
  it("is the order of columns, on which only `select *` depends", async () => {
    expect(
      await differences("create table t (a int, b int not null)", "create table t (b int not null, a int)"),
    ).toEqual([]);
  });

  it("is the name of a not-null constraint and of a domain's check", async () => {
    expect(
      await differences(
        "create table t (a int constraint never_null not null); create domain d as int constraint c check (value > 0)",
        "create table t (a int not null); create domain d as int check (value > 0)",
      ),
    ).toEqual([]);
  });

  it("is the sequence behind an identity", async () => {
    expect(
      await differences(
        "create table t (id int generated always as identity); alter sequence t_id_seq rename to other; alter sequence other restart 7",
        "create table t (id int generated always as identity)",
      ),
    ).toEqual([]);
  });

  it("is a comment or right of what is on one side only", async () => {
    expect(
      await differences(
        "create function f() returns int language sql return 1; comment on function f() is 'x'",
        "select",
      ),
    ).toEqual(["function f()"]);
  });
});
