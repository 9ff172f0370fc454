import { StatementError } from "../errors/index.ts";

/**
 * What checks and shapes a row: Zod, Valibot, ArkType and others implement it.
 *
 * @see https://standardschema.dev
 */
export interface RowSchema<T> {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    validate(value: unknown): SchemaResult<T> | Promise<SchemaResult<T>>;
    readonly types?: { readonly input: unknown; readonly output: T } | undefined;
  };
}

type SchemaResult<T> =
  | { readonly value: T; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] };

interface SchemaIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** True for what a schema library made; a template's strings are an array. */
export function isRowSchema(value: unknown): value is RowSchema<unknown> {
  const isHolder = (typeof value === "object" && value !== null) || typeof value === "function";
  return isHolder && !Array.isArray(value) && "~standard" in value;
}

/**
 * Rows as a schema makes them.
 *
 * @throws {INVALID_DATA} naming the first row that does not fit and its properties, never their values: a message of the
 * schema's own may quote them.
 */
export async function parseRows<T>(schema: RowSchema<T>, rows: readonly unknown[]): Promise<T[]> {
  const parsed: T[] = [];
  for (const [i, row] of rows.entries()) {
    const result = await schema["~standard"].validate(row);
    if (result.issues !== undefined) throw misfit(i, result.issues);
    parsed.push(result.value);
  }
  return parsed;
}

function misfit(row: number, issues: readonly SchemaIssue[]): StatementError {
  const places = issues.map(({ path = [] }) =>
    path.map((step) => String(typeof step === "object" ? step.key : step)).join("."),
  );
  const named = [...new Set(places.map((place) => (place === "" ? "the row itself" : place)))].join(", ");
  return new StatementError(
    "INVALID_DATA",
    `row ${row} of the answer does not fit its schema: ${named}`,
    { sqlstate: "22000", columns: places.filter((place) => place !== "") },
    { hint: "int8 comes as bigint, numeric and date as text, timestamptz as Date." },
  );
}
