import { ConstraintError } from "../../errors/index.ts";
import type { EntityDescription } from "../../schema/index.ts";

/**
 * What stopped a restore, in its own words: while the row was dead somebody else took its unique key, or that of a row that
 * would have come back with it. Any other error stays as it is.
 */
export function takenKey({ name }: EntityDescription, error: unknown): unknown {
  if (!(error instanceof ConstraintError) || error.code !== "UNIQUE_VIOLATION") return error;
  const { sqlstate, schema, table = name, columns, constraint, serverMessage, detail, where } = error;
  const row =
    table === name ? `the row of "${name}" is deleted` : `a row of "${table}" would come back with this one`;
  const key = columns.length === 0 ? "a unique key of it" : `its key (${columns.join(", ")})`;
  const of = constraint === undefined ? "" : `, constraint ${constraint}`;
  return new ConstraintError(
    error.code,
    `${row}, and a living row has taken ${key} meanwhile (table ${table}${of}) [${sqlstate}]`,
    { sqlstate, schema, table, columns, constraint },
    {
      secrets: { serverMessage, detail, where },
      hint: `Change one of the two: the living row, or the dead one through withDeleted().update of "${table}". Then restore again. Nothing was changed.`,
    },
  );
}
