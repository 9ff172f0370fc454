import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { loadEnvironment } from "./index.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "plinth-env-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

describe("loadEnvironment", () => {
  it("adds the variables of .env and never replaces one that is set", () => {
    writeFileSync(join(directory, ".env"), '\uFEFF# local\nA=file\nB="two words"\nNODE_ENV=production\n');
    const { environment, added } = loadEnvironment({ directories: [directory], environment: { A: "real" } });
    expect(environment).toEqual({ A: "real", B: "two words" });
    expect(added).toEqual(["B"]);
  });

  it("leaves out a file's DATABASE_DIRECT_URL beside a DATABASE_URL that is set: it is another server's", () => {
    writeFileSync(join(directory, ".env"), "DATABASE_URL=pooler\nDATABASE_DIRECT_URL=server\n");
    const load = (environment: Record<string, string>) =>
      loadEnvironment({ directories: [directory], environment }).environment;
    expect(load({})).toEqual({ DATABASE_URL: "pooler", DATABASE_DIRECT_URL: "server" });
    expect(load({ DATABASE_URL: "other" })).toEqual({ DATABASE_URL: "other" });
  });

  it("reads no file in production", () => {
    writeFileSync(join(directory, ".env"), "A=file");
    const { environment, files } = loadEnvironment({
      directories: [directory],
      environment: { NODE_ENV: "production" },
    });
    expect(environment).toEqual({ NODE_ENV: "production" });
    expect(files).toEqual([]);
  });

  it("lets the first directory win and takes an absent file or a folder of that name for none", () => {
    const inner = join(directory, "inner");
    mkdirSync(join(directory, "folder", ".env"), { recursive: true });
    mkdirSync(inner);
    writeFileSync(join(inner, ".env"), "A=inner");
    writeFileSync(join(directory, ".env"), "A=outer\nB=outer");
    const { environment } = loadEnvironment({
      directories: [join(directory, "absent"), join(directory, "folder"), inner, directory],
      environment: {},
    });
    expect(environment).toEqual({ A: "inner", B: "outer" });
  });
});
