import { describe, expect, it } from "vitest";
import { StatementError } from "./classes.ts";
import { errorFromServer } from "./sqlstate.ts";

function placeOf(where: string) {
  const error = errorFromServer({ code: "22P02", where });
  return error instanceof StatementError ? { line: error.line, columns: error.columns } : error;
}

describe("the place in a copy that an error is about", () => {
  it.each([
    ['COPY tasks, line 3, column priority: "x"', 3, ["priority"]],
    ["COPY tasks, line 3, column priority: null input", 3, ["priority"]],
    ['COPY tasks, line 12: "a, column b: c"', 12, []],
    ["COPY tasks, line 4294967296", 4_294_967_296, []],
    ['COPY odd, name, line 7, column odd name: "y"', 7, ["odd name"]],
    ["COPY tasks, Zeile 3, Spalte priority: »x«", 3, ["priority"]],
    ['PL/pgSQL function f() line 9 at RAISE\nCOPY tasks, line 3, column a: "x\ny"', 3, ["a"]],
    ["PL/pgSQL function f() line 9 at RAISE", undefined, []],
    ["", undefined, []],
  ])("is read from %j", (where, line, columns) => {
    expect(placeOf(where)).toEqual({ line, columns });
  });

  it("takes nothing of a value", () => {
    const error = errorFromServer({
      code: "22P02",
      where: 'COPY t, line 1, column a: "geheim, column b: 7"',
    });
    expect(error.message).toBe(
      "a value cannot be stored in, or read as, the column's type (line 1, column a) [22P02]",
    );
  });
});
