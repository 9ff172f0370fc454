import { tmpdir } from "node:os";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { chosenPostgres } from "../../../../test/support/chosen-postgres.ts";
import { type TestServer, testServer } from "../../../../test/support/server.ts";
import { SOAK_TIMEOUT_MS, soakRuns } from "../../../../test/support/soak.ts";
import { type Connection, connect, parseTarget } from "../../../driver/index.ts";
import { openShadow, type Shadow } from "../../../shadow/index.ts";
import { readMigrationFolder } from "../../formats/migration-folder.ts";
import { RANDOM_GROUND } from "../corpus/random-ground.fixture.ts";
import { randomStatement } from "../corpus/random-statements.fixture.ts";
import { ENSURE_CORPUS_ROLE } from "../corpus.fixture.ts";
import { lintSection, type SectionReport } from "../lint-section.ts";
import { readSection } from "../section.ts";
import { CORPUS_SCHEMA } from "../truth.fixture.ts";
import type { Walk } from "../walk.ts";
import { openLiveWalk } from "./live-walk.ts";

let server: TestServer;
let shadow: Shadow;
let walk: Walk;
/** Of steps whose outcome was not waited for. */
let foreseen = 0;
let failed = 0;

beforeAll(async () => {
  server = await testServer();
  const admin = await connect(parseTarget(server.url));
  await admin.script(ENSURE_CORPUS_ROLE);
  await admin.close();
  shadow = await openShadow({ url: server.url, directory: tmpdir() });
  const sessions: Connection[] = [];
  const createDatabase: Shadow["createDatabase"] = async () => {
    const database = await shadow.createDatabase();
    const open = async (): Promise<Connection> => {
      const session = await database.connect();
      sessions.push(session);
      return session;
    };
    return { ...database, connect: open };
  };
  walk = await openLiveWalk({ ...shadow, createDatabase }, CORPUS_SCHEMA, chosenPostgres());
  await walk.begin("up");
  for (const session of sessions) {
    await session.script("create extension citext schema public;\ncreate extension btree_gist schema public");
    await session.script(RANDOM_GROUND);
  }
  await walk.end();
});
afterAll(async () => {
  await walk.close();
  await shadow.release();
  await server.stop();
});

/** The walk, which counts; `waits` for the end of each step before anything is asked. */
function watched(waits: boolean): Walk {
  return {
    view: walk.view,
    get isForeseen() {
      return !waits && walk.isForeseen;
    },
    begin: (direction, statements) => walk.begin(direction, statements),
    step: async (statement, place) => {
      const stepping = walk.step(statement, place);
      if (!waits && walk.isForeseen) foreseen += 1;
      const failure = await stepping;
      if (!waits && failure !== undefined) failed += 1;
      return failure;
    },
    end: () => walk.end(),
    close: () => walk.close(),
  };
}

/** The way back leaves the catalog as it was, so that both find the same. */
async function reportOn(texts: readonly string[], waits: boolean): Promise<SectionReport> {
  const { files } = await readMigrationFolder({ "0001_chain.sql": `-- migrate:up\n${texts.join(";\n")};\n` });
  const [file] = files;
  if (file === undefined) throw new Error("the chain is not a migration");
  const section = await readSection(file, file.up, "down");
  return lintSection(section, {
    walk: watched(waits),
    tool: { format: "plinth", splitsPhases: true },
    outcomeOf: () => undefined,
    madeByUp: new Set(),
    hasDown: true,
  });
}

describe("looking at a statement while the one before it happens", () => {
  it("tells what is told when each is over first, whatever statements follow one another", {
    timeout: SOAK_TIMEOUT_MS,
  }, async () => {
    const chains = fc.array(randomStatement, { minLength: 2, maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(chains, async (chain) => {
        expect(await reportOn(chain, false)).toEqual(await reportOn(chain, true));
      }),
      { numRuns: soakRuns(1_500), seed: 20_261_122 },
    );
    // It has been about something.
    expect(foreseen).toBeGreaterThan(10);
    expect(failed).toBeGreaterThan(5);
  });

  it("tells what is told when each is over first, after a statement that the server refuses", async () => {
    const chain = [
      "create table fresh (id bigint primary key)",
      "create table fresh (id bigint primary key, note text)",
      "alter table fresh add column note text not null default clock_timestamp()::text",
      "create table notes (id bigint primary key)",
      "create index on notes (body)",
      "alter table notes add column body text",
      "alter table notes add column colour text",
      "alter table notes add column colour text",
      "update notes set colour = body where colour is null",
      "select pg_terminate_backend(pg_backend_pid())",
      "alter table notes add column colour text",
      "create index on notes (colour)",
    ];
    const told = await reportOn(chain, false);
    expect(told.statements.map(({ rules }) => rules.includes("run/fails"))).toContain(true);
    expect(told).toEqual(await reportOn(chain, true));
  });
});
