import { execFile } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { migrate } from "drizzle-orm/node-postgres/migrator";
import { parseTarget } from "../../src/driver/index.ts";
import { createMigrator } from "../../src/migrations/index.ts";
import type { Contenders } from "../contenders.ts";
import type { Runner, Workload } from "../rounds.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const COUNT = 500;
const SCHEMA = "bench_migrations";
/**
 * Where the schema's name stands: in the config, in the text of the schema module, or in what it computes, so that it has
 * to be loaded.
 */
const PROJECTS = ["named", "declared", "computed"] as const;

/** What every deploy does first: look at 500 applied migrations, and find that none is pending. */
export function migrateUp({ ground, drizzle }: Contenders): Workload {
  let folders: Folders | undefined;
  // Made with the first call, in the round that warms up: most runs of the bench are of something else.
  const prepared = (work: (folders: Folders) => Promise<unknown>): Runner["run"] => {
    return async () => {
      folders ??= writeFolders();
      await work(folders);
    };
  };
  const target = parseTarget(ground.url);
  const processes = existsSync(join(ROOT, "dist/cli/main.js")) ? PROJECTS : [];
  if (processes.length === 0) process.stderr.write("npm run build, and the whole command is measured too\n");
  return {
    name: `up, ${COUNT} applied and none pending`,
    concurrencies: [1],
    runners: [
      {
        name: "Drizzle's migrator",
        run: prepared(({ drizzleFolder }) =>
          migrate(drizzle, { migrationsFolder: drizzleFolder, migrationsSchema: `${SCHEMA}_drizzle` }),
        ),
      },
      {
        name: "Plinth's migrator, a connection of its own",
        run: prepared(({ folder }) => createMigrator({ target, schemaName: SCHEMA, folder }).up()),
      },
      ...processes.map((kind) => ({
        name: `plinth migrate up, the whole process (schema ${kind})`,
        run: prepared(({ projects }) => up(join(projects, kind), ground.url)),
      })),
    ],
    close: async () => {
      if (folders !== undefined) rmSync(folders.projects, { recursive: true });
    },
  };
}

async function up(directory: string, url: string): Promise<void> {
  const { DATABASE_SCHEMA: _, ...environment } = process.env;
  await promisify(execFile)(process.execPath, [join(ROOT, "bin/plinth.js"), "migrate", "up"], {
    cwd: directory,
    env: { ...environment, DATABASE_URL: url },
  });
}

interface Folders {
  readonly projects: string;
  readonly folder: string;
  readonly drizzleFolder: string;
}

/** Below the repository, from where the package's own name leads to its build. */
function writeFolders(): Folders {
  const projects = mkdtempSync(join(ROOT, ".bench-"));
  const [folder, drizzleFolder] = [join(projects, "migrations"), join(projects, "drizzle")];
  for (const path of [folder, join(drizzleFolder, "meta")]) mkdirSync(path, { recursive: true });
  const names = Array.from({ length: COUNT }, (_, i) => `${String(i + 1).padStart(4, "0")}_table`);
  for (const [i, name] of names.entries()) {
    const table = (schema: string) =>
      `create table ${schema}t${i} (id text primary key, name text not null, note text);`;
    const down = `drop table t${i};`;
    writeFileSync(join(folder, `${name}.sql`), `-- migrate:up\n${table("")}\n\n-- migrate:down\n${down}\n`);
    const first = i === 0 ? "create schema drizzle_tables;\n" : "";
    writeFileSync(join(drizzleFolder, `${name}.sql`), `${first}${table("drizzle_tables.")}\n`);
  }
  const entries = names.map((tag, idx) => ({ idx, version: "7", when: idx + 1, tag, breakpoints: true }));
  const journal = { version: "7", dialect: "postgresql", entries };
  writeFileSync(join(drizzleFolder, "meta/_journal.json"), JSON.stringify(journal));
  for (const kind of PROJECTS) writeProject(join(projects, kind), kind);
  return { projects, folder, drizzleFolder };
}

function writeProject(directory: string, kind: (typeof PROJECTS)[number]): void {
  mkdirSync(directory);
  const database = kind === "named" ? `, database: { schema: "${SCHEMA}" }` : "";
  const name = kind === "computed" ? `["${SCHEMA}"].join()` : `"${SCHEMA}"`;
  writeFileSync(
    join(directory, "plinth.config.ts"),
    `import { defineConfig } from "plinth";\nexport default defineConfig({ schema: "./schema.ts", migrations: { folder: "../migrations" }${database} });\n`,
  );
  writeFileSync(
    join(directory, "schema.ts"),
    `import { text } from "drizzle-orm/pg-core";
import { appSchema, entity, ulidKey } from "plinth/schema";
export const app = appSchema(${name});
export const tables = entity(app, "t0", { id: ulidKey(), name: text().notNull(), note: text() });
`,
  );
}
