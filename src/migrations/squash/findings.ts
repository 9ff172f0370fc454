import type { CatalogDifference } from "../../catalog/index.ts";
import type { MigrationError } from "../../errors/index.ts";
import { sides } from "../prove/findings.ts";
import type { NotCarried } from "./not-carried.ts";
import type { Carried } from "./reference-rows.ts";

/** What stands in the way of a squash, or has to be known about it. Nothing is written while one is an error. */
export interface SquashFinding {
  readonly rule:
    | "squash-differs"
    | "squash-fails"
    | "squash-down-differs"
    | "rows-carried"
    | "rows-not-carried"
    | "statement-not-carried";
  readonly level: "error" | "warning";
  /** The object, table or `file:line`. */
  readonly object: string;
  readonly why: string;
  readonly fix: string;
}

const REPORT = "Nothing was written. Squash up to an earlier version, and report the object that led here.";

export function squashDiffers(when: string, { kind, name, left, right }: CatalogDifference): SquashFinding {
  return {
    rule: "squash-differs",
    level: "error",
    object: `${kind} ${name}`,
    why: `${when}, it is not the same\n${sides("the migrations", left, "the squash", right)}`,
    fix: REPORT,
  };
}

export function squashFails(fileName: string, what: string, error: MigrationError): SquashFinding {
  const said = error.summary.replaceAll("\n", "\n  ");
  return { rule: "squash-fails", level: "error", object: fileName, why: `${what}\n  ${said}`, fix: REPORT };
}

export function downDiffers(why: string, fileName: string): SquashFinding {
  return {
    rule: "squash-down-differs",
    level: "warning",
    object: fileName,
    why: `its way back does not lead to an empty schema, and was left out: ${why}`,
    fix: "Write -- migrate:down by hand if you need one; databases that have the old migrations never run it.",
  };
}

export function statementNotCarried({ file, line, what }: NotCarried): SquashFinding {
  return {
    rule: "statement-not-carried",
    level: "error",
    object: `${file}:${line}`,
    why: `it changes ${what}, which is in no catalog, so a squash would lose it`,
    fix: "Nothing was written. Squash up to the migration before it, or set it up outside the migrations.",
  };
}

export function rowsFinding({ content, why }: Carried): SquashFinding {
  const { label, rows } = content;
  const count = `${rows.length} ${rows.length === 1 ? "row" : "rows"}`;
  return why === undefined
    ? {
        rule: "rows-carried",
        level: "warning",
        object: label,
        why: `the migrations make ${count} in it, which the squash inserts as they are`,
        fix: "Read the inserts. Reference data has a better place in seeds/reference.",
      }
    : {
        rule: "rows-not-carried",
        level: "error",
        object: label,
        why: `the migrations make ${count} in it, which cannot be written down: ${why}`,
        fix: "Nothing was written. Squash up to the migration before they are made, or make them in a seed.",
      };
}

export function contentsDiffer(label: string): SquashFinding {
  return {
    rule: "rows-not-carried",
    level: "error",
    object: label,
    why: "after the squash its rows are not those the migrations make: a trigger changes them, or they need others first",
    fix: "Nothing was written. Squash up to the migration before they are made, or make them in a seed.",
  };
}

export function positionDiffers(sequence: string): SquashFinding {
  return {
    rule: "squash-differs",
    level: "error",
    object: sequence,
    why: "after the squash the sequence does not stand where the migrations leave it",
    fix: REPORT,
  };
}
