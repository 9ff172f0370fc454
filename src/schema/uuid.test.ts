import { describe, expect, it } from "vitest";
import { idsOfProcesses } from "./ids.fixture.ts";
import { createUuidGenerator } from "./uuid.ts";

const VERSION_7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

function expectAscending(ids: readonly string[]): void {
  expect(ids.findIndex((id, i) => i > 0 && id <= (ids[i - 1] ?? ""))).toBe(-1);
}

describe("uuidv7", () => {
  it("has the time, the version and the variant where RFC 9562 puts them", () => {
    const make = createUuidGenerator(() => 0x017f22e279b0);
    for (let i = 0; i < 10_000; i++) {
      const id = make();
      if (!VERSION_7.test(id)) expect(id).toMatch(VERSION_7);
    }
    expect(createUuidGenerator(() => 0x017f22e279b0)().slice(0, 13)).toBe("017f22e2-79b0");
  });

  it("ascends through 100,000 ids of one millisecond, past the end of its counter", () => {
    const make = createUuidGenerator(() => 1_700_000_000_000);
    const ids = Array.from({ length: 100_000 }, make);
    expectAscending(ids);
    expect(new Set(ids.map((id) => id.slice(0, 13))).size).toBeGreaterThan(1);
  });

  it("moves the time one step when the counter runs over", () => {
    const make = createUuidGenerator(
      () => 1_000,
      (bytes) => bytes.fill(0xff),
    );
    const ids = Array.from({ length: 0xfff - 0x7ff + 2 }, make);
    expect(ids[0]?.slice(0, 18)).toBe("00000000-03e8-77ff");
    expect(ids.at(-2)?.slice(0, 18)).toBe("00000000-03e8-7fff");
    expect(ids.at(-1)?.slice(0, 18)).toBe("00000000-03e9-77ff");
  });

  it("ascends while the clock jumps back an hour", () => {
    let now = 1_700_000_000_000;
    const make = createUuidGenerator(() => now);
    const before = Array.from({ length: 1_000 }, make);
    now -= 3_600_000;
    expectAscending([...before, ...Array.from({ length: 10_000 }, make)]);
  });

  it("makes no id twice in four processes at once", async () => {
    const lists = await idsOfProcesses("uuidv7", 4, 20_000);
    for (const ids of lists) expectAscending(ids);
    expect(new Set(lists.flat()).size).toBe(80_000);
  });
});
