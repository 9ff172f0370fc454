import { describe, expect, it } from "vitest";
import { nearestName, unknownName } from "./index.ts";

describe("nearestName", () => {
  it.each([
    ["titel", "title"],
    ["Title", "title"],
    ["creatdAt", "createdAt"],
    ["statuss", "status"],
    ["it", "id"],
  ])("finds for %s the name %s", (typed, name) => {
    expect(nearestName(typed, ["id", "title", "createdAt", "status"])).toBe(name);
  });

  it.each(["x", "qqq", "zebra", "", "t".repeat(10_000)])("finds nothing near %.10s", (typed) => {
    expect(nearestName(typed, ["id", "title", "createdAt"])).toBeUndefined();
  });
});

describe("unknownName", () => {
  it("suggests the nearest name, or lists what is allowed", () => {
    expect(unknownName("column", "titel", ["id", "title"])).toBe(
      'unknown column "titel"; did you mean "title"?',
    );
    expect(unknownName("column", "zebra", ["id", "title"])).toBe(
      'unknown column "zebra"; allowed: id, title',
    );
    expect(unknownName("relation", "books", [])).toBe('unknown relation "books"; there are none');
  });

  it("cuts a long name and escapes what does not print", () => {
    expect(unknownName("column", `\n${"x".repeat(500)}`, ["id"])).toBe(
      `unknown column "\\n${"x".repeat(63)}…"; allowed: id`,
    );
  });

  it("never converts what is no string", () => {
    const hostile = { toString: () => expect.unreachable("toString was called") };
    expect(unknownName("sort", hostile, ["id"])).toBe("sort must be a string, not object");
    expect(unknownName("sort", null, ["id"])).toBe("sort must be a string, not null");
    expect(unknownName("sort", Object.create(null), ["id"])).toBe("sort must be a string, not object");
  });
});
