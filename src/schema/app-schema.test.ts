import { afterEach, describe, expect, it, vi } from "vitest";
import { appSchema } from "./index.ts";

describe("appSchema", () => {
  afterEach(() => vi.unstubAllEnvs());

  it("takes its name from DATABASE_SCHEMA where that is set", () => {
    expect(appSchema("library").schemaName).toBe("library");
    vi.stubEnv("DATABASE_SCHEMA", "library_preview_7");
    expect(appSchema("library").schemaName).toBe("library_preview_7");
    vi.stubEnv("DATABASE_SCHEMA", "");
    expect(appSchema("library").schemaName).toBe("library");
  });

  it.each([
    "public",
    "information_schema",
    "pg_catalog",
    "pg_mine",
    "plinth",
    "",
    "Library",
    "1st",
    "my-app",
    'x"y',
    "x".repeat(64),
    "ü",
  ])("refuses %j", (name) => {
    expect(() => appSchema(name)).toThrow(expect.objectContaining({ code: "SCHEMA_INVALID" }));
  });

  it("takes public for an application that was there before Plinth, by name and by DATABASE_SCHEMA", () => {
    expect(appSchema("public", { adopted: true }).schemaName).toBe("public");
    expect(() => appSchema("pg_mine", { adopted: true })).toThrow(/cannot be an application's schema/);
    vi.stubEnv("DATABASE_SCHEMA", "public");
    expect(appSchema("library", { adopted: true }).schemaName).toBe("public");
  });

  it("refuses a bad override as it refuses a bad name", () => {
    vi.stubEnv("DATABASE_SCHEMA", "public");
    expect(() => appSchema("library")).toThrow('"public" cannot be an application\'s schema');
  });
});
