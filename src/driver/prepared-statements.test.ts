import { describe, expect, it } from "vitest";
import { PreparedStatements } from "./prepared-statements.ts";

describe("PreparedStatements", () => {
  it("closes the least recently used name beyond its limit", () => {
    const statements = new PreparedStatements(2);
    statements.add("a", "select 1");
    statements.add("b", "select 2");
    expect(statements.find("a", "select 1")).toBeDefined();
    expect(statements.add("c", "select 3").evicted).toEqual(["b"]);
    expect(statements.size).toBe(2);
    expect(statements.find("b", "select 2")).toBeUndefined();
  });

  it("does not mistake another text of the same name for the prepared one", () => {
    const statements = new PreparedStatements();
    statements.add("a", "select 1");
    expect(statements.find("a", "select 2")).toBeUndefined();
  });
});
