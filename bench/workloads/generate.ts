import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generateMigration, proveMigrations, readMigrations } from "../../src/migrations/index.ts";
import { openShadow, type Shadow } from "../../src/shadow/index.ts";
import type { Contenders } from "../contenders.ts";
import type { Workload } from "../rounds.ts";

const TABLES = 100;

/** A column more in one of 100 tables: the migration written and tried out, and the newest of two proven. */
export function generate({ ground }: Contenders): Workload {
  const folder = mkdtempSync(join(tmpdir(), "plinth-bench-generate-"));
  const tables = Array.from({ length: TABLES }, (_, number) => table(number));
  writeFileSync(join(folder, "0001_tables.sql"), `-- migrate:up\n${tables.join(";\n")};\n`);
  writeFileSync(
    join(folder, "0002_column.sql"),
    "-- migrate:up\nalter table t7 add column n int;\n-- migrate:down\nalter table t7 drop column n;\n",
  );
  const declared = [...tables, "alter table t7 add column n int", "alter table t9 add column due_date date"];
  let shadow: Promise<Shadow> | undefined;
  const open = (): Promise<Shadow> => (shadow ??= openShadow({ url: ground.url, directory: tmpdir() }));
  return {
    name: "generate and prove, 100 tables",
    concurrencies: [1],
    runners: [
      {
        name: "generate",
        run: async () => {
          const options = { folder, name: "due_date", schemaName: "app", declared, dryRun: true };
          const { findings } = await generateMigration({ ...options, shadow: await open() });
          if (findings.length > 0) throw new Error("the migration does not lead to the schema");
        },
      },
      {
        name: "prove one",
        run: async () => {
          const files = await readMigrations(folder);
          const shadowServer = await open();
          await proveMigrations({ files, schemaName: "app", shadow: shadowServer, from: "0002" });
        },
      },
    ],
    close: async () => {
      rmSync(folder, { recursive: true, force: true });
      await (await shadow)?.release();
    },
  };
}

function table(number: number): string {
  const parent = number === 0 ? "" : `, parent_id bigint references t${number - 1}`;
  return `create table t${number} (
    id bigint generated always as identity primary key, title text not null, state text default 'open',
    created_at timestamptz not null default now()${parent}, check (length(title) > 0));
  create index on t${number} (created_at)`;
}
