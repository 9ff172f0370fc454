import { describe, expect, it } from "vitest";
import { idsOfProcesses } from "./ids.fixture.ts";
import { createUlidGenerator } from "./ulid.ts";

const HOUR_MS = 3_600_000;

/** Every id greater than the one before: what "ascending" means for a key. */
function expectAscending(ids: readonly string[]): void {
  expect(ids.findIndex((id, i) => i > 0 && id <= (ids[i - 1] ?? ""))).toBe(-1);
}

describe("ulid", () => {
  it("is 26 characters of Crockford's base 32, the time first", () => {
    const make = createUlidGenerator(() => 1_469_918_176_385);
    expect(make()).toMatch(/^01ARYZ6S41[0-9A-HJKMNP-TV-Z]{16}$/);
    expect(createUlidGenerator(() => 0)().slice(0, 10)).toBe("0000000000");
    expect(createUlidGenerator(() => 2 ** 48 - 1)().slice(0, 10)).toBe("7ZZZZZZZZZ");
  });

  it("ascends through 100,000 ids of one millisecond", () => {
    const make = createUlidGenerator(() => 1_700_000_000_000);
    expectAscending(Array.from({ length: 100_000 }, make));
  });

  it("ascends while the clock jumps back an hour, and takes up the time again once it has passed", () => {
    let now = 1_700_000_000_000;
    const make = createUlidGenerator(() => now);
    const before = Array.from({ length: 1_000 }, make);
    now -= HOUR_MS;
    const during = Array.from({ length: 1_000 }, make);
    now += 2 * HOUR_MS;
    const after = make();
    expectAscending([...before, ...during, after]);
    expect(after.slice(0, 10)).toBe(createUlidGenerator(() => now)().slice(0, 10));
  });

  it("takes one step of time forward when the 80 random bits run over", () => {
    const make = createUlidGenerator(
      () => 1_000,
      (bytes) => bytes.fill(31),
    );
    const [last, first] = [make(), make()];
    expect(last).toBe("00000000Z8ZZZZZZZZZZZZZZZZ");
    expect(first).toBe("00000000Z9ZZZZZZZZZZZZZZZZ");
  });

  it("carries from digit to digit", () => {
    const make = createUlidGenerator(
      () => 0,
      (bytes) => bytes.fill(31, 8),
    );
    expect([make(), make()]).toEqual(["000000000000000000ZZZZZZZZ", "00000000000000000100000000"]);
  });

  it("makes no id twice in four processes at once", async () => {
    const lists = await idsOfProcesses("ulid", 4, 20_000);
    for (const ids of lists) expectAscending(ids);
    expect(new Set(lists.flat()).size).toBe(80_000);
  });
});
