import { tmpdir } from "node:os";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { chosenPostgres } from "../../../../test/support/chosen-postgres.ts";
import { type TestServer, testServer } from "../../../../test/support/server.ts";
import { SOAK_TIMEOUT_MS, soakRuns } from "../../../../test/support/soak.ts";
import { type Connection, connect, parseTarget } from "../../../driver/index.ts";
import { openShadow, type Shadow } from "../../../shadow/index.ts";
import { parseSql } from "../../parse-sql.ts";
import type { CatalogView, Relation, RelationName } from "../catalog-view.ts";
import { RANDOM_GROUND } from "../corpus/random-ground.fixture.ts";
import { randomStatement } from "../corpus/random-statements.fixture.ts";
import { CORPUS, ENSURE_CORPUS_ROLE, type Form } from "../corpus.fixture.ts";
import { CORPUS_SCHEMA } from "../truth.fixture.ts";
import type { Walk } from "../walk.ts";
import { openLiveView } from "./live-view.ts";
import { openLiveWalk } from "./live-walk.ts";
import { reachOf } from "./reach.ts";

const VERSION = chosenPostgres();

let server: TestServer;
let admin: Connection;
let shadow: Shadow;
/** The walk's own session, so that what it has not committed is seen. */
let session: Connection;
let walk: Walk;
let ground = "";

beforeAll(async () => {
  server = await testServer();
  admin = await connect(parseTarget(server.url));
  await admin.script(ENSURE_CORPUS_ROLE);
  shadow = await openShadow({ url: server.url, directory: tmpdir() });
  walk = await openLiveWalk({ ...shadow, createDatabase: watchedDatabase }, CORPUS_SCHEMA, VERSION);
  await session.script("create extension citext schema public;\ncreate extension btree_gist schema public");
});
afterAll(async () => {
  await walk.close();
  await shadow.release();
  await admin.close();
  await server.stop();
});

async function watchedDatabase() {
  const database = await shadow.createDatabase();
  const open = async (): Promise<Connection> => {
    session = await database.connect();
    return session;
  };
  return { ...database, connect: open };
}

/** Only where it is another one than before: grounds are large. */
async function prepare(setup: string): Promise<void> {
  if (setup === ground) return;
  await walk.begin("up");
  await session.script(`drop schema if exists ${CORPUS_SCHEMA} cascade;\ncreate schema ${CORPUS_SCHEMA}`);
  await session.script(setup);
  await walk.end();
  ground = setup;
}

/** Steps through statements with everything remembered that there is, and tells what is remembered wrongly after each. */
async function misremembered(setup: string, texts: readonly string[]): Promise<readonly string[]> {
  await prepare(setup);
  const { statements } = await parseSql(texts.join(";\n"));
  const wrong: string[] = [];
  await walk.begin("down", statements);
  for (const statement of statements) {
    const before = await namesNow();
    await walk.view.prefetch(before, true);
    await walk.step(statement, { isLast: false });
    const names = [...before, ...(await namesNow())];
    const [remembered, read] = [walk.view, await openLiveView(session, CORPUS_SCHEMA, VERSION)];
    await read.prefetch(names);
    for (const name of names) {
      const [told, truth] = [await lookUp(remembered, name), await lookUp(read, name)];
      if (told !== truth) wrong.push(`${statement.text}\n  ${JSON.stringify(name)} ${told}\n  is ${truth}`);
    }
  }
  await walk.end();
  return wrong;
}

/** Every relation that has a name, with and without its schema, and names that statements of the corpus make. */
async function namesNow(): Promise<readonly RelationName[]> {
  const { rows } = await session.query({
    text: `select n.nspname, c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast')`,
    values: [],
  });
  const there = rows.map(([schema, name]) => ({ schema: schema ?? "", name: name ?? "" }));
  const bare = [...there.map(({ name }) => name), "t_x", "r_x", "notes_body_idx", "t_x_pkey", "absent"];
  return [...there, ...bare.map((name) => ({ schema: undefined, name }))];
}

/** Some of what is a type: each has to be asked for by itself. */
const TYPES = ["notes", "t_x", "r_x", "positive"];

/** What effects may ask about a name. Whether it is old depends on when a file began, not on what is remembered. */
async function lookUp(view: CatalogView, name: RelationName): Promise<string> {
  const relation = await view.find(name);
  const isView = relation?.kind === "view" || relation?.kind === "materialized";
  const behind = isView ? await view.readBy(relation.id) : [];
  const type = TYPES.includes(name.name) ? await view.type(name, false) : undefined;
  const facts = { relation, behind: behind?.map(({ id }) => id), type };
  return JSON.stringify(facts, (key, value: unknown) => (key === "isOld" ? undefined : value));
}

/** After which something is still remembered. */
async function formsOfPart(): Promise<readonly Form[]> {
  const forms: Form[] = [];
  for (const form of CORPUS.filter(({ since }) => since <= VERSION)) {
    const { statements } = await parseSql(form.sql);
    const reach = statements[0] === undefined ? "everything" : reachOf(statements[0]);
    if (reach !== "everything" && reach !== "code") forms.push(form);
  }
  return forms;
}

describe("what is remembered of the catalog", () => {
  it("is what the server says, after every form that makes only a part of it forgotten", {
    timeout: SOAK_TIMEOUT_MS,
  }, async () => {
    const wrong: string[] = [];
    const forms = await formsOfPart();
    expect(forms.length).toBeGreaterThan(300);
    const stride = soakRuns(100) === 100 ? 1 : 10;
    for (const { setup, sql } of forms.filter((_, at) => at % stride === 0)) {
      wrong.push(...(await misremembered(setup, [sql])));
    }
    expect(wrong).toEqual([]);
  });

  it("is what the server says, whatever statements follow one another", {
    timeout: SOAK_TIMEOUT_MS,
  }, async () => {
    const chains = fc.array(randomStatement, { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(chains, async (chain) => {
        expect(await misremembered(RANDOM_GROUND, chain)).toEqual([]);
      }),
      { numRuns: soakRuns(1_000), seed: 20_261_121 },
    );
  });

  it("is read again when a new relation comes before the one of its name", async () => {
    const chain = [
      "select note.id from notes note",
      "create temporary table notes (id bigint)",
      "create index on notes (id)",
      "drop table notes",
      "create index on notes (id)",
    ];
    expect(await misremembered(RANDOM_GROUND, chain)).toEqual([]);
    const inFront = [
      "create schema front",
      "create table front.tasks (id bigint)",
      `set search_path to front, ${CORPUS_SCHEMA}`,
      "create table front.notes (id bigint)",
      "alter table notes add column colour text",
      "alter table front.notes add constraint projects_pkey unique (id)",
    ];
    expect(await misremembered(RANDOM_GROUND, inFront)).toEqual([]);
  });

  it("is read again after a function may have changed it", async () => {
    const chain = [
      "create function corpus.grow() returns integer language plpgsql as 'begin alter table corpus.notes add column if not exists grown text; return 1; end'",
      "insert into projects (id, name, budget) values (1000 + grow(), 'x', 1)",
      "alter table tasks add column colour text",
    ];
    const { statements } = await parseSql(chain.join(";\n"));
    await prepare(RANDOM_GROUND);
    await walk.begin("down", statements);
    for (const statement of statements) {
      await walk.view.prefetch([{ schema: undefined, name: "notes" }]);
      expect(await walk.step(statement, { isLast: false })).toBeUndefined();
    }
    const notes: Relation | undefined = await walk.view.find({ schema: undefined, name: "notes" });
    await walk.end();
    expect(notes?.columns.map(({ name }) => name)).toContain("grown");
  });
});
