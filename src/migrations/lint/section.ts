import type { MigrationFile, Section } from "../migration-file.ts";
import { type ParsedStatement, type ParseProblem, parseSql } from "../parse-sql.ts";
import { snippetAt } from "../snippet.ts";
import { type Allowance, allowancesAbove, allowancesIn } from "./allowances.ts";

/** One direction of a file, taken apart. */
export interface LintSection {
  readonly direction: "up" | "down";
  readonly section: Section;
  readonly fileName: string;
  readonly statements: readonly PlacedStatement[];
  readonly problem: PlacedProblem | undefined;
  /** Allowances that stand above no statement. */
  readonly stray: readonly Allowance[];
}

export interface PlacedStatement extends ParsedStatement {
  /** In the file, from 1. */
  readonly line: number;
  /** In the section, from 0. */
  readonly index: number;
  readonly allowances: readonly Allowance[];
}

export interface PlacedProblem extends ParseProblem {
  readonly line: number;
}

/** Takes a section apart. What cannot be parsed has no statements, and a problem. */
export async function readSection(
  file: MigrationFile,
  section: Section,
  direction: "up" | "down",
): Promise<LintSection> {
  const { statements, problem } = await parseSql(section.text);
  const fileName = section.fileName ?? file.fileName;
  const placed = place(section, statements);
  const used = new Set(placed.flatMap(({ allowances }) => allowances.map(({ line }) => line)));
  const stray = allowancesIn(section.text, section.firstLine).filter(
    ({ line }) => !used.has(line) && !isInside(placed, line),
  );
  return {
    direction,
    section,
    fileName,
    statements: placed,
    problem:
      problem === undefined ? undefined : { ...problem, line: snippetAt(section, problem.offset).line },
    stray,
  };
}

function place(section: Section, statements: readonly ParsedStatement[]): readonly PlacedStatement[] {
  const placed: PlacedStatement[] = [];
  let line = section.firstLine;
  let at = 0;
  let previousEnd = 0;
  for (const [index, statement] of statements.entries()) {
    for (let next = section.text.indexOf("\n", at); next >= 0 && next < statement.offset; ) {
      line += 1;
      at = next + 1;
      next = section.text.indexOf("\n", at);
    }
    const gap = section.text.slice(previousEnd, statement.offset);
    placed.push({ ...statement, index, line, allowances: allowancesAbove(gap, line) });
    previousEnd = statement.offset + statement.text.length;
  }
  return placed;
}

/** A line in the middle of a statement: a string that looks like an allowance, say. */
function isInside(placed: readonly PlacedStatement[], line: number): boolean {
  return placed.some((statement) => {
    const last = statement.line + statement.text.split("\n").length - 1;
    return line >= statement.line && line <= last;
  });
}
