import type { TableObject } from "../catalog/index.ts";
import { type ColumnSets, columnSetsOf } from "./column-sets.ts";
import { columnSource } from "./columns.ts";
import type { PullContext } from "./context.ts";
import { type IndexedColumn, indexSource } from "./indexes.ts";
import { keySources } from "./keys.ts";
import { indent, object, property, quoted } from "./literal.ts";
import { partlyDeclared } from "./model.ts";
import { partitionSource } from "./partitions.ts";
import { policySource } from "./policies.ts";

/** Adds a table as an entity, with everything its declaration holds. */
export function addEntity(context: PullContext, table: TableObject): void {
  const { file, constants } = context;
  const constant = constants.get(table.id) ?? table.name;
  const sets = columnSetsOf(context, table);
  const keys = keySources(context, table, sets.handled);
  const columns = columnLines(context, table, keys.byColumn, sets);
  const constraints = [
    ...keys.constraints,
    ...indexSources(context, table, sets),
    ...policySources(context, table),
  ];
  const options = object([
    ["softDelete", sets.softDelete ? "true" : undefined],
    ["partitionBy", partitionSource(context, table)],
    ["comment", table.comment === undefined ? undefined : quoted(table.comment)],
    ["constraints", constraintsSource(constraints)],
  ]);
  const head = `${file.use("entity")}(\n  app,\n  ${quoted(table.name)},\n  {\n${columns}\n  },`;
  const tail = options === "{}" ? "" : `\n${indent(options)},`;
  file.declare(constant, `${head}${tail}\n)`, rowSecurity(context, table, constant));
  reportParts(context, table);
}

function columnLines(
  context: PullContext,
  table: TableObject,
  keys: ReturnType<typeof keySources>["byColumn"],
  sets: ColumnSets,
): string {
  const properties = context.propertiesOf(table.id);
  const lines = table.columns.flatMap((column) => {
    const set = sets.columns.get(column.name);
    if (set !== undefined) return set === "" ? [] : [set];
    const own = keys.get(column.name) ?? { source: "", isPrimary: false };
    const unique = sets.uniqueColumns.get(column.name) ?? "";
    const marks = { ...own, source: own.source + unique, type: sets.types.get(column.name) };
    const source = columnSource(context, table, column, marks);
    return [`${property(properties.get(column.name) ?? column.name)}: ${source},`];
  });
  return indent(indent(lines.join("\n")));
}

function indexSources(context: PullContext, table: TableObject, sets: ColumnSets): readonly string[] {
  const properties = context.propertiesOf(table.id);
  const columns = new Map<string, IndexedColumn>(
    table.columns.map(({ name, notNull }) => [name, { key: properties.get(name) ?? name, notNull }]),
  );
  const { indexes } = context.lookup.partsOf(table.id);
  const own = indexes.filter(({ id }) => !context.omitted.has(id) && !sets.handled.has(id));
  return [...own.flatMap((index) => indexSource(context, index, columns, indexes) ?? []), ...sets.uniques];
}

function policySources(context: PullContext, table: TableObject): readonly string[] {
  const { policies } = context.lookup.partsOf(table.id);
  return policies.filter(({ id }) => !context.omitted.has(id)).map((policy) => policySource(context, policy));
}

function constraintsSource(items: readonly string[]): string | undefined {
  if (items.length === 0) return undefined;
  const line = `[${items.join(", ")}]`;
  const isShort = line.length <= 80 && !line.includes("\n");
  const list = isShort ? line : `[\n${items.map((item) => `${indent(item)},\n`).join("")}]`;
  const code = line.replaceAll(/`(?:[^`\\]|\\.)*`|"(?:[^"\\]|\\.)*"/gs, "");
  return `${/\bt[.[]/.test(code) ? "(t)" : "()"} => ${list}`;
}

/** A policy switches it on by itself. */
function rowSecurity(context: PullContext, table: TableObject, constant: string): string {
  const { policies } = context.lookup.partsOf(table.id);
  const hasPolicy = policies.some(({ id }) => !context.omitted.has(id));
  return table.rowSecurity && !hasPolicy ? `\n${constant}.enableRLS();` : "";
}

/** What tables have that entities have no word for. */
function reportParts(context: PullContext, table: TableObject): void {
  const say = (why: string): void => context.report(partlyDeclared(table.id, why));
  const { policies } = context.lookup.partsOf(table.id);
  if (table.isUnlogged) say("it is unlogged; declared, it would not be");
  if (table.options.length > 0) say(`there is no declaration for its options ${table.options.join(", ")}`);
  if (table.forceRowSecurity) say("row security is forced on its owner, which has no declaration");
  if (table.replicaIdentity !== "default")
    say(`its replica identity ${table.replicaIdentity} has no declaration`);
  if (!table.rowSecurity && policies.length > 0)
    say("it has policies, but row security is off; declared, it would be on");
}
