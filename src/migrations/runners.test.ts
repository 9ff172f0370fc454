import { createConnection, createServer } from "node:net";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { connect, retarget } from "../driver/index.ts";
import { DATA_IMPORTS, openWorkbench, type Workbench } from "./workbench.fixture.ts";

let bench: Workbench;
beforeAll(async () => {
  bench = await openWorkbench();
});
afterAll(() => bench.close());

const FILES = {
  "0001_users.sql": "-- migrate:up\ncreate table users (id bigint primary key, email text, seen int);\n",
  "0002_index.sql": "-- migrate:up\ncreate index concurrently users_email on users (email);\n",
  "0003_rows.sql":
    "-- migrate:up\ninsert into users select n, n || '@example.org', 0 from generate_series(1, 50) as n;\n",
  "0004_again.sql":
    "-- migrate:up\nreindex table concurrently users;\ndrop index concurrently users_email;\nvacuum users;\n",
  "0005_blocks.sql":
    "-- migrate:up\ndo $$ begin update users set seen = seen + 1; commit; end $$;\nalter table users add constraint seen_once check (seen = 1) not valid;\nalter table users validate constraint seen_once;\n",
  "0006_count.ts": `${DATA_IMPORTS}export default dataMigration({ batchSize: 20, up: updateBatches({ table: "users", key: "id", set: "email = email || '.'" }) });
`,
  "0007_index.sql": "-- migrate:up\ncreate unique index concurrently users_email on users (email);\n",
};

describe("runners that start together", () => {
  it("all succeed as eight processes, and each migration runs once", async () => {
    const project = bench.project(FILES);
    const runners = Array.from({ length: 8 }, () => project.spawnRunner());
    const ends = await Promise.all(runners.map(({ ended }) => ended));
    expect(ends.map(({ code }) => code)).toEqual(Array(8).fill(0));
    const outputs = ends.map(({ output }) => output.trim()).sort();
    expect(outputs).toEqual([...Array(7).fill("[]"), JSON.stringify(Object.keys(FILES))].sort());
    expect(
      await project.rows("select count(*), min(seen), max(seen), bool_and(email ~ 'org[.]$') from %s.users"),
    ).toEqual([["50", "1", "1", "t"]]);
    expect(await project.migrator().status()).toMatchObject({ pending: 0, findings: [] });
  }, 120_000);

  it("all succeed when they share a process", async () => {
    const project = bench.project(FILES);
    const runs = await Promise.all(Array.from({ length: 8 }, () => project.migrator().up()));
    expect(runs.filter(({ ran }) => ran.length > 0)).toHaveLength(1);
  });

  it("work on two schemas of one database without waiting for each other", async () => {
    const first = bench.project({ "0001_slow.sql": "-- migrate:up\nselect pg_advisory_xact_lock(4711);\n" });
    const second = bench.project({ "0001_users.sql": FILES["0001_users.sql"] });
    await bench.connection.script("select pg_advisory_lock(4711)");
    const blocked = first.migrator().up();
    expect((await second.migrator({ runnerWaitMs: 0 }).up()).ran).toHaveLength(1);
    await bench.connection.script("select pg_advisory_unlock(4711)");
    expect((await blocked).ran).toHaveLength(1);
  });

  it("wait for a bounded time, say for whom, and give up with the holder's name", async () => {
    const project = bench.project({
      "0001_slow.sql": "-- migrate:up\nselect pg_advisory_xact_lock(4712);\n",
    });
    await bench.connection.script("select pg_advisory_lock(4712)");
    const holder = project.migrator().up();
    await vi.waitFor(async () => {
      expect(
        await project.rows(
          "select 1 from pg_locks where locktype = 'advisory' and not granted and database = (select oid from pg_database where datname = current_database())",
        ),
      ).toHaveLength(1);
    });
    const [waiting = []] = await project.rows(
      "select pid from pg_locks where locktype = 'advisory' and not granted and database = (select oid from pg_database where datname = current_database())",
    );
    const pid = waiting[0];
    const onProgress = vi.fn();
    const error: unknown = await project
      .migrator({ runnerWaitMs: 300, onProgress })
      .up()
      .catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      code: "MIGRATION_LOCKED",
      message: `another runner works on schema ${project.schemaName}: postgres (plinth migrate) on 127.0.0.1, server process ${pid}; gave up after 0 s
  Wait for it and run the command again. If its client is gone, end the session with select pg_terminate_backend(${pid}); what it had begun is resumed by the next run.`,
    });
    expect(onProgress).toHaveBeenCalledWith({
      kind: "waiting",
      waitedMs: expect.any(Number),
      holder: expect.objectContaining({
        processId: Number(pid),
        user: "postgres",
        applicationName: "plinth migrate",
      }),
    });
    await bench.connection.script("select pg_advisory_unlock(4712)");
    await holder;
  });

  it("leave no lock and no session behind", async () => {
    const project = bench.project({ "0001_bad.sql": "-- migrate:up\nselect 1/0;\n" });
    await project
      .migrator()
      .up()
      .catch(() => undefined);
    await vi.waitFor(async () => {
      const left = await project.rows(
        "select 1 from pg_stat_activity where application_name = 'plinth migrate' and datname = current_database()",
      );
      expect(left).toEqual([]);
    });
  });

  it("stop when a migration gives the lock away", async () => {
    const project = bench.project({
      "0001_unlock.sql": "-- migrate:up\nselect pg_advisory_unlock_all();\n",
      "0002_more.sql": "-- migrate:up\ncreate table t ();\n",
    });
    await expect(project.migrator().up()).rejects.toMatchObject({
      code: "MIGRATION_LOCKED",
      message:
        "the lock that keeps other runners out is gone\n  A migration called pg_advisory_unlock_all() or a pooler changed the session. Remove the call and run again.",
    });
  });

  it("refuse to work through a pooler, which cannot hold their lock", async () => {
    const project = bench.project(FILES);
    const pooler = createServer((client) => {
      const upstream = createConnection({ host: bench.target.host, port: bench.target.port });
      client.pipe(upstream);
      // A pooler gives out process ids of its own: BackendKeyData is K, a length of 12, the id and a secret.
      upstream.on("data", (chunk: Buffer) => {
        const at = chunk.indexOf(Buffer.from([0x4b, 0, 0, 0, 12]));
        if (at >= 0) chunk.writeUInt32BE(1, at + 5);
        client.write(chunk);
      });
      upstream.on("close", () => client.destroy());
      client.on("close", () => upstream.destroy());
      for (const socket of [client, upstream]) socket.on("error", () => undefined);
    });
    await new Promise<void>((resolve) => pooler.listen(0, "127.0.0.1", resolve));
    const address = pooler.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const target = retarget(bench.target, { host: "127.0.0.1", port });
    await expect(project.migrator({ target }).up()).rejects.toMatchObject({
      code: "POOLER_ERROR",
      message:
        "this connection goes through a pooler, and migrations need the server itself\n  Name the server's own host and port in DATABASE_DIRECT_URL.",
    });
    pooler.close();
  });

  it("work when the waiting one is a plain session in an open transaction", async () => {
    const project = bench.project({ "0001_users.sql": FILES["0001_users.sql"] });
    await project.migrator().up();
    project.write("0002_index.sql", FILES["0002_index.sql"]);
    const other = await connect(bench.target);
    await other.script(`begin; insert into ${project.schemaName}.users values (9, null, 0)`);
    const runs = [project.migrator().up(), project.migrator().up()];
    await vi.waitFor(async () => {
      expect(await project.rows("select 1 from pg_stat_progress_create_index")).toHaveLength(1);
    });
    await other.script("commit");
    await other.close();
    expect((await Promise.all(runs)).map(({ ran }) => ran.length).sort()).toEqual([0, 1]);
  });
});
