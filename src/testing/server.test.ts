import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { makeProject } from "../embedded/project.fixture.ts";
import { testDatabase, testServer } from "./index.ts";
import * as schema from "./shop.fixture.ts";

beforeEach(() => {
  vi.stubEnv("PLINTH_TEST_URL", undefined);
  vi.stubEnv("DATABASE_URL", undefined);
  return () => vi.unstubAllEnvs();
});

describe("testServer", () => {
  it("takes the URL it is given, then PLINTH_TEST_URL, then DATABASE_URL, then .env", async () => {
    const directory = mkdtempSync(join(tmpdir(), "plinth-testing-"));
    onTestFinished(() => rmSync(directory, { recursive: true }));
    const found = async (url?: string): Promise<string> => (await testServer({ directory, url })).url;
    writeFileSync(join(directory, ".env"), "DATABASE_URL=postgres://file/db\n");
    expect(await found()).toBe("postgres://file/db");
    vi.stubEnv("DATABASE_URL", "postgres://variable/db");
    expect(await found()).toBe("postgres://variable/db");
    vi.stubEnv("PLINTH_TEST_URL", "postgres://tests/db");
    expect(await found()).toBe("postgres://tests/db");
    expect(await found("postgres://given/db")).toBe("postgres://given/db");
  });

  it("takes the pooler in front of PLINTH_TEST_URL, and of no other server", async () => {
    const found = async (url?: string) => (await testServer({ url })).poolerUrl;
    vi.stubEnv("PLINTH_TEST_POOLER_URL", "postgres://pooler/db");
    vi.stubEnv("DATABASE_URL", "postgres://variable/db");
    expect(await found()).toBeUndefined();
    vi.stubEnv("PLINTH_TEST_URL", "postgres://tests/db");
    expect(await found()).toBe("postgres://pooler/db");
    expect(await found("postgres://given/db")).toBeUndefined();
    vi.stubEnv("PLINTH_TEST_POOLER_URL", "");
    expect(await found()).toBeUndefined();
  });

  it("brings a server of its own when there is no URL, shared by all databases of the project", async () => {
    const project = await makeProject();
    const server = await testServer({ directory: project.directory });
    onTestFinished(async () => {
      await server.release();
      await project.remove();
    });
    const database = await testDatabase({ schema, directory: project.directory });
    expect(new URL(database.url).port).toBe(new URL(server.url).port);
    expect(await database.db.repository(schema.users).count()).toBe(0);
    await database.close();
  });
});
