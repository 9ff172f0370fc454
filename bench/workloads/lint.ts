import { tmpdir } from "node:os";
import { type FolderContent, readMigrationFolder } from "../../src/migrations/index.ts";
import { lintMigrations } from "../../src/migrations/lint/lint.ts";
import { openShadow, type Shadow } from "../../src/shadow/index.ts";
import type { Contenders } from "../contenders.ts";
import type { Workload } from "../rounds.ts";

const TABLES = 25;
const FILES = 39;

/** 1,000 statements in 40 migrations, judged with the catalog that they build, and by their text alone. */
export function lint({ ground }: Contenders): Workload {
  const content = migrations();
  let shadow: Promise<Shadow> | undefined;
  return {
    name: "lint of 1,000 statements",
    concurrencies: [1],
    runners: [
      {
        name: "static, with a catalog",
        run: async () => {
          shadow ??= openShadow({ url: ground.url, directory: tmpdir() });
          const folder = await readMigrationFolder(content);
          return expectAll(await lintMigrations({ folder, shadow: await shadow, schemaName: "app" }));
        },
      },
      {
        name: "static, text alone",
        run: async () => {
          const folder = await readMigrationFolder(content);
          return expectAll(await lintMigrations({ folder, schemaName: "app" }));
        },
      },
    ],
    close: async () => (await shadow)?.release(),
  };
}

function expectAll({ statements }: { readonly statements: readonly unknown[] }): void {
  if (statements.length !== TABLES * (FILES + 1))
    throw new Error(`${statements.length} statements were linted`);
}

/** A file that makes the tables, and files that change each of them once. */
function migrations(): FolderContent {
  const files: [string, string][] = [["0001_tables.sql", upOf(table)]];
  for (let file = 0; file < FILES; file++) {
    const name = `${String(file + 2).padStart(4, "0")}_change.sql`;
    files.push([name, upOf((number) => change(number, file))]);
  }
  return Object.fromEntries(files);
}

function upOf(statement: (number: number) => string): string {
  const statements = Array.from({ length: TABLES }, (_, number) => statement(number));
  return `-- migrate:up\n${statements.join(";\n")};\n`;
}

function table(number: number): string {
  const parent = number === 0 ? "" : `, parent_id bigint references t${number - 1}`;
  return `create table t${number} (id bigint primary key, title varchar(100) not null, body text${parent})`;
}

/** What migrations mostly do. */
function change(number: number, file: number): string {
  const [t, c] = [`t${number}`, `c${file}`];
  const forms = [
    `alter table ${t} add column ${c} text`,
    `alter table ${t} add column ${c} integer not null default 0`,
    `create index concurrently ${t}_${c}_idx on ${t} (title, id)`,
    `alter table ${t} add constraint ${t}_${c}_check check (length(title) > 0) not valid`,
    `alter table ${t} alter column title type varchar(${200 + file})`,
    `update ${t} set body = '' where body is null`,
    `create view ${t}_${c} as select id, title from ${t}`,
    `alter table ${t} add column ${c} uuid default gen_random_uuid()`,
    `comment on table ${t} is 'file ${file}'`,
    `create table ${t}_${c} (id bigint primary key, ${t}_id bigint references ${t})`,
  ];
  return forms[(number + file) % forms.length] ?? "";
}
