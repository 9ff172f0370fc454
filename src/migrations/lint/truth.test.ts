import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { chosenPostgres } from "../../../test/support/chosen-postgres.ts";
import { type TestServer, testServer } from "../../../test/support/server.ts";
import { SOAK_TIMEOUT_MS, soakRuns } from "../../../test/support/soak.ts";
import { type Connection, connect, parseTarget, retarget } from "../../driver/index.ts";
import { parseSql } from "../parse-sql.ts";
import { RANDOM_GROUND } from "./corpus/random-ground.fixture.ts";
import { randomStatement } from "./corpus/random-statements.fixture.ts";
import { CORPUS, ENSURE_CORPUS_ROLE, type Form, formOf, titleOf } from "./corpus.fixture.ts";
import { effectsOf } from "./effects/effects.ts";
import { openLiveView } from "./live/live-view.ts";
import type { StatementEffects } from "./model.ts";
import { openTextWalk } from "./text/text-walk.ts";
import { planLikeLargeTables } from "./trace-queries.ts";
import { traceSection } from "./trace-section.ts";
import { knownRelations, type StatementOutcome } from "./trace-statement.ts";
import { openStepper, type Stepper } from "./trace-steps.ts";
import {
  CORPUS_SCHEMA,
  isBlocking,
  isCovered,
  measureForm,
  measureOutside,
  prepareEmptyGround,
  prepareGround,
  prepareSession,
  type Truth,
} from "./truth.fixture.ts";

const DATABASE = `truth_${process.pid}`;
/** Where static looks: the same objects, no rows. */
const TWIN = `${DATABASE}_empty`;
const VERSION = chosenPostgres();
const FORMS = CORPUS.filter(({ since }) => since <= VERSION);

let server: TestServer;
let admin: Connection;
/** Prepares the grounds and measures. */
let plain: Connection;
/** Runs what trace runs: what a session has looked at once, it does not lock to look at again. */
let traced: Connection;
let watcher: Connection;
let twin: Connection;
let stepper: Stepper;

beforeAll(async () => {
  server = await testServer();
  admin = await connect(parseTarget(server.url));
  await admin.script(ENSURE_CORPUS_ROLE);
  for (const database of [DATABASE, TWIN]) {
    await admin.script(`create database ${database}`);
    // As shadow databases are: compiling the linter's queries takes longer than running them.
    await admin.script(`alter database ${database} set jit to off`);
  }
  await admin.script(planLikeLargeTables(DATABASE));
  const session = { statementTimeoutMs: 0 };
  const target = retarget(parseTarget(server.url), { database: DATABASE, session });
  [plain, traced, watcher] = [await connect(target), await connect(target), await connect(target)];
  twin = await connect(retarget(target, { database: TWIN }));
  stepper = await openStepper(() => connect(target));
  for (const session of [plain, twin]) {
    await session.script("create extension citext schema public");
    await session.script("create extension btree_gist schema public");
  }
});
afterAll(async () => {
  for (const session of [stepper, plain, traced, watcher, twin]) await session.close();
  for (const database of [DATABASE, TWIN]) await admin.script(`drop database ${database} with (force)`);
  await admin.close();
  await server.stop();
});

async function measure(form: Form): Promise<Truth> {
  await prepareGround(plain, form);
  if (!form.runsOutside) return measureForm(plain, form);
  const truth = await measureOutside(plain, watcher, form);
  await prepareGround(plain, form);
  return truth;
}

/** What trace says on the ground that was prepared last. */
async function trace(form: Form): Promise<StatementOutcome> {
  await prepareSession(traced);
  const { statements } = await parseSql(form.sql);
  const ground = {
    connection: traced,
    home: CORPUS_SCHEMA,
    known: await knownRelations(traced, CORPUS_SCHEMA),
    stepper: async () => stepper,
    refill: async () => {},
  };
  const rules = { isTransactional: true, splitsPhases: true };
  const [outcome] = await traceSection(ground, statements, rules);
  if (outcome === undefined) throw new Error(`${form.sql} is no statement`);
  return outcome;
}

/** What static says with a catalog; with why something is not known, if it is not. */
async function workOut(form: Form): Promise<StatementEffects & { readonly unknowns: readonly string[] }> {
  const { statements } = await parseSql(form.sql);
  const [statement] = statements;
  if (statement === undefined) throw new Error(`${form.sql} is no statement`);
  const view = await openLiveView(twin, CORPUS_SCHEMA, VERSION);
  const found = await effectsOf(statement.tree, statement.text, view);
  return { ...found.effects(), unknowns: found.unknowns };
}

/** What is said without a catalog: nothing that blocks is called harmless. */
async function isTextSafe(form: Form, known: Awaited<ReturnType<typeof workOut>>): Promise<boolean> {
  const [statement] = (await parseSql(form.sql)).statements;
  if (statement === undefined) return false;
  const walk = openTextWalk(CORPUS_SCHEMA, VERSION);
  await walk.begin("up");
  const text = await effectsOf(statement.tree, statement.text, walk.view);
  const isHarmless = !isBlocking(text.effects()) && text.unknowns.length === 0;
  return !isHarmless || (!isBlocking(known) && known.unknowns.length === 0);
}

function tracedWrongly({ runsOutside }: Form, truth: Truth, outcome: StatementOutcome): boolean {
  // Where rows stand in the way, trace goes on with rows that fit: a form of its own shows what happens then.
  if (truth.effects === undefined) return outcome.effects !== undefined && !/^2[23]/.test(truth.sqlstate);
  if (outcome.effects === undefined) return true;
  if (runsOutside && !isCovered(truth.effects, outcome.effects)) return true;
  const told = runsOutside ? { ...truth.effects, locks: outcome.effects.locks } : truth.effects;
  return JSON.stringify(told) !== JSON.stringify(outcome.effects);
}

function told(mode: string, form: Form, said: unknown, truth: unknown): string {
  return `${titleOf(form)}\n  ${mode} ${JSON.stringify(said)}\n  server ${JSON.stringify(truth)}`;
}

describe("the corpus of statement forms", () => {
  it("has a form for every row of the reference table that is about a statement", () => {
    const rows = new Set(CORPUS.map(({ row }) => row));
    const isMissing = (row: number): boolean => !rows.has(row) && ![19, 46].includes(row);
    // From 48 on the table is about files; 19 is about two statements, 46 about a type's use.
    expect(Array.from({ length: 47 }, (_, index) => index + 1).filter(isMissing)).toEqual([]);
    expect(CORPUS.length).toBeGreaterThan(800);
  });

  it("is told by trace, and by static with a catalog, as the server does it", {
    timeout: 900_000,
  }, async () => {
    const wrong: string[] = [];
    for (const form of FORMS) {
      const truth = await measure(form);
      if (truth.sqlstate !== form.fails) wrong.push(`${titleOf(form)}: ${truth.sqlstate}, not ${form.fails}`);
      const outcome = await trace(form);
      if (tracedWrongly(form, truth, outcome)) {
        wrong.push(told("trace", form, outcome.effects ?? outcome.failure, truth.effects ?? truth.sqlstate));
      }
      await prepareEmptyGround(twin, form);
      const known = await workOut(form);
      if (truth.effects !== undefined && !(await isTextSafe(form, known)))
        wrong.push(`${titleOf(form)}\n  is harmless by its text alone`);
      const expected = form.runsOutside ? outcome.effects : truth.effects;
      if (expected !== undefined && JSON.stringify({ ...expected, unknowns: [] }) !== JSON.stringify(known)) {
        wrong.push(told("static", form, known, expected));
      }
    }
    expect(wrong).toEqual([]);
  });

  // Exactly equal they are for all but a few in a thousand, which add one column twice and the like.
  it("is never harmless by static where the server blocks", { timeout: SOAK_TIMEOUT_MS }, async () => {
    const ground = { setup: RANDOM_GROUND };
    await prepareGround(plain, ground);
    await prepareEmptyGround(twin, ground);
    await fc.assert(
      fc.asyncProperty(randomStatement, async (sql) => {
        const form = formOf(sql, ground.setup);
        await prepareSession(plain);
        const { effects } = await measureForm(plain, form);
        const known = await workOut(form);
        if (effects === undefined) return;
        if (isBlocking(effects)) expect(isBlocking(known) || known.unknowns.length > 0, sql).toBe(true);
        expect(known.scans, sql).toEqual(expect.arrayContaining([...effects.scans]));
      }),
      { numRuns: soakRuns(10_000), seed: 20_260_412 },
    );
  });
});
