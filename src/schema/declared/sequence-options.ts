import type { PgSequenceOptions } from "drizzle-orm/pg-core";
import { SchemaError } from "../../errors/index.ts";
import type { SequenceOptions } from "../description.ts";

/**
 * Drizzle's options of a sequence, as whole numbers in text.
 *
 * @throws {SCHEMA_INVALID} for what is no whole number: it would stand in the SQL as it is.
 */
export function sequenceOptions(what: string, options: PgSequenceOptions, name?: string): SequenceOptions {
  const whole = (
    option: "increment" | "minValue" | "maxValue" | "startWith" | "cache",
  ): string | undefined => {
    const value = options[option];
    if (value === undefined) return undefined;
    if (/^-?\d{1,19}$/.test(String(value))) return String(value);
    throw new SchemaError(`${option} of ${what} must be a whole number`, {
      hint: 'Write one beyond 2^53 as text: maxValue: "9223372036854775807".',
    });
  };
  return {
    name,
    increment: whole("increment"),
    minValue: whole("minValue"),
    maxValue: whole("maxValue"),
    startWith: whole("startWith"),
    cache: whole("cache"),
    cycle: options.cycle,
  };
}
