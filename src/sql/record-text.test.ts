import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeRecord, encodeRecord } from "./record-text.ts";

describe("composite values as text", () => {
  it("come back as they went", () => {
    const fields = fc.array(fc.option(fc.string({ unit: "grapheme" })), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(fields, (given) => {
        expect(decodeRecord(encodeRecord(given))).toEqual(given);
      }),
      { seed: 20261121, numRuns: 300 },
    );
  });

  it.each([
    ["(,)", [null, null]],
    ['("",)', ["", null]],
    ['(a b,"c ""d"" \\\\ e")', ["a b", 'c "d" \\ e']],
    ['("(1,""x y"")",{})', ['(1,"x y")', "{}"]],
    ["()", [null]],
    ['(1,"2026-01-01 00:00:00+00",t)', ["1", "2026-01-01 00:00:00+00", "t"]],
  ])("reads %s", (text, fields) => {
    expect(decodeRecord(text)).toEqual(fields);
  });
});
