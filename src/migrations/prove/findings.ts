import type { CatalogDifference } from "../../catalog/index.ts";
import type { MigrationError } from "../../errors/index.ts";
import { directivesOf } from "../directives.ts";
import type { MigrationFile } from "../migration-file.ts";
import type { WayBack } from "./attempt.ts";
import { openChangesOf } from "./open-changes.ts";
import type { ProofFinding, ProofRule } from "./report.ts";
import { findLostRows, type LostRows } from "./rows-lost.ts";

type Level = ProofFinding["level"];

/** Of a statement the server refused: its own words hold file, line and caret. */
export function failed(
  rule: ProofRule,
  level: Level,
  file: MigrationFile,
  error: MigrationError,
  what: string,
): ProofFinding {
  return {
    ...about(file),
    rule,
    level,
    why: `${what}\n  ${error.summary.replaceAll("\n", "\n  ")}`,
    fix: FAILURE_FIXES[rule] ?? "Correct the statement.",
    line: error.line,
  };
}

const FAILURE_FIXES: Partial<Readonly<Record<ProofRule, string>>> = {
  "up-fails": "Correct the statement; nothing that comes after this file was proven.",
  "down-fails": "Correct what stands below -- migrate:down.",
  "up-fails-with-rows":
    "Bring the rows into shape in an earlier statement (a default, an update, a using clause), then change the table.",
  "up-again-fails": "Let down remove all that up made, so that up can make it again.",
  "down-fails-with-rows":
    "Let down bring the rows back into shape first. If it cannot, say so on top: -- irreversible: why.",
};

/** What `down` left behind, and what the second `up` made differently. */
export async function findingsOfWayBack(
  file: MigrationFile,
  back: WayBack,
): Promise<readonly ProofFinding[]> {
  const { irreversible } = directivesOf(file);
  // A file that says what it cannot undo is held to the rest, but fails no build.
  const level: Level = irreversible.length > 0 ? "warning" : "error";
  return [
    ...whole(back.down).map((one) => differs("down-differs", level, file, one, "before up", "after down")),
    ...whole(back.again).map((one) =>
      differs("up-differs", level, file, one, "after up", "after up, down, up"),
    ),
    ...(await lossesOf(file, back)),
  ];
}

/** Without the parts of a table that is on one side only: the table says it all. */
function whole(differences: readonly CatalogDifference[]): readonly CatalogDifference[] {
  const oneSided = differences.filter(
    ({ kind, left, right }) => kind === "table" && (left === undefined || right === undefined),
  );
  return differences.filter(
    (one) => one.kind === "table" || !oneSided.some(({ name }) => one.name.startsWith(`${name}.`)),
  );
}

function differs(
  rule: "down-differs" | "up-differs",
  level: Level,
  file: MigrationFile,
  difference: CatalogDifference,
  one: string,
  other: string,
): ProofFinding {
  const { kind, name, left, right } = difference;
  return {
    ...about(file),
    rule,
    level,
    why: `${kind} ${name} is not as it was\n${sides(one, left, other, right)}`,
    fix:
      rule === "down-differs"
        ? "Let -- migrate:down undo it, or say that it cannot: -- irreversible: why."
        : "Let down leave nothing of it, or up not depend on what is there.",
    left,
    right,
  };
}

/** Both sides of a difference, one below the other. */
export function sides(
  one: string,
  left: string | undefined,
  other: string,
  right: string | undefined,
): string {
  const indented = (text: string | undefined): string => (text ?? "nothing").replaceAll("\n", "\n      ");
  return `    ${one}:\n      ${indented(left)}\n    ${other}:\n      ${indented(right)}`;
}

async function lossesOf(file: MigrationFile, back: WayBack): Promise<readonly ProofFinding[]> {
  const declared = directivesOf(file).losses;
  const lost = findLostRows(back.before, back.after, back.added, declared);
  if (lost.length === 0) return [];
  const [up, down] = [await openChangesOf(file.up), await openChangesOf(file.down)];
  return lost.map((one): ProofFinding => {
    const bare = one.table.replace(/^.*\./, "").replaceAll('"', "");
    const isDropped = up.droppedTables.has(bare);
    const isOpen = (column: string): boolean => {
      const name = column.replace(/^.*\./, "").replaceAll('"', "");
      return (
        up.droppedColumns.has(`${bare}.${name}`) || up.updatedTables.has(bare) || down.updatedTables.has(bare)
      );
    };
    // What the file does in so many words nobody overlooks in a review; what happens behind it somebody does.
    const isSeen = isDropped || (one.gone === 0 && one.columns.every(isOpen));
    const lines = (one.gone > 0 || one.columns.length === 0 ? [one.table] : one.columns).map(
      (object) => `-- ${isSeen ? "up loses" : "loses"}: ${object} (data)`,
    );
    return {
      ...about(file),
      rule: "rows-lost",
      level: isSeen ? "warning" : "error",
      why: whyLost(one),
      fix: `Bring them back in down; or say on top of the file that they are lost:\n${lines.join("\n")}`,
    };
  });
}

function whyLost({ table, gone, had, columns }: LostRows): string {
  if (gone > 0)
    return `after up and down, ${gone} of ${had} ${had === 1 ? "row" : "rows"} of ${table} are gone`;
  return columns.length === 0
    ? `after up and down, rows of ${table} do not hold the values they held`
    : `after up and down, ${columns.join(", ")} ${columns.length === 1 ? "does" : "do"} not hold the values of before`;
}

/** A migration without a way back that does not say why. */
export function irreversible(file: MigrationFile): ProofFinding {
  return {
    ...about(file),
    rule: "irreversible",
    level: "warning",
    why: "it has no way back",
    fix: "Write it below -- migrate:down, or say on top why there is none: -- irreversible: why.",
  };
}

/** A folder in which no migration has a way back: one finding, not one a file. */
export function allIrreversible(folder: string, count: number): ProofFinding {
  return {
    rule: "irreversible",
    level: "warning",
    object: folder,
    why: `none of the ${count} migrations has a way back, so only up was proven`,
    fix: "Plinth's files hold both: -- migrate:up and -- migrate:down.",
    file: undefined,
    line: undefined,
    left: undefined,
    right: undefined,
  };
}

/** A table nobody could put rows into. */
export function unproven(file: MigrationFile, table: string, why: string): ProofFinding {
  return {
    ...about(file),
    rule: "unproven-with-data",
    level: "warning",
    why: `from here on ${table} has no rows: ${why}`,
    fix: `Supply some in prove-rows.sql beside the folder:\n-- rows: ${table} from ${file.version}\ninsert into ${table} …;`,
  };
}

/** The chain's end is not what is declared. */
export function schemaDiffers({ kind, name, left, right }: CatalogDifference): ProofFinding {
  return {
    rule: "schema-differs",
    level: "error",
    object: `${kind} ${name}`,
    why: `the migrations do not lead to the declared schema\n${sides("the migrations", left, "the schema", right)}`,
    fix: "Write the missing migration: plinth migrate generate NAME.",
    file: undefined,
    line: undefined,
    left,
    right,
  };
}

function about(file: MigrationFile): Pick<ProofFinding, "object" | "file" | "line" | "left" | "right"> {
  return { object: file.fileName, file: file.fileName, line: undefined, left: undefined, right: undefined };
}
