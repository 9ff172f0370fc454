import { describe, expect, it } from "vitest";
import { checkLockfile, completeLockfile, LOCKFILES, type LockFile } from "../../scripts/lockfile.ts";
import { read } from "./tree.ts";

const ADDRESS = "https://registry.example.test/tool/-/tool-1.0.0.tgz";

/** What `npm install` leaves behind on a machine whose registry knows Linux only. */
const dropped: LockFile = {
  packages: {
    "": { license: "MIT" },
    "node_modules/tool": {
      version: "1.0.0",
      resolved: ADDRESS,
      dev: true,
      license: "ISC",
      optionalDependencies: { "@tool/darwin-arm64": "1.0.0", "tool-linux-x64-musl": "1.0.0" },
    },
    "node_modules/@tool/darwin-arm64": { version: "1.0.0" },
  },
};

describe.each(LOCKFILES)("%s", (path) => {
  it("names every platform's optional package and no registry", () => {
    expect(checkLockfile(JSON.parse(read(path)))).toEqual([]);
  });

  it("is as `npm run lockfile` writes it", () => {
    const text = read(path);
    expect(`${JSON.stringify(completeLockfile(JSON.parse(text)), null, 2)}\n`).toBe(text);
  });
});

describe("checkLockfile", () => {
  it("finds an address and a dropped platform", () => {
    expect(checkLockfile(dropped)).toEqual([
      "node_modules/tool has the address of a registry",
      "tool-linux-x64-musl@1.0.0 is optional and has no entry",
    ]);
  });
});

describe("completeLockfile", () => {
  it("adds the dropped platform as npm writes it and removes the address", () => {
    const mended = completeLockfile(dropped);
    expect(checkLockfile(mended)).toEqual([]);
    expect(JSON.stringify(mended)).not.toContain("registry.example.test");
    expect(mended.packages["node_modules/tool-linux-x64-musl"]).toEqual({
      version: "1.0.0",
      cpu: ["x64"],
      dev: true,
      libc: ["musl"],
      license: "ISC",
      optional: true,
      os: ["linux"],
    });
  });

  it("refuses to invent a package that is not for one platform", () => {
    const lock = { packages: { "node_modules/a": { optionalDependencies: { "pg-native": "^3.0.0" } } } };
    expect(() => completeLockfile(lock)).toThrow(
      "pg-native@^3.0.0 is optional, absent and not for one platform",
    );
  });
});
