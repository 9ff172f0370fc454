import { unknownName } from "../../errors/index.ts";
import type { ColumnDescription } from "../../schema/index.ts";
import type { Condition, Expression } from "../../sql/index.ts";
import { type Given, partOf } from "../given.ts";
import { isPlainObject, refuse } from "../options.ts";
import { ARRAY } from "./arrays.ts";
import { EQUALITY, equals, MEMBERSHIP, ORDER } from "./comparisons.ts";
import { NETWORK, RANGE } from "./containment.ts";
import { AT_PATH, atPath, DOCUMENT } from "./json.ts";
import type { Operators } from "./operand.ts";
import { refuseLoneTextOptions, TEXT } from "./patterns.ts";
import { propertiesOf } from "./properties.ts";

/** What one column may be asked, and the options that stand among its operators. */
interface Family {
  readonly operators: Operators;
  readonly options: readonly string[];
}

const COMPARISONS: Operators = new Map([...EQUALITY, ...MEMBERSHIP, ...ORDER]);
const FAMILIES: Readonly<
  Record<"plain" | "text" | "array" | "jsonb" | "json" | "network" | "range", Family>
> = {
  plain: { operators: COMPARISONS, options: [] },
  text: { operators: new Map([...COMPARISONS, ...TEXT]), options: ["mode", "config"] },
  array: { operators: new Map([...EQUALITY, ...ORDER, ...ARRAY]), options: [] },
  jsonb: { operators: DOCUMENT, options: ["path"] },
  json: { operators: EQUALITY, options: ["path"] },
  network: { operators: new Map([...COMPARISONS, ...NETWORK]), options: [] },
  range: { operators: new Map([...COMPARISONS, ...RANGE]), options: [] },
};
const PATH_FAMILY: Family = { operators: AT_PATH, options: ["path"] };

/** A value, null, or an object of operators that must all hold. */
export function columnCondition(column: ColumnDescription, of: Expression, given: Given): Condition {
  const family = familyOf(column);
  const { value, path } = given;
  if (!isOperators(column, family, value)) {
    if (column.kind === "json" && value !== null)
      refuse(path, `must be null or an object of operators: ${namesOf(family).join(", ")}`);
    return equals(column, of, given);
  }
  const isAtPath = column.kind === "json" && Object.hasOwn(value, "path");
  return isAtPath
    ? operatorsCondition(column, atPath(column, of, given), PATH_FAMILY, given, value)
    : operatorsCondition(column, of, family, given, value);
}

/** A value that is no column: a sum, a count. It is compared as a column of `column`'s type would be. */
export function valueCondition(column: ColumnDescription, of: Expression, given: Given): Condition {
  const { value } = given;
  return isPlainObject(value)
    ? operatorsCondition(column, of, FAMILIES.plain, given, value)
    : equals(column, of, given);
}

function operatorsCondition(
  column: ColumnDescription,
  of: Expression,
  { operators, options }: Family,
  beside: Given,
  value: Readonly<Record<string, unknown>>,
): Condition {
  const given = propertiesOf(value, beside.path);
  const names = given.filter((name) => !options.includes(name));
  if (options.includes("mode")) refuseLoneTextOptions(beside, names);
  if (names.length === 0) {
    const lone = given.length === 0 ? "is an empty condition; leave the property out instead" : "";
    refuse(beside.path, lone || `needs an operator beside path: ${[...operators.keys()].join(", ")}`);
  }
  return {
    kind: "and",
    of: names.map((name) => {
      const operand = partOf(beside, name);
      const operator = operators.get(name);
      if (operator === undefined) refuse(operand.path, unfit(name, column, { operators, options }));
      if (operand.value === undefined) refuse(operand.path, "is undefined; leave the operator out instead");
      return operator({ column, of, given: operand, beside });
    }),
  };
}

/** An operator that other columns have is no misspelling. */
function unfit(name: string, { sqlType }: ColumnDescription, family: Family): string {
  const allowed = namesOf(family);
  const isKnown = [...Object.values(FAMILIES), PATH_FAMILY].some((other) => namesOf(other).includes(name));
  return isKnown
    ? `cannot be used on a column of type ${sqlType}; allowed: ${allowed.join(", ")}`
    : unknownName("operator", name, allowed);
}

function namesOf({ operators, options }: Family): readonly string[] {
  return [...operators.keys(), ...options];
}

function familyOf({ kind, castType }: ColumnDescription): Family {
  if (kind === "array") return FAMILIES.array;
  if (kind === "json") return castType === "jsonb" ? FAMILIES.jsonb : FAMILIES.json;
  if (/^(text|varchar|bpchar)$/.test(castType)) return FAMILIES.text;
  if (/^(inet|cidr)$/.test(castType)) return FAMILIES.network;
  return /^[a-z0-9]+range$/.test(castType) ? FAMILIES.range : FAMILIES.plain;
}

/** Custom and composite types may have objects as values; those that look like operators throughout are taken as such. */
function isOperators(
  { kind }: ColumnDescription,
  family: Family,
  value: unknown,
): value is Readonly<Record<string, unknown>> {
  if (!isPlainObject(value)) return false;
  if (kind !== "custom" && kind !== "composite") return true;
  const names = namesOf(family);
  return Object.keys(value).every((name) => names.includes(name));
}
