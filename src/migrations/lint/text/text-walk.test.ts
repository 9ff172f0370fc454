import { describe, expect, it } from "vitest";
import { chosenPostgres } from "../../../../test/support/chosen-postgres.ts";
import { readMigrationFolder } from "../../formats/migration-folder.ts";
import { lintMigrations } from "../lint.ts";

const VERSION = chosenPostgres();
/** Which of the statements in the last of the files count as blocking. */
async function blockingIn(files: readonly string[]): Promise<readonly string[]> {
  const texts = files.map((text, at) => [`000${at + 1}_file.sql`, text]);
  const folder = await readMigrationFolder(Object.fromEntries(texts));
  const { statements } = await lintMigrations({ folder, dialectVersion: VERSION });
  const last = statements.filter(({ file, direction }) => file === texts.at(-1)?.[0] && direction === "up");
  return last.filter(({ blocking }) => blocking).map(({ sql }) => sql);
}

const ADD = "alter table tasks add column";
const ENUM = "create type mood as enum ('low', 'high')";
const POSITIVE = "create domain positive as integer check (value > 0)";
const FEELING = `${ADD} feeling mood default 'low'`;
const SIZE = `${ADD} size positive`;

/** Files of which the last one blocks nobody. */
const HARMLESS: readonly (readonly string[])[] = [
  [`${ADD} due timestamptz not null default now()`],
  [`${ADD} tags text[] not null default '{}'`],
  [`${ADD} code text default upper(left(md5('a'), 3)) || to_char(now(), 'YYYY-MM')`],
  [`${ADD} spans tstzmultirange, add column page jsonpath, add column flag "char"`],
  [`${ADD} sizes positive[]`],
  [`${ENUM}; ${FEELING}`],
  [ENUM, FEELING],
  [`${ENUM}; set lock_timeout = '2s'; ${FEELING}`],
  ["create domain label as text", `${ADD} note label`],
  ["create type span as range (subtype = integer)", `${ADD} width span`],
  ["create type point_2d as (x integer, y integer)", `${ADD} spot point_2d`],
  [
    "create table labels (id bigint); create index on labels (id); insert into labels select generate_series(1, 9)",
  ],
  [
    "create table labels (id bigint) partition by range (id); create table labels_1 partition of labels default",
  ],
  ["create table labels as select 1 as id; alter table labels alter column id set not null"],
  [`-- migrate:up\n${ENUM};\n-- migrate:down\ndrop type mood`, `-- migrate:up\n${FEELING}`],
];

/** Files with the statements of the last one that block, or may. */
const BLOCKING: readonly (readonly [readonly string[], string])[] = [
  [[`${ADD} token uuid default gen_random_uuid()`], `${ADD} token uuid default gen_random_uuid()`],
  [[`${ADD} token text default shade()`], `${ADD} token text default shade()`],
  [[`${ADD} token text default public.now()`], `${ADD} token text default public.now()`],
  [[FEELING], FEELING],
  [[`${POSITIVE}; ${SIZE}`], SIZE],
  [[POSITIVE, SIZE], SIZE],
  [[POSITIVE, `create domain larger as positive; ${ADD} size larger`], `${ADD} size larger`],
  [["create domain positive as integer default 1", SIZE], SIZE],
  [["create domain positive as integer", "alter domain positive add check (value > 0)", SIZE], SIZE],
  [[ENUM, "drop type mood; create domain mood as text check (value <> '')", FEELING], FEELING],
  [[ENUM, "do $$ begin drop type mood; end $$", FEELING], FEELING],
  [[ENUM, `set search_path to side; ${FEELING}`], FEELING],
  [["create table labels (id bigint)", "create index on labels (id)"], "create index on labels (id)"],
  [
    ["create index if not exists labels_id_idx on labels (id)"],
    "create index if not exists labels_id_idx on labels (id)",
  ],
];

describe("lint by the text alone", () => {
  it.each(HARMLESS.map((files) => [files.join(" | "), files] as const))(
    "knows enough of %s",
    async (_, files) => {
      expect(await blockingIn(files)).toEqual([]);
    },
  );

  it.each(BLOCKING.map(([files, sql]) => [files.join(" | "), files, sql] as const))(
    "takes no risk with %s",
    async (_, files, sql) => {
      expect(await blockingIn(files)).toEqual([sql]);
    },
  );
});
