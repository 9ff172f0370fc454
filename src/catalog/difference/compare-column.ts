import type { CatalogColumn } from "../model.ts";

/**
 * How a column that is in both becomes the other: it stays, it changes its type, or it has to be dropped and added
 * again.
 */
export type ColumnFate = "keep" | "retype" | "anew";

/** What the server can do in place depends on these. */
export interface ColumnGround {
  readonly serverVersion: number;
  /** A virtual column's expression cannot be changed in a table with checks. */
  readonly hasChecks: boolean;
}

export function compareColumns(from: CatalogColumn, to: CatalogColumn, ground: ColumnGround): ColumnFate {
  const isRetyped = from.type !== to.type || from.collation !== to.collation;
  const [before, after] = [from.generated, to.generated];
  if (before === undefined && after === undefined) return isRetyped ? "retype" : "keep";
  if (isRetyped) return "anew";
  if (after === undefined) return before?.mode === "stored" ? "keep" : "anew";
  if (before?.mode !== after.mode) return "anew";
  if (before.expression === after.expression) return "keep";
  return canSetExpression(after.mode, ground) ? "keep" : "anew";
}

/** https://www.postgresql.org/docs/18/sql-altertable.html: SET EXPRESSION, since 17. */
function canSetExpression(mode: "stored" | "virtual", { serverVersion, hasChecks }: ColumnGround): boolean {
  return serverVersion >= 17 && (mode === "stored" || !hasChecks);
}
