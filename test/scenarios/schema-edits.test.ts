import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { BEHAVIOURS } from "../../src/behaviours.ts";
import { renderSchema } from "../../src/catalog/index.ts";
import { connect, parseTarget } from "../../src/driver/index.ts";
import { generateMigration, proveMigrations, readMigrations } from "../../src/migrations/index.ts";
import { describeSchema } from "../../src/schema/index.ts";
import { openShadow, type Shadow } from "../../src/shadow/index.ts";
import {
  type Edit,
  largeSchema,
  type PlannedRename,
  randomEdit,
  randomFrom,
  type SchemaPlan,
} from "../support/random-schema.ts";
import { moduleOf } from "../support/random-schema-module.ts";
import { type TestServer, testServer } from "../support/server.ts";
import { SOAK_TIMEOUT_MS, soakRuns } from "../support/soak.ts";

const EDITS = soakRuns(200);
/** A chain begins anew after this many edits, so that late ones meet schemas that were edited before, but not for ever. */
const CHAIN = 20;

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

function declaredBy(plan: SchemaPlan): readonly string[] {
  return renderSchema(describeSchema(moduleOf(plan)), BEHAVIOURS).up;
}

async function generate(folder: string, declared: readonly string[], renames: readonly PlannedRename[]) {
  const generated = await generateMigration({
    folder,
    name: "edit",
    schemaName: "garden",
    declared,
    shadow,
    renameFlags: renames,
    acceptDrops: true,
  });
  expect(generated.findings).toEqual([]);
  return generated;
}

/** Proves the newest migration with rows in the tables; a failure shows the edit and the file. */
async function expectProven(
  folder: string,
  edit: Edit,
  text: string,
  fileName: string,
  declared: readonly string[],
) {
  const [from = ""] = fileName.split("_");
  const files = await readMigrations(folder);
  const { findings } = await proveMigrations({ files, schemaName: "garden", shadow, declared, from });
  const errors = findings.filter(({ level }) => level === "error");
  expect(errors, `${edit.what}\n${text}`).toEqual([]);
}

describe("random edits of a schema of 60 tables with every kind of object", () => {
  const chains = Math.ceil(EDITS / CHAIN);
  it.each(Array.from({ length: chains }, (_, chain) => chain))(
    "generate migrations that prove both ways with rows, chain %i",
    async (chain) => {
      const folder = mkdtempSync(join(tmpdir(), "plinth-edits-"));
      onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
      const random = randomFrom(1_000 + chain);
      let plan = largeSchema();
      await generate(folder, declaredBy(plan), []);
      const count = Math.min(CHAIN, EDITS - chain * CHAIN);
      for (let i = 0; i < count; i++) {
        const edit = randomEdit(plan, random, i + 1);
        plan = edit.plan;
        const declared = declaredBy(plan);
        const { text, fileName, isEmpty } = await generate(folder, declared, edit.renames);
        if (!isEmpty) await expectProven(folder, edit, text, fileName ?? "", declared);
      }
    },
    SOAK_TIMEOUT_MS,
  );
});
