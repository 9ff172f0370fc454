import { describe, expect, it } from "vitest";
import { parseSql } from "./parse-sql.ts";

/** Beyond the stack of the parser, which PostgreSQL's own would refuse as well ("stack depth limit exceeded"). */
const TOO_DEEP = [
  ["signs", `select ${"not ".repeat(50_000)}true`],
  ["unions", `${"select 1 union ".repeat(50_000)}select 1`],
  ["parentheses", `select ${"(".repeat(50_000)}1${")".repeat(50_000)}`],
] as const;

describe("parseSql", () => {
  it.each(TOO_DEEP)("refuses %s nested too deep, and reads the next text as ever", async (_what, text) => {
    const before = await parseSql("select 1;\nselect 'two' /* and ; */;");
    const { statements, problem } = await parseSql(text);
    if (problem === undefined) expect(statements.length).toBe(1);
    else expect(problem.why).toMatch(/nested too deep|memory exhausted|stack depth/);
    expect(await parseSql("select 1;\nselect 'two' /* and ; */;")).toEqual(before);
    expect(before.statements.map((statement) => statement.text)).toEqual([
      "select 1",
      "select 'two' /* and ; */",
    ]);
  });
});
