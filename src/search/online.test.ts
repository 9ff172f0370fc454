import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { compareCatalogs, planDifference, readCatalog } from "../catalog/index.ts";
import { connect } from "../driver/index.ts";
import { openWorkbench, type Project, type Workbench } from "../migrations/workbench.fixture.ts";
import { BOTH, tasksWith } from "./vector-schema.fixture.ts";

let bench: Workbench;
beforeAll(async () => {
  bench = await openWorkbench();
});
afterAll(() => bench.close());

const COUNT = 6000;

const ROWS = `insert into tasks (id, title, body, created_at, updated_at)
  select i, 'Write note ' || i, repeat('some words of it ', 20), '2001-01-01', '2001-01-01' from generate_series(1, ${COUNT}) i`;

/** Whoever updates the last row stands still while somebody holds this lock: so does a fill, its first batches done. */
const HELD = 20_261_121;
const HOLD = `create function hold() returns trigger language plpgsql as $$
  begin perform pg_advisory_xact_lock_shared(${HELD}); return new; end $$;
create trigger hold before update on tasks for each row when (old.id = '${COUNT}') execute function hold()`;

const WAITING = "select pid from pg_locks where locktype = 'advisory' and not granted";

/** Rows whose words are not those of their texts: none, once everybody is done. */
const WRONG = `select id from %s.tasks where search_vector is distinct from
  setweight(to_tsvector('english', coalesce(title, '')), 'A') || setweight(to_tsvector('english', coalesce(body, '')), 'B')`;

/** Tasks with rows, applied, and the migration that gives them a search. */
async function projectWithRows(partitions = 0): Promise<Project> {
  const project = bench.project({
    "0001_tasks.sql": `-- migrate:up\n${tasksWith(undefined, partitions)};\n${ROWS};\n${HOLD};\n`,
  });
  const wish = bench.project({
    "0001_tasks.sql": `-- migrate:up\n${tasksWith(BOTH, partitions)};\n${HOLD};\n`,
  });
  for (const one of [project, wish]) await one.migrator().up();
  const [live, wanted] = [
    await readCatalog(bench.connection, project.schemaName),
    await readCatalog(bench.connection, wish.schemaName),
  ];
  const { statements } = planDifference(live, wanted, { online: true });
  project.write("0002_search.sql", `-- migrate:up\n${statements.join(";\n")};\n`);
  return project;
}

/**
 * Changes, adds and deletes rows as fast as they come, until told to stop; in transactions of four, where one table holds
 * all rows: the indexes of partitions are attached in one transaction, which such writers of several may meet head on.
 */
async function writing(project: Project, isDivided: boolean, isOver: () => boolean): Promise<number> {
  const connection = await connect(bench.target);
  let count = 0;
  try {
    await connection.script(`set search_path to ${project.schemaName}`);
    for (; !isOver(); count++) {
      const id = (count * 7919) % COUNT;
      const writes = [
        `update tasks set title = 'Changed ${count}', hours = 1 where id = '${id}'`,
        `update tasks set hours = 2 where id = '${(id * 31) % COUNT}'`,
        `insert into tasks (id, title) values ('new ${count}', 'Added ${count}')`,
        `delete from tasks where id = '${(id * 17) % COUNT}'`,
      ];
      for (const text of isDivided ? writes : [writes.join(";")]) await connection.script(text);
    }
    return count;
  } finally {
    await connection.close();
  }
}

describe("a search added to a table in use", () => {
  it.each([0, 3])("has the words of every row, while others write it: %i partitions", async (partitions) => {
    const project = await projectWithRows(partitions);
    let isOver = false;
    const writer = writing(project, partitions > 0, () => isOver);
    await sleep(20);
    await project
      .migrator()
      .up()
      .finally(() => {
        isOver = true;
      });
    expect(await writer).toBeGreaterThan(0);
    expect(await project.rows(WRONG)).toEqual([]);
    // Whom nobody else has written, the fill has left as it was, but for the words.
    const untouched = `select count(*) > 100 from %s.tasks where updated_at = '2001-01-01' and search_vector is not null`;
    expect(await project.rows(untouched)).toEqual([["t"]]);
    expect(await project.migrator().status()).toMatchObject({ pending: 0, findings: [] });
  });

  it("is finished by the next runner where one was killed in the fill", async () => {
    const project = await projectWithRows();
    const holder = await connect(bench.target);
    try {
      await holder.script(`select pg_advisory_lock(${HELD})`);
      const runner = project.spawnRunner();
      await expect.poll(() => project.rows(WAITING), { timeout: 20_000 }).toHaveLength(1);
      runner.process.kill("SIGKILL");
      await runner.ended;
      // What a server does that finds its client gone.
      await project.rows(`select pg_terminate_backend(pid) from (${WAITING}) waiting`);
      await expect.poll(() => project.rows(WAITING)).toEqual([]);
      const filled = await project.rows(
        "select count(search_vector) > 0, count(search_vector) < count(*) from %s.tasks",
      );
      expect(filled).toEqual([["t", "t"]]);
    } finally {
      await holder.close();
    }
    await project.migrator().up();
    expect(await project.rows(WRONG)).toEqual([]);
    expect(await project.migrator().status()).toMatchObject({ pending: 0, findings: [] });
    const clean = await projectWithRows();
    await clean.migrator().up();
    const [killed, whole] = [
      await readCatalog(bench.connection, project.schemaName),
      await readCatalog(bench.connection, clean.schemaName),
    ];
    expect(compareCatalogs(killed, whole)).toEqual([]);
  });
});
