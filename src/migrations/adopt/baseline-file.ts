import { qualifiedName } from "../../sql/index.ts";
import { renderMigration, type TwoWayPlan } from "../generate/render-migration.ts";
import type { MigrationFile } from "../migration-file.ts";
import { oneLine } from "../sql-text.ts";
import type { AdoptableTool, AppliedMigration, TablePlace } from "./tool.ts";

/** What the head of a baseline says about where it came from. */
export interface BaselineOrigin {
  readonly tool: AdoptableTool;
  readonly serverVersion: number;
  /** The tool's tables: left as they are, and left out. */
  readonly tables: readonly TablePlace[];
  readonly applied: readonly AppliedMigration[];
  /** It holds every schema of the database, not only the application's. */
  readonly isWholeDatabase: boolean;
}

const TABLE_LINE = /^-- left alone: (\{.*\})$/;
const WHOLE_DATABASE = "-- schemas: all of the database";

/** The file: where it came from, then both ways. */
export function renderBaseline(origin: BaselineOrigin, plan: TwoWayPlan): string {
  const { tool, serverVersion, tables, applied, isWholeDatabase } = origin;
  const count = applied.length === 1 ? "1 migration" : `${applied.length} migrations`;
  const head = [
    `-- The baseline: what ${count} of ${tool} had made of this database, read from PostgreSQL ${serverVersion} itself.`,
    "-- Databases that have it already record it (plinth migrate adopt, plinth migrate baseline); new ones run it.",
    ...(isWholeDatabase ? [WHOLE_DATABASE] : []),
    ...tables.map(({ schema, name }) => `-- left alone: ${JSON.stringify({ schema, name })}`),
    "-- applied:",
    // Numbered, because a line that begins with -- migrate would be taken for a marker.
    ...applied.map(({ name, appliedAt = "" }, at) =>
      `-- ${at + 1}. ${oneLine(name)}  ${appliedAt}`.trimEnd(),
    ),
  ];
  return `${head.join("\n")}\n\n${renderMigration(plan)}`;
}

/** What a baseline's head asks of who compares it with a database. */
export interface BaselineScope {
  readonly tables: readonly TablePlace[];
  readonly isWholeDatabase: boolean;
}

/**
 * What the heads of a folder's baselines say: which tables of another tool stand beside what the migrations make, so
 * that a comparison with a live database leaves them out. No table, and false, where nothing was adopted.
 */
export function baselineScopeOf(files: readonly MigrationFile[]): BaselineScope {
  const lines = files.flatMap(({ up }) => up.header?.split("\n") ?? []);
  return {
    tables: lines.flatMap((line) => placeIn(TABLE_LINE.exec(line)?.[1])),
    isWholeDatabase: lines.includes(WHOLE_DATABASE),
  };
}

/** What the ledger's comment says, in one sentence. */
export function ledgerNote(origin: BaselineOrigin, file: Pick<MigrationFile, "fileName">): string {
  const { tool, tables, applied } = origin;
  const names = tables.map(({ schema, name }) => qualifiedName(schema, name)).join(", ");
  const last = applied.at(-1);
  const newest = last === undefined ? "" : `, the newest ${oneLine(last.name)}`;
  const when = last?.appliedAt === undefined ? "" : ` of ${last.appliedAt}`;
  return `Begun by ${file.fileName}, which took over from ${tool}: ${names} had ${applied.length}${newest}${when}.`;
}

function placeIn(json: string | undefined): readonly TablePlace[] {
  let place: unknown;
  try {
    place = JSON.parse(json ?? "null");
  } catch {
    return [];
  }
  if (typeof place !== "object" || place === null || !("schema" in place) || !("name" in place)) return [];
  return [{ schema: String(place.schema), name: String(place.name) }];
}
