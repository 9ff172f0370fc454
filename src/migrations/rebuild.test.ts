import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connect } from "../driver/index.ts";
import { openWorkbench, type Workbench } from "./workbench.fixture.ts";

let bench: Workbench;

beforeAll(async () => {
  bench = await openWorkbench();
});
afterAll(async () => bench.close());

const PARTITIONED = `create table p (id bigint primary key, kind text) partition by range (id);
create table p1 partition of p for values from (1) to (10);
create table p2 partition of p for values from (10) to (20);
create index p_kind_idx on p (kind);
create table t (id bigint primary key);
`;

const FILES = `select relname, relfilenode
from pg_class
where relkind in ('r', 'i') and relnamespace = '%s'::regnamespace and relname ~ '^(p1|p2|t)_'
order by relname`;

describe("reindex, cluster and vacuum full", () => {
  it.each([
    ["reindex table p", ["p1_kind_idx", "p1_pkey", "p2_kind_idx", "p2_pkey"]],
    ["reindex index p_kind_idx", ["p1_kind_idx", "p2_kind_idx"]],
    ["reindex (verbose) table t", ["t_pkey"]],
    ["cluster p using p_pkey", ["p1_kind_idx", "p1_pkey", "p2_kind_idx", "p2_pkey"]],
    ["vacuum (full, analyze) t", ["t_pkey"]],
  ])("run between other statements, partitioned or not: %s", async (sql, rebuilt) => {
    for (const marker of ["", " transaction:false"]) {
      const project = bench.project({ "0001_tables.sql": `-- migrate:up\n${PARTITIONED}` });
      await project.migrator().up();
      const before = new Map((await project.rows(FILES)).map(([name, file]) => [name, file]));
      project.write(
        "0002_rebuild.sql",
        `-- migrate:up${marker}\ninsert into t values (1);\n${sql};\ninsert into t values (2);\n`,
      );
      await project.migrator().up();
      const changed = (await project.rows(FILES)).filter(([name, file]) => before.get(name ?? "") !== file);
      expect(changed.map(([name]) => name)).toEqual(rebuilt);
      expect(await project.rows("select id from %s.t order by id")).toEqual([["1"], ["2"]]);
    }
  });

  it.each(["reindex table t", "cluster t using t_pkey", "vacuum full t"])(
    "give up their place in the queue for a lock, and try again: %s",
    async (sql) => {
      const project = bench.project({ "0001_tables.sql": `-- migrate:up\n${PARTITIONED}` });
      await project.migrator().up();
      project.write("0002_rebuild.sql", `-- migrate:up\n${sql};\n`);
      const other = await connect(bench.target);
      await other.script(`begin; insert into ${project.schemaName}.t values (1)`);
      await expect(project.migrator({ lockTimeoutMs: 50, lockAttempts: 2 }).up()).rejects.toMatchObject({
        code: "MIGRATION_FAILED",
        sqlstate: "55P03",
      });
      expect(project.progress.map(({ kind }) => kind)).toContain("retrying");
      expect(project.progress.map(({ kind }) => kind)).not.toContain("blocked");
      await other.script("rollback");
      await other.close();
      expect((await project.migrator().up()).ran).toHaveLength(1);
    },
  );

  it("show in a dry run that they stand outside, without a longer wait", async () => {
    const project = bench.project({ "0001_t.sql": "-- migrate:up\nreindex table t;\n" });
    const { sql = "" } = await project.migrator().up({ dryRun: true });
    expect(sql).toContain("-- outside a transaction; run again when it was interrupted\n");
    expect(sql.match(/set lock_timeout/g)).toHaveLength(1);
  });
});
