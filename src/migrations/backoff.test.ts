import { describe, expect, it } from "vitest";
import { backoffMs } from "./backoff.ts";

describe("backoffMs", () => {
  it("doubles up to ten seconds, and draws the second half", () => {
    expect([1, 2, 3, 7, 8, 20, 1_000].map((attempt) => backoffMs(attempt, 0))).toEqual([
      50, 100, 200, 3_200, 5_000, 5_000, 5_000,
    ]);
    expect([1, 20].map((attempt) => backoffMs(attempt, 0.999_999))).toEqual([100, 10_000]);
  });
});
