import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { type TestServer, testServer } from "../../../test/support/server.ts";
import type { Connection } from "../../driver/index.ts";
import { isPlinthError } from "../../errors/index.ts";
import { parseMigrationFile } from "../../migrations/migration-file.ts";
import { replayFile } from "../../migrations/replay.ts";
import { openShadow, type Shadow, type ShadowDatabase } from "../../shadow/index.ts";
import { quoteIdentifier } from "../../sql/index.ts";
import { planDifference } from "../difference.ts";
import { alignNames, type Catalog, type CatalogDifference, compareCatalogs, readCatalog } from "../index.ts";
import type { DifferencePlan } from "./plan.ts";

/** What became of a plan and of its way back on a database. */
export interface Trial {
  readonly up: DifferencePlan;
  readonly down: DifferencePlan;
  /** What still differs from the new catalog after `up`, and from the old one after `down`. */
  readonly left: readonly CatalogDifference[];
  readonly leftAfterDown: readonly CatalogDifference[];
  /** Sessions on the database that went up, and then down. */
  query(text: string): Promise<readonly (readonly (string | null)[])[]>;
  /** Drops the database, before the end of the test does. */
  close(): Promise<void>;
}

export interface TrialOptions {
  readonly online?: boolean;
  /** Run in the old database before the plan. */
  readonly rows?: string;
  /** Run in between: rows that only the new one takes, or a clean-up the way back asks for. */
  readonly between?: string;
  /** Where the plan goes up only. */
  readonly isOneWay?: boolean;
  readonly schemaName?: string;
}

/** Two schemas as SQL, each made in a database; the plans between them are run on the first one. */
export type TryDifference = (from: string, to: string, options?: TrialOptions) => Promise<Trial>;

/** What changes, in words, and the schema before and after it. */
export type DifferenceCase = readonly [what: string, from: string, to: string, options?: TrialOptions];

/** A test of each, as for tables in use and as for others, up and down. */
export function carriesOver(cases: readonly DifferenceCase[]): void {
  const tryDifference = differenceTrials();
  for (const online of [true, false]) {
    describe(`planDifference, ${online ? "online" : "offline"}`, () => {
      for (const [what, from, to, options] of cases) {
        it(`carries over ${what}, and back`, async () => {
          const trial = await tryDifference(from, to, { ...options, online });
          expect(trial.left).toEqual([]);
          expect(trial.leftAfterDown).toEqual([]);
        });
      }
    });
  }
}

const HOME = "app";

/** Call it at the top of a test file. */
export function differenceTrials(): TryDifference {
  let server: TestServer;
  let shadow: Shadow;
  beforeAll(async () => {
    server = await testServer();
    shadow = await openShadow({ url: server.url, directory: process.cwd() });
  });
  afterAll(async () => {
    await shadow.release();
    await server.stop();
  });
  return async (from, to, options = {}) => {
    const { online = true, rows, between, isOneWay = false, schemaName = HOME } = options;
    const [one, other] = [await build(shadow, from, schemaName), await build(shadow, to, schemaName)];
    const [before, after] = [await read(one, schemaName), await read(other, schemaName)];
    await other.drop();
    const connection = await one.connect();
    let closed: Promise<void> | undefined;
    const close = (): Promise<void> => {
      closed ??= connection.close().then(() => one.drop());
      return closed;
    };
    onTestFinished(close);
    await connection.script(`set search_path to ${quoteIdentifier(schemaName)}`);
    if (rows !== undefined) await connection.script(rows);
    const up = planDifference(before, after, { online });
    const down = planDifference(alignNames(after, before), before, { online });
    const ground = { shadow, connection, schemaName };
    await apply(ground, up);
    const left = compareCatalogs(await readAll(connection, schemaName), after);
    if (between !== undefined) await connection.script(between);
    if (!isOneWay) await apply(ground, down);
    const leftAfterDown = isOneWay ? [] : compareCatalogs(await readAll(connection, schemaName), before);
    const query = async (text: string) => (await connection.script(text)).at(-1)?.rows ?? [];
    return { up, down, left, leftAfterDown, query, close };
  };
}

async function build(shadow: Shadow, sql: string, schemaName: string): Promise<ShadowDatabase> {
  const database = await shadow.createDatabase();
  await database.use(async (connection) => {
    const name = quoteIdentifier(schemaName);
    await connection.script(`create schema ${name}; set search_path to ${name}`);
    if (sql !== "") await connection.script(sql);
  });
  return database;
}

function read(database: ShadowDatabase, schemaName: string): Promise<Catalog> {
  return database.use((connection) => readAll(connection, schemaName));
}

function readAll(connection: Connection, schemaName: string): Promise<Catalog> {
  return readCatalog(connection, schemaName, { schemas: "all" });
}

/** As the runner would: what PostgreSQL refuses in a transaction stands alone. */
async function apply(
  ground: { readonly shadow: Shadow; readonly connection: Connection; readonly schemaName: string },
  { statements }: DifferencePlan,
): Promise<void> {
  if (statements.length === 0) return;
  const text = statements.map((statement) => `${statement};\n`).join("\n");
  const file = parseMigrationFile("20260101000000_trial.sql", Buffer.from(`-- migrate:up\n\n${text}`));
  try {
    await replayFile(ground, file, "up");
  } catch (error) {
    const why = isPlinthError(error) ? `${error.message}\n${error.hint ?? ""}` : String(error);
    throw new Error(`${why}\n\n${text}`, { cause: error });
  }
}
