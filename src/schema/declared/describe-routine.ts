import { is, SQL } from "drizzle-orm";
import { SchemaError } from "../../errors/index.ts";
import type { ColumnDescription, ObjectId } from "../description.ts";
import { describeTable } from "../drizzle-adapter.ts";
import { describeColumn } from "../drizzle-columns.ts";
import { referencesOf, renderBody, renderQualified } from "../drizzle-sql.ts";
import { isEntity } from "../entity.ts";
import { marksOf } from "../marks.ts";
import type { ArgumentDescription, ResultDescription, RoutineDescription } from "../object-description.ts";
import { dependencyIds, objectIds, typeIds } from "./object-id.ts";
import { type Declared, declaredAs, wordOf } from "./registry.ts";
import { isBuilder, isSetOf, isTypeMap, itemOf, type Returns, type RoutineDeclaration } from "./routine.ts";
import { buildTypes, type TypeMap } from "./value-type.ts";

const LANGUAGE_DEFAULT = "plpgsql";
const VOLATILITIES = ["volatile", "stable", "immutable"] as const;

const described = new WeakMap<object, RoutineDescription>();

/**
 * Reads a declared function or procedure once.
 *
 * @throws {SCHEMA_INVALID} for what was not declared on an `appSchema`.
 */
export function describeRoutine(routine: object): RoutineDescription {
  const known = described.get(routine);
  if (known !== undefined) return known;
  const declared = declaredAs(routine);
  if (declared?.kind !== "function" && declared?.kind !== "procedure") {
    throw new SchemaError("this is no function and no procedure", {
      hint: "Declare it with app.function(…) or app.procedure(…).",
    });
  }
  const description = describe(declared as Declared<"function" | "procedure", RoutineDeclaration>);
  described.set(routine, description);
  return description;
}

function describe(declared: Declared<"function" | "procedure", RoutineDeclaration>): RoutineDescription {
  const { kind, schema, name, order, options } = declared;
  const what = `${kind} "${name}"`;
  const language = options.language ?? LANGUAGE_DEFAULT;
  const hasOwnPath = wordOf(what, "searchPath", options.searchPath ?? "own", ["own", "caller"]) === "own";
  const taken = describeArguments(schema, name, options.arguments ?? {});
  const returns = kind === "procedure" ? NOTHING : describeResult(schema, name, options.returns);
  const body = bodyOf(what, options.body, schema, hasOwnPath);
  return {
    kind,
    schema,
    name,
    order,
    comment: options.comment,
    needs: needsOf(declared, language, [...taken, ...typesOf(returns)], returns),
    arguments: taken,
    returns,
    language,
    body,
    volatility: wordOf(what, "volatility", options.volatility ?? "volatile", VOLATILITIES),
    parallel: wordOf(what, "parallel", options.parallel ?? "unsafe", ["unsafe", "restricted", "safe"]),
    isStrict: options.strict ?? false,
    isLeakproof: options.leakproof ?? false,
    isDefiner: wordOf(what, "security", options.security ?? "invoker", ["invoker", "definer"]) === "definer",
    hasOwnPath,
    cost: estimate(what, "cost", options.cost),
    rows: estimate(what, "rows", options.rows),
  };
}

const NOTHING: ResultDescription = { kind: "nothing" };

function describeArguments(schema: string, name: string, types: TypeMap): readonly ArgumentDescription[] {
  const columns = buildTypes(schema, name, types);
  return [...columns].map(([key, column]) => {
    const type = types[key];
    const mode = type === undefined ? "in" : (marksOf(type).mode ?? "in");
    return { ...describeColumn(key, column, schema), mode };
  });
}

function describeResult(schema: string, name: string, returns: Returns | undefined): ResultDescription {
  if (returns === undefined || returns === "void") return NOTHING;
  if (returns === "trigger") return { kind: "trigger" };
  const isSet = isSetOf(returns);
  const item: unknown = isSet ? itemOf(returns) : returns;
  if (isEntity(item)) return { kind: "row", isSet, of: describeTable(item) };
  if (isBuilder(item)) {
    const [type] = columnsOf(schema, name, { value: item });
    if (type !== undefined) return { kind: "value", isSet, type };
  }
  return isTypeMap(item) ? { kind: "table", columns: columnsOf(schema, name, item) } : NOTHING;
}

function columnsOf(schema: string, name: string, types: TypeMap): readonly ColumnDescription[] {
  return [...buildTypes(schema, name, types)].map(([key, column]) => describeColumn(key, column, schema));
}

function typesOf(returns: ResultDescription): readonly ColumnDescription[] {
  if (returns.kind === "value") return [returns.type];
  return returns.kind === "table" ? returns.columns : [];
}

function bodyOf(what: string, body: SQL | string, schema: string, hasOwnPath: boolean): string {
  const text = is(body, SQL) ? (hasOwnPath ? renderBody(body, schema) : renderQualified(body)) : body;
  if (typeof text === "string" && text.trim() !== "" && !text.includes("\0")) {
    // A text is the server's to the last blank, so that a pulled schema makes the same function again.
    return is(body, SQL) ? `\n${text.trim()}\n` : text;
  }
  throw new SchemaError(`${what} has no body`, { hint: "body: sql`begin … end`." });
}

/** Only bodies in SQL are read when the function is made; those in PL/pgSQL when it first runs. */
function needsOf(
  { kind, schema, name, options }: Declared<string, RoutineDeclaration>,
  language: string,
  types: readonly ColumnDescription[],
  returns: ResultDescription,
): readonly ObjectId[] {
  const mentioned = language === "sql" && is(options.body, SQL) ? referencesOf(options.body) : [];
  const row: readonly ObjectId[] = returns.kind === "row" ? [`relation ${returns.of.name}`] : [];
  const explicit = dependencyIds(`${kind} "${name}"`, options.dependsOn ?? [], schema);
  return [...new Set([...objectIds(mentioned, schema), ...explicit, ...typeIds(types, schema), ...row])];
}

function estimate(what: string, name: string, value: number | undefined): number | undefined {
  if (value === undefined || (Number.isFinite(value) && value > 0)) return value;
  throw new SchemaError(`${name} of ${what} must be a number above zero`);
}
