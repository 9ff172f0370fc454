import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { faces, namesOfFace, PUBLIC_NAMES_FILE, publicNames } from "../../scripts/public-names.ts";
import { ROOT, read } from "./tree.ts";

describe("the public names", () => {
  it("are those of the checked-in list, which `npm run names` writes", () => {
    expect(publicNames(ROOT)).toEqual(JSON.parse(read(PUBLIC_NAMES_FILE)));
  });

  it("come from the face of the folder the subpath names", () => {
    for (const [subpath, face] of Object.entries(faces(ROOT))) {
      expect(face).toBe(
        subpath === "plinth" ? "src/index.ts" : `src/${subpath.slice("plinth/".length)}/index.ts`,
      );
      expect(existsSync(join(ROOT, face)), face).toBe(true);
    }
  });
});

describe("namesOfFace", () => {
  it("reads values, types and renamed exports", () => {
    const face = `
      // Lending, export { commented } from "x"
      export { type Pool, createPool, inner as outer } from "./pool.ts";
      export type { Lease, Internal as PoolStats } from "./lease.ts";`;
    expect(namesOfFace(face)).toEqual(["createPool", "outer", "type Lease", "type Pool", "type PoolStats"]);
  });
});
