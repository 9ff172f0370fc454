import { isHistoryBegin } from "../../sql/index.ts";
import type { MigrationFile } from "../migration-file.ts";
import { parseSql } from "../parse-sql.ts";
import { snippetAt } from "../snippet.ts";

/** Statements whose point is what they do to rows. `select` and `call` may run a function that does. */
const CHANGES_ROWS = new Set([
  "InsertStmt",
  "UpdateStmt",
  "DeleteStmt",
  "MergeStmt",
  "TruncateStmt",
  "CopyStmt",
  "DoStmt",
  "CallStmt",
  "SelectStmt",
]);

/**
 * The lines of a file on which statements stand that change rows, or may. That a history begins is noted by whatever makes
 * the history.
 */
export async function rowChangingLines({ up }: MigrationFile): Promise<readonly number[]> {
  const { statements } = await parseSql(up.text);
  return statements
    .filter(
      ({ tree, text }) => Object.keys(tree).some((kind) => CHANGES_ROWS.has(kind)) && !isHistoryBegin(text),
    )
    .map(({ offset }) => snippetAt(up, offset).line);
}
