import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { buildAside } from "./staging.ts";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "plinth-staging-"));
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

describe("buildAside", () => {
  it("builds once when several ask at the same time, and leaves only the result", async () => {
    let builds = 0;
    const build = async (draft: string): Promise<void> => {
      builds += 1;
      await writeFile(join(draft, "content"), "whole");
    };
    await Promise.all(Array.from({ length: 8 }, () => buildAside(join(folder, "data"), build)));
    expect(builds).toBe(1);
    expect(await readdir(folder)).toEqual(["data"]);
    expect(await readFile(join(folder, "data", "content"), "utf8")).toBe("whole");
  });

  it("leaves nothing behind when building fails, so the next one can", async () => {
    const target = join(folder, "data");
    await expect(buildAside(target, () => Promise.reject(new Error("no space")))).rejects.toThrow("no space");
    expect(await readdir(folder)).toEqual([]);
    await buildAside(target, (draft) => writeFile(join(draft, "content"), ""));
    expect(await readdir(target)).toEqual(["content"]);
  });

  it("removes what dead processes left, also one that had our own pid, and other files never", async () => {
    for (const name of ["data.tmp-99999999-00000000", `data.tmp-${process.pid}-00000000`, "data.tmp-notes"]) {
      await writeFile(join(folder, name), "");
    }
    await buildAside(join(folder, "data"), (draft) => writeFile(join(draft, "content"), ""));
    expect((await readdir(folder)).sort()).toEqual(["data", "data.tmp-notes"]);
  });

  it("gives up waiting for a living process that never finishes", async () => {
    await writeFile(join(folder, "data.tmp-1-00000000"), "");
    await buildAside(join(folder, "data"), (draft) => writeFile(join(draft, "content"), ""), 100);
    expect((await readdir(folder)).sort()).toEqual(["data", "data.tmp-1-00000000"]);
  });
});
