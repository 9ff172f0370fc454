import { cp, mkdir, mkdtemp, readdir, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { claimStorage, readStorage } from "./storage.ts";

let root: string;
let home: string;

beforeEach(async () => {
  const folder = await mkdtemp(join(tmpdir(), "plinth-storage-"));
  root = join(folder, "var");
  home = join(folder, "My App", ".plinth");
  await mkdir(home, { recursive: true });
});

afterEach(async () => {
  await rm(dirname(root), { recursive: true, force: true });
});

describe("claimStorage", () => {
  it("gives a home one folder for good, named after the project, whoever asks at once", async () => {
    const claimed = await Promise.all([1, 2, 3, 4].map(() => claimStorage(home, root)));
    expect(new Set(claimed).size).toBe(1);
    expect(await readdir(root)).toEqual([expect.stringMatching(/^my-app-[0-9a-f]{12}-[0-9a-f]{8}$/)]);
    expect(await claimStorage(home, root)).toBe(claimed[0]);
    expect(await readStorage(home, root)).toBe(claimed[0]);
  });

  it("begins anew, and removes the old folder, when the home was deleted", async () => {
    const old = await claimStorage(home, root);
    await rm(home, { recursive: true });
    await mkdir(home);
    const fresh = await claimStorage(home, root);
    expect(fresh).not.toBe(old);
    expect(await readdir(root)).toHaveLength(1);
  });

  it("takes the data along when the project was moved", async () => {
    await writeFile(join(await claimStorage(home, root), "mark"), "");
    const moved = join(dirname(root), "moved", ".plinth");
    await mkdir(dirname(moved));
    await rename(home, moved);
    expect(await readStorage(moved, root)).toBeUndefined();
    expect(await readdir(await claimStorage(moved, root))).toEqual(["mark"]);
    expect(await readdir(root)).toHaveLength(1);
  });

  it("gives a copy of the project a folder of its own", async () => {
    const original = await claimStorage(home, root);
    const copy = join(dirname(root), "copy", ".plinth");
    await cp(home, copy, { recursive: true });
    expect(await claimStorage(copy, root)).not.toBe(original);
    expect(await readStorage(home, root)).toBe(original);
  });

  it("does not follow a forged location out of its root", async () => {
    await writeFile(join(home, "location"), `data: ${dirname(home)}\nfor: ${home}\n`);
    expect(await readStorage(home, root)).toBeUndefined();
    expect(dirname(await claimStorage(home, root))).toBe(root);
  });
});
