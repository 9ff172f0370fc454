import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeArray, encodeArray } from "./index.ts";

describe("encodeArray and decodeArray", () => {
  it("write and read PostgreSQL's own form", () => {
    expect(encodeArray(["a", null, 'q"\\', "NULL", ""])).toBe('{"a",NULL,"q\\"\\\\","NULL",""}');
    expect(encodeArray([["1"], ["2"]])).toBe('{{"1"},{"2"}}');
    expect(encodeArray([Buffer.from([1, 255])])).toBe('{"\\\\x01ff"}');
    expect(decodeArray('{a,NULL,"NULL","q\\"\\\\",{b}}')).toEqual(["a", null, "NULL", 'q"\\', ["b"]]);
    expect(decodeArray("[0:1]={1,2}")).toEqual(["1", "2"]);
    expect(decodeArray("{}")).toEqual([]);
  });

  it("give back any items, of any depth", () => {
    const { items } = fc.letrec((tie) => ({
      item: fc.oneof(
        { depthSize: "small" },
        fc.string({ unit: "grapheme" }),
        fc.constantFrom("", "NULL", "{", "}", ",", '"', "\\", " "),
        fc.constant(null),
        tie("items"),
      ),
      items: fc.array(tie("item"), { maxLength: 6 }),
    }));
    fc.assert(
      fc.property(items, (value) => {
        expect(decodeArray(encodeArray(value as never))).toEqual(value);
      }),
      { seed: 20261121, numRuns: 2_000 },
    );
  });

  it("end on a text that is cut off", () => {
    for (const text of ['{"a', "{a,{b", "{", ""]) expect(Array.isArray(decodeArray(text))).toBe(true);
  });
});
