import type { Field, Outcome, StatementCall } from "../driver/index.ts";
import { InputError } from "../errors/index.ts";
import { readInstant } from "./instant-text.ts";
import { encodePlainValue } from "./plain-value.ts";
import { statementName } from "./statement.ts";

/** A tagged template as a statement: every hole is a parameter, so no value can become SQL. */
export function templateCall(strings: TemplateStringsArray, values: readonly unknown[]): StatementCall {
  let text = strings[0] ?? "";
  for (let i = 1; i < strings.length; i++) text += `$${i}${strings[i] ?? ""}`;
  return {
    text,
    values: values.map((value, i) => encodePlainValue(value, `$${i + 1}`)),
    name: statementName(text),
  };
}

/** By type OID (`pg_type.oid`), for answers whose columns nobody declared. Anything else stays PostgreSQL's text. */
const DECODERS: Readonly<Record<number, (cell: string) => unknown>> = {
  16: (cell) => cell === "t",
  17: (cell) => Buffer.from(cell.slice(2), "hex"),
  20: BigInt,
  21: Number,
  23: Number,
  26: Number,
  114: (cell): unknown => JSON.parse(cell),
  700: Number,
  701: Number,
  // Infinite and BC instants stay text: a Date cannot hold them.
  1184: (cell) => readInstant(cell) ?? cell,
  3802: (cell): unknown => JSON.parse(cell),
};

/**
 * An answer's rows as objects by column name.
 *
 * @throws {INVALID_QUERY} when two columns have one name: one of them would be lost.
 */
export function rowsByName(outcome: Outcome): Record<string, unknown>[] {
  refuseSharedNames(outcome.fields);
  const columns = outcome.fields.map(({ name, typeId }) => ({ name, decode: DECODERS[typeId] }));
  return outcome.rows.map((cells) =>
    Object.fromEntries(
      columns.map(({ name, decode }, i) => {
        const cell = cells[i] ?? null;
        return [name, cell === null || decode === undefined ? cell : decode(cell)];
      }),
    ),
  );
}

function refuseSharedNames(fields: readonly Field[]): void {
  const seen = new Set<string>();
  for (const { name } of fields) {
    if (seen.has(name)) {
      throw new InputError("INVALID_QUERY", [
        { path: name, message: "names two columns of the answer; give one an alias" },
      ]);
    }
    seen.add(name);
  }
}
