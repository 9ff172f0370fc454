import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SOAK_TIMEOUT_MS, soakRuns } from "../../test/support/soak.ts";
import { type Catalog, compareCatalogs, readCatalog } from "../catalog/index.ts";
import { DATA_IMPORTS, openWorkbench, type Project, type Workbench } from "./workbench.fixture.ts";

let bench: Workbench;
beforeAll(async () => {
  bench = await openWorkbench();
});
afterAll(() => bench.close());

/** Everything that may be interrupted half way, on tables with enough rows to be met in the middle of it. */
const FILES = {
  "0001_base.sql": `-- migrate:up
create table owners (id bigint primary key, name text not null);
create table events (
  id bigint primary key, owner_id bigint, kind text, title text, filled int not null default 0, touched int not null default 0
);
insert into owners select n, 'owner ' || n from generate_series(1, 200) as n;
insert into events (id, owner_id, kind, title)
  select n, n % 200 + 1, 'kind ' || n % 7, md5(n::text) from generate_series(1, 30000) as n;
create index events_old on events (kind);
create table logs (id bigint not null, at date not null, primary key (id, at)) partition by range (at);
create table logs_2023 partition of logs for values from ('2023-01-01') to ('2024-01-01');
create table logs_2024 partition of logs for values from ('2024-01-01') to ('2025-01-01');
insert into logs select n, date '2023-01-01' + n % 700 from generate_series(1, 5000) as n;
`,
  "0002_indexes.sql": `-- migrate:up
create index concurrently events_title on events (title);
alter table events add column note text;
create unique index concurrently if not exists events_owner_id on events (owner_id, id);
create index concurrently events_lower on events (lower(title)) where kind is not null;
comment on index events_lower is 'for search';
`,
  "0003_constraints.sql": `-- migrate:up
alter table events add constraint kind_given check (kind is not null) not valid;
alter table events add constraint events_owner_fkey foreign key (owner_id) references owners not valid;
alter table events validate constraint kind_given;
alter table events validate constraint events_owner_fkey;
alter table events alter column kind set not null;
alter table events drop constraint kind_given;
`,
  "0004_reindex.sql": `-- migrate:up
reindex table concurrently events;
reindex index concurrently events_title;
drop index concurrently events_old;
vacuum (analyze) events;
`,
  "0005_detach.sql": `-- migrate:up
alter table logs detach partition logs_2023 concurrently;
drop table logs_2023;
create table logs_2025 partition of logs for values from ('2025-01-01') to ('2026-01-01');
`,
  "0006_fill.sql": `-- migrate:up
alter table events add column slug text;
do $$
begin
  for batch in 0..29 loop
    update events set slug = lower(title) where id between batch * 1000 + 1 and (batch + 1) * 1000 and slug is null;
    commit;
  end loop;
end $$;
alter table events alter column slug set not null;
`,
  "0007_count.ts": `${DATA_IMPORTS}export default dataMigration({
  batchSize: 1500, pauseMs: 1,
  up: updateBatches({ table: "events", key: "id", set: "filled = filled + 1" }),
});
`,
  "0008_mood.sql": `-- migrate:up
create type mood as enum ('calm');
alter table events add column mood mood;
alter type mood add value 'glad';
update events set touched = touched + 1, mood = 'glad';
create materialized view moods as select mood, count(*) from events group by mood;
create unique index concurrently moods_mood on moods (mood);
refresh materialized view moods;
`,
};

const INVALID = `select c.relname from pg_index i join pg_class c on c.oid = i.indexrelid
  where c.relnamespace = '%s'::regnamespace and (not i.indisvalid or c.relname ~ '_cc(new|old)')`;

/** Rows, as far as a migration could lose or repeat something. */
const ROWS = `select count(*), sum(filled), min(filled), sum(touched), min(touched), count(*) filter (where slug = lower(title)),
  count(*) filter (where mood = 'glad'), (select count(*) from %s.logs), (select sum(count) from %s.moods) from %s.events`;

interface CleanRun {
  readonly catalog: Catalog;
  readonly rows: readonly (readonly (string | null)[])[];
  readonly durationsMs: readonly number[];
}

async function runCleanly(): Promise<CleanRun> {
  const project = bench.project(FILES);
  const { ran } = await project.migrator().up();
  return {
    catalog: await readCatalog(bench.connection, project.schemaName),
    rows: await project.rows(ROWS),
    durationsMs: ran.map(({ durationMs }) => durationMs ?? 0),
  };
}

/** Where in the folder a runner dies: so long after it began with a file, as a share of what that takes. */
interface Moment {
  readonly file: number;
  readonly share: number;
}

async function killAt(project: Project, { file, share }: Moment, clean: CleanRun): Promise<void> {
  const { pending } = await project.migrator().status();
  const begins = Math.max(0, file - (clean.durationsMs.length - pending));
  const runner = project.spawnRunner();
  // A run that is over sooner has nothing left to be killed in.
  await Promise.race([runner.began(begins), runner.ended]);
  await Promise.race([sleep(share * (clean.durationsMs[file] ?? 0)), runner.ended]);
  runner.process.kill("SIGKILL");
  await runner.ended;
}

describe("a runner killed with SIGKILL at random moments", () => {
  it("is followed by one that finishes by itself, and leaves what a clean run leaves", {
    timeout: SOAK_TIMEOUT_MS,
  }, async () => {
    const clean = await runCleanly();
    const moment = fc.record({
      file: fc.nat(clean.durationsMs.length - 1),
      share: fc.double({ min: 0, max: 1.2, noNaN: true }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(moment, { minLength: 1, maxLength: 2 }), async (moments) => {
        const project = bench.project(FILES);
        for (const one of moments) await killAt(project, one, clean);
        await project.migrator().up();
        expect(await project.migrator().status()).toMatchObject({ pending: 0, findings: [] });
        expect(await project.rows(INVALID)).toEqual([]);
        expect(
          compareCatalogs(clean.catalog, await readCatalog(bench.connection, project.schemaName)),
        ).toEqual([]);
        expect(await project.rows(ROWS)).toEqual(clean.rows);
        await project.run("drop schema %s cascade");
      }),
      { seed: 20_261_121, numRuns: soakRuns(100), endOnFailure: true },
    );
  });
});
