import { describe, expect, it } from "vitest";
import { isProduction } from "./production.ts";

describe("isProduction", () => {
  it.each([
    ["production", "127.0.0.1", true],
    ["production", "db.example.org", true],
    ["development", "db.example.org", false],
    ["test", "db.example.org", false],
    [undefined, "db.example.org", true],
    ["", "10.0.0.7", true],
    ["prod", "db.example.org", true],
    [undefined, "localhost", false],
    [undefined, "127.0.0.1", false],
    [undefined, "127.8.8.8", false],
    [undefined, "::1", false],
    [undefined, "/var/run/postgresql", false],
    [undefined, "localhost.example.org", true],
    [undefined, "127.0.0.1.example.org", true],
  ])("with NODE_ENV %s and host %s is %s", (nodeEnv, host, expected) => {
    expect(isProduction(nodeEnv, host)).toBe(expected);
  });
});
