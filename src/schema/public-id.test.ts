import { describe, expect, it } from "vitest";
import { createPublicIdGenerator } from "./index.ts";

describe("createPublicIdGenerator", () => {
  it("draws from its alphabet only, every character of it", () => {
    const draw = createPublicIdGenerator(1_000, "abc");
    expect(new Set(draw())).toEqual(new Set(["a", "b", "c"]));
    expect(createPublicIdGenerator(10)()).toMatch(/^[0-9A-Za-z]{10}$/);
  });

  it("repeats nothing in 100,000 draws of ten characters", () => {
    const draw = createPublicIdGenerator(10);
    expect(new Set(Array.from({ length: 100_000 }, draw)).size).toBe(100_000);
  });

  it.each([
    [0, "ab"],
    [1.5, "ab"],
    [10, "a"],
    [10, "aa"],
    [10, "aab"],
    [10, "äb"],
    [10, ""],
  ])("refuses a length of %s with the alphabet %j", (length, alphabet) => {
    expect(() => createPublicIdGenerator(length, alphabet)).toThrow(
      expect.objectContaining({ code: "SCHEMA_INVALID" }),
    );
  });
});
