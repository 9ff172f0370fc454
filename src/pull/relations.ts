import type { ConstraintObject, TableObject } from "../catalog/index.ts";
import type { PullContext } from "./context.ts";
import { indent, object, property, quoted } from "./literal.ts";
import { createNamer, singular } from "./names.ts";

/** Adds what a table can be read with: a parent for each foreign key, and all rows of each child. */
export function addRelations(
  context: PullContext,
  table: TableObject,
  tables: readonly TableObject[],
  take: (wanted: string) => string,
): void {
  const { file, constants } = context;
  const names = createNamer(context.propertiesOf(table.id).values());
  const outgoing = foreignKeys(context, table);
  const incoming = tables.flatMap((child) =>
    foreignKeys(context, child).filter(({ references }) => references === table.id),
  );
  const lines = [
    ...outgoing.map((key) => oneSource(context, key, outgoing, names)),
    ...incoming.map((key) => manySource(context, key, incoming, names)),
  ];
  if (lines.length === 0) return;
  const constant = constants.get(table.id) ?? table.name;
  const name = take(`${singular(constant)}Relations`);
  const body = indent(lines.join("\n"));
  file.declare(name, `${file.use("relations")}(${constant}, (r) => ({\n${body}\n}))`);
}

/** Those that are in the file. */
function foreignKeys(context: PullContext, table: TableObject): readonly ConstraintObject[] {
  return context.lookup
    .partsOf(table.id)
    .constraints.filter(
      ({ id, type, references }) =>
        type === "foreign key" && !context.omitted.has(id) && context.constants.has(references ?? ""),
    );
}

interface Names {
  take(wanted: string, ending?: string): string;
}

/** `ownerId` leads to `owner`; a key of several columns to its target's name. */
function oneSource(
  context: PullContext,
  key: ConstraintObject,
  others: readonly ConstraintObject[],
  names: Names,
): string {
  const target = context.constants.get(key.references ?? "") ?? "";
  const via = viaOf(context, key);
  const stem = key.columns.length === 1 ? via.replace(/(?:Id|Uuid|Ref|Key)$/, "") : singular(target);
  const isOnly = others.filter(({ references }) => references === key.references).length === 1;
  const name = names.take(stem === via || stem === "" ? singular(target) : stem, "Row");
  // With `via` the type knows whether the row may be missing.
  const options = key.columns.length === 1 || !isOnly ? `, ${object([["via", quoted(via)]])}` : "";
  return `${property(name)}: r.one(${target}${options}),`;
}

function manySource(
  context: PullContext,
  key: ConstraintObject,
  others: readonly ConstraintObject[],
  names: Names,
): string {
  const child = context.constants.get(key.table) ?? "";
  const isOnly =
    others.filter(({ table }) => table === key.table).length === 1 && key.table !== key.references;
  const via = viaOf(context, key);
  const ending = `By${via.charAt(0).toUpperCase()}${via.slice(1)}`;
  const name = names.take(isOnly ? child : `${child}${ending}`, isOnly ? ending : "");
  return `${property(name)}: r.many(${child}${isOnly ? "" : `, ${object([["via", quoted(via)]])}`}),`;
}

/**
 * A property of the key that no other key to the same table has, where there is one; rather one that is not in the
 * primary key as well, as it says more.
 */
function viaOf(context: PullContext, key: ConstraintObject): string {
  const properties = context.propertiesOf(key.table);
  const { constraints } = context.lookup.partsOf(key.table);
  const others = constraints.filter((other) => other !== key && other.references === key.references);
  const primary = constraints.find(({ type }) => type === "primary key")?.columns ?? [];
  const own = key.columns.filter((name) => !others.some(({ columns }) => columns.includes(name)));
  const name = own.find((one) => !primary.includes(one)) ?? own[0] ?? key.columns[0] ?? "";
  return properties.get(name) ?? name;
}
