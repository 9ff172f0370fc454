import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { openShadow, type Shadow } from "../../shadow/index.ts";
import { readMigrations } from "../folder.ts";
import { openWorkbench, type Project, type Workbench } from "../workbench.fixture.ts";
import { type SquashedMigrations, squashMigrations } from "./squash.ts";
import { swapSteps } from "./swap.ts";

let bench: Workbench;
let shadow: Shadow;

beforeAll(async () => {
  bench = await openWorkbench();
  shadow = await openShadow({ url: bench.serverUrl, directory: import.meta.dirname });
});
afterAll(async () => {
  await shadow.release();
  await bench.close();
});

const OLD = ["0001_users.sql", "0002_tasks.sql", "0003_tags.sql"];
const LATER = "0004_notes.sql";
const SQUASH = "0003_squashed.sql";

function chain(): Project {
  const names = [...OLD, LATER];
  const table = (name: string): string => name.slice(5, -4);
  const project = bench.project(
    Object.fromEntries(
      names.map((name) => [name, `-- migrate:up\ncreate table ${table(name)} (id int);\n`] as const),
    ),
  );
  onTestFinished(() => rmSync(`${project.folder}-replaced`, { recursive: true, force: true }));
  return project;
}

function squash({ folder, schemaName }: Project, dryRun = false): Promise<SquashedMigrations> {
  return squashMigrations({ folder, to: "3", schemaName, shadow, dryRun });
}

/** The swap of a squash that is stopped after so many steps. */
async function interrupted(project: Project, count: number): Promise<void> {
  const { text } = await squash(project, true);
  const steps = swapSteps({ folder: project.folder, fileName: SQUASH, text, replaced: OLD });
  expect(steps).toHaveLength(5);
  for (const step of steps.slice(0, count)) await step();
}

describe("a squash that is killed while it moves files", () => {
  it.each([0, 1, 2, 3, 4])(
    "after %d steps is finished by the next one, and misleads nobody",
    async (count) => {
      const project = chain();
      await project.migrator().up();
      await interrupted(project, count);
      if (count < 2) {
        const names = (await readMigrations(project.folder)).map(({ fileName }) => fileName);
        expect(names).toEqual([...OLD, LATER]);
      } else {
        await expect(project.migrator().up()).rejects.toMatchObject({
          code: "MIGRATION_INVALID",
          summary: `${SQUASH} is a squash of everything up to its version, and 0003_tags.sql is still here`,
          hint: expect.stringContaining("plinth migrate squash --to 0003."),
        });
      }

      const { file, movedTo = "", replaced, text } = await squash(project);
      expect(file).toBe(join(project.folder, SQUASH));
      expect(replaced).toEqual(OLD);
      expect(readFileSync(join(project.folder, SQUASH), "utf8")).toBe(text);
      expect(readdirSync(project.folder).sort()).toEqual([SQUASH, LATER]);
      expect(readdirSync(movedTo).sort()).toEqual(OLD);
      expect((await project.migrator().up()).ran).toEqual([]);
      expect((await project.migrator().status()).findings).toEqual([]);
    },
  );

  it("is left alone by a dry run, which says what would be done", async () => {
    const project = chain();
    await interrupted(project, 3);
    const before = readdirSync(project.folder);
    const { file, movedTo, replaced } = await squash(project, true);
    expect({ file, movedTo, replaced }).toEqual({ file: undefined, movedTo: undefined, replaced: OLD });
    expect(readdirSync(project.folder)).toEqual(before);
  });

  it("is finished over files of an earlier squash that was taken back", async () => {
    const project = chain();
    const { movedTo = "" } = await squash(project);
    for (const name of OLD) project.write(name, readFileSync(join(movedTo, name)));
    project.remove(SQUASH);
    await interrupted(project, 3);
    await squash(project);
    expect(readdirSync(project.folder).sort()).toEqual([SQUASH, LATER]);
    expect(readdirSync(movedTo).sort()).toEqual(OLD);
  });

  it.each([
    ["edited", (project: Project) => project.write("0002_tasks.sql", "-- migrate:up\nselect 1;\n")],
    ["gone", (project: Project) => project.remove("0002_tasks.sql")],
    ["joined by another", (project: Project) => project.write("0002_more.sql", "-- migrate:up\nselect 1;\n")],
  ])("is not finished when what it replaces was %s", async (_what, change) => {
    const project = chain();
    await interrupted(project, 3);
    change(project);
    const before = readdirSync(project.folder);
    await expect(squash(project)).rejects.toMatchObject({
      code: "MIGRATION_INVALID",
      file: SQUASH,
      hint: expect.stringContaining("restore them all from version control"),
    });
    expect(readdirSync(project.folder)).toEqual(before);
  });

  it("is not mistaken for a squash beside a migration that was given its number later", async () => {
    const project = chain();
    await squash(project);
    project.write("0003_late.sql", "-- migrate:up\ncreate table late (id int);\n");
    await expect(squash(project)).rejects.toMatchObject({
      hint: expect.stringContaining("Give a migration that came after it a new number."),
    });
    await expect(project.migrator().up()).rejects.toMatchObject({
      hint: expect.stringContaining("Give a migration that came after it a new number."),
    });
  });
});
