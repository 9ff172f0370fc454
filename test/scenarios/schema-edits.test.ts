import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import * as snippets from "../../examples/snippets/schema.ts";
import * as tracker from "../../examples/tracker/schema.ts";
import { BEHAVIOURS } from "../../src/behaviours.ts";
import { renderSchema } from "../../src/catalog/index.ts";
import { connect, parseTarget } from "../../src/driver/index.ts";
import { generateMigration, proveMigrations, readMigrations } from "../../src/migrations/index.ts";
import { describeSchema, type SchemaDescription } from "../../src/schema/index.ts";
import { openShadow, type Shadow } from "../../src/shadow/index.ts";
import { largeSchema, type PlannedRename, randomFrom, type SchemaPlan } from "../support/random-schema.ts";
import { asData } from "../support/random-schema-described.ts";
import { randomDescribedEdit } from "../support/random-schema-described-edits.ts";
import { randomEdit } from "../support/random-schema-edits.ts";
import { moduleOf } from "../support/random-schema-module.ts";
import { type TestServer, testServer } from "../support/server.ts";
import { SOAK_TIMEOUT_MS, soakRuns } from "../support/soak.ts";

/** Of each schema. */
const EDITS = soakRuns(200);
/** A chain begins anew after this many edits, so that late ones meet schemas that were edited before, but not for ever. */
const CHAIN = 20;
const CHAINS = Array.from({ length: Math.ceil(EDITS / CHAIN) }, (_, chain) => chain);

let server: TestServer;
let shadow: Shadow;

beforeAll(async () => {
  server = await testServer();
  const admin = await connect(parseTarget(server.url));
  // Roles belong to the server: grants need it there.
  await admin.script(
    "do $$ begin create role plinth_reporter nologin; exception when others then null; end $$",
  );
  await admin.close();
  shadow = await openShadow({ url: server.url, directory: import.meta.dirname });
});
afterAll(async () => {
  await shadow.release();
  await server.stop();
});

/** A schema that is edited again and again; `T` is how its edits see it. */
interface Subject<T> {
  readonly schemaName: string;
  readonly begin: () => T;
  readonly edit: (state: T, random: () => number, serial: number) => Edited<T>;
  readonly describe: (state: T) => SchemaDescription;
}

interface Edited<T> {
  readonly what: string;
  readonly state: T;
  readonly renames: readonly PlannedRename[];
}

const LARGE: Subject<SchemaPlan> = {
  schemaName: "garden",
  begin: largeSchema,
  edit: (state, random, serial) => {
    const { what, plan, renames } = randomEdit(state, random, serial);
    return { what, state: plan, renames };
  },
  describe: (plan) => describeSchema(moduleOf(plan)),
};

function example(schemaName: string, module: Readonly<Record<string, unknown>>): Subject<SchemaDescription> {
  return {
    schemaName,
    begin: () => asData(describeSchema(module)),
    edit: (state, random, serial) => {
      const { what, schema, renames } = randomDescribedEdit(state, random, serial);
      return { what, state: schema, renames };
    },
    describe: (schema) => schema,
  };
}

/** Edits whose statement itself says which rows it takes, or that of the way back. */
const CONSTRAINTS = /^(add|drop) (unique|check|foreign key) |^(drop checks|drop unique|change domain) /;

/** What only some rows do to a migration that is right. */
const TOLD: ReadonlySet<string> = new Set(["up-fails-with-rows", "down-fails-with-rows", "down-fails"]);

const NO_VALUE = "rows that are there have no value for it, and null is refused";

/** How the edits of one schema ended. */
class Tally {
  proved = 0;
  /** An edit, and why its migration does not hold for all rows. */
  readonly told: string[] = [];

  get sum(): number {
    return this.proved + this.told.length;
  }

  print(subject: string): void {
    if (process.env.PLINTH_SOAK !== "1") return;
    const reasons = this.told.map((reason) => `  ${reason}\n`).join("");
    process.stderr.write(
      `${subject}: ${this.proved} of ${this.sum} edits proved, ${this.told.length} said why not\n${reasons}`,
    );
  }
}

/** Edits once, writes the migration and proves it with rows in the tables. A failure shows the edit and the file. */
async function editAndProve<T>(
  subject: Subject<T>,
  folder: string,
  { what, state, renames }: Edited<T>,
  tally: Tally,
): Promise<void> {
  const { schemaName } = subject;
  const declared = renderSchema(subject.describe(state), BEHAVIOURS).up;
  const options = { folder, name: "edit", schemaName, declared, shadow, acceptDrops: true };
  const generated = await generateMigration({ ...options, renameFlags: renames }).catch((error) => {
    throw new Error(`${what}: ${error.message}\n${error.hint ?? ""}`, { cause: error });
  });
  const { text, fileName = "", isEmpty, findings: refused } = generated;
  expect(isEmpty, `${what} changes nothing`).toBe(false);
  expect(refused, `${what}\n${text}`).toEqual([]);
  const [from = ""] = fileName.split("_");
  const files = await readMigrations(folder);
  const { findings } = await proveMigrations({ files, schemaName, shadow, declared, from });
  // Nobody but the author knows what old rows hold in a new column that must have a value: the file asks for it.
  const isOpen = generated.upMayFail.some((sentence) => sentence.endsWith(NO_VALUE));
  // A file that says what it cannot undo is spared errors about the rest: not here.
  const faults = findings.filter(
    ({ rule, level }) => !TOLD.has(rule) || (level === "error" && !(isOpen && rule === "up-fails-with-rows")),
  );
  expect(faults, `${what}\n${text}`).toEqual([]);
  const sentences = [...generated.upMayFail, ...generated.downMayFail, ...generated.irreversible];
  if (findings.length > 0 && !CONSTRAINTS.test(what)) expect(sentences, `${what}\n${text}`).not.toEqual([]);
  if (findings.length + sentences.length === 0) tally.proved++;
  else tally.told.push(`${what}: ${[...sentences, ...findings.map(({ rule }) => rule)].join("; ")}`);
}

async function runChain<T>(subject: Subject<T>, chain: number, tally: Tally): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "plinth-edits-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const random = randomFrom(1_000 + chain);
  let state = subject.begin();
  const { schemaName } = subject;
  const declared = renderSchema(subject.describe(state), BEHAVIOURS).up;
  const first = await generateMigration({ folder, name: "begin", schemaName, declared, shadow });
  expect(first.findings).toEqual([]);
  const count = Math.min(CHAIN, EDITS - chain * CHAIN);
  for (let i = 0; i < count; i++) {
    const edit = subject.edit(state, random, i + 1);
    await editAndProve(subject, folder, edit, tally);
    state = edit.state;
  }
}

function describeEdits<T>(name: string, subject: Subject<T>): void {
  describe(`random edits of ${name}`, () => {
    const tally = new Tally();

    it.each(CHAINS)(
      "generate migrations that prove both ways with rows, or say why not, chain %i",
      (chain) => runChain(subject, chain, tally),
      SOAK_TIMEOUT_MS,
    );

    it(`are ${EDITS}, each proven or explained`, () => {
      tally.print(name);
      expect(tally.sum).toBe(EDITS);
    });
  });
}

describeEdits("a schema of 60 tables with every kind of object", LARGE);
describeEdits("the tracker's schema", example("tracker", tracker));
describeEdits("the snippets' schema", example("snippets", snippets));
