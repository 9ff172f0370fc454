import { FLYWAY_FILE, FLYWAY_REPEATABLE } from "../formats/detect.ts";
import type { FolderText } from "../formats/model.ts";
import { compareDotted } from "../formats/paths.ts";
import { selectFlyway } from "./queries.ts";
import { brokenHistory, unreadableFolder } from "./refusals.ts";
import type { ToolReader } from "./tool.ts";

interface Row {
  readonly version: string | undefined;
  readonly type: string;
  readonly script: string;
  readonly installedOn: string | undefined;
}

/**
 * A row is a run: what was undone or deleted has a later row of the same version that says so, and a baseline stands
 * for every version up to its own.
 *
 * @see https://documentation.red-gate.com/flyway/flyway-concepts/migrations/flyway-schema-history-table
 */
export const flyway: ToolReader = {
  table: "flyway_schema_history",
  columns: ["installed_rank", "version", "description", "type", "script", "installed_on", "success"],
  companions: () => [],
  applyCommand: "flyway migrate",
  read: async (connection, table, content) => {
    const { rows } = await connection.query({ text: selectFlyway(table), values: [] });
    const failed = rows.find((row) => row[5] !== "true");
    if (failed !== undefined) {
      throw brokenHistory(
        `Flyway's migration ${failed[3]} failed`,
        "Mend the database, and run flyway repair.",
      );
    }
    const applied = stillApplied(rows.map(rowOf));
    const history = applied.map(({ script, installedOn }) => ({ name: script, appliedAt: installedOn }));
    if (content === undefined) return { applied: history, pending: [], missing: [], edited: [] };
    const files = scriptsIn(content);
    const baseline = applied.find(({ type }) => type === "BASELINE")?.version;
    const isBelow = ({ version }: Script): boolean =>
      baseline !== undefined && version !== undefined && compareDotted(version, baseline) <= 0;
    const isPending = (file: Script): boolean => !isBelow(file) && !applied.some((row) => isSame(row, file));
    const isGone = (row: Row): boolean => row.type === "SQL" && !files.some((file) => isSame(row, file));
    return {
      applied: history,
      pending: files.filter(isPending).map(({ script }) => script),
      missing: applied.filter(isGone).map(({ script }) => script),
      edited: [],
    };
  },
};

function rowOf([version, , type, script, installedOn]: readonly (string | null)[]): Row {
  return {
    version: version ?? undefined,
    type: type ?? "",
    script: script ?? "",
    installedOn: installedOn ?? undefined,
  };
}

/** A version is a number, a repeatable file its path, which may be written from a folder further up. */
function isSame(row: Row, file: Script): boolean {
  if (row.version !== undefined && file.version !== undefined) {
    return compareDotted(row.version, file.version) === 0;
  }
  const isRepeatable = row.version === undefined && file.version === undefined;
  return isRepeatable && (row.script === file.script || row.script.endsWith(`/${file.script}`));
}

interface Script {
  readonly version: string | undefined;
  readonly script: string;
}

function scriptsIn(content: FolderText): readonly Script[] {
  const scripts = [...content.keys()].flatMap((path): readonly Script[] => {
    const file = path.slice(path.lastIndexOf("/") + 1);
    const [, kind, version] = FLYWAY_FILE.exec(file) ?? [];
    if (FLYWAY_REPEATABLE.test(file)) return [{ version: undefined, script: path }];
    return kind === "V" && version !== undefined
      ? [{ version: version.replaceAll("_", "."), script: path }]
      : [];
  });
  if (scripts.length > 0) return scripts;
  throw unreadableFolder("the folder is not Flyway's: it has no V…__name.sql");
}

function stillApplied(rows: readonly Row[]): readonly Row[] {
  const standing: Row[] = [];
  for (const row of rows) {
    if (row.type === "SCHEMA") continue;
    const before = standing.findIndex(({ version, script }) =>
      row.version === undefined ? version === undefined && script === row.script : version === row.version,
    );
    if (before >= 0) standing.splice(before, 1);
    if (!/^(?:UNDO_.*|DELETE)$/.test(row.type)) standing.push(row);
  }
  return standing;
}
