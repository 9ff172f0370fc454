import { Computed } from "./computed.ts";
import type { ComputedColumns, ComputedValue, TableScope } from "./context.ts";
import { type Given, partOf } from "./given.ts";
import { refuse } from "./options.ts";
import { propertiesOf } from "./where/properties.ts";
import { sqlParts, templateValue } from "./where/sql.ts";
import { type SqlContent, type SqlType, sqlShapeOf } from "./where/sql-template.ts";

/** What stands beside a read's columns, or among its conditions, under these names. */
const TAKEN = ["counts", "link", "and", "or", "not"];

/**
 * The scope with what a read computes of each of its rows. `given` stands for the options that `compute` is among.
 *
 * @param path where errors say it is; below the options, if they have a path of their own.
 */
export function computing(scope: TableScope, given: Given, path?: string): TableScope {
  const compute = partOf(given, "compute", path);
  return compute.value === undefined ? scope : { ...scope, computed: computedIn(scope, compute) };
}

function computedIn(scope: TableScope, compute: Given): ComputedColumns {
  const names = propertiesOf(compute.value, compute.path);
  return new Map(
    names.map((name) => {
      const given = partOf(compute, name);
      refuseTaken(scope, name, given.path);
      const content = Computed.contentOf(given.value);
      if (content?.type === undefined) {
        return refuse(given.path, "must be a computed column: computed(text())`…`");
      }
      return [name, computedValue(scope, name, given, content, content.type)] as const;
    }),
  );
}

function computedValue(
  scope: TableScope,
  name: string,
  given: Given,
  content: SqlContent,
  { column }: SqlType,
): ComputedValue {
  const parts = sqlParts(content, [scope], given);
  return {
    // As errors name it.
    column: { ...column, key: name, name },
    of: { kind: "sql", parts, type: column.castType },
    identityIn: (call) => identityOf(given.in(call), given.path),
  };
}

/** Another text or other values are another order, where a list is sorted by it. */
function identityOf(template: unknown, path: string): readonly unknown[] {
  const content = Computed.contentOf(template);
  if (content === undefined) return [];
  return [sqlShapeOf(content), ...content.values.map((_, i) => templateValue(template, i, path))];
}

function refuseTaken({ entity, context }: TableScope, name: string, path: string): void {
  if (name === "" || name.startsWith("-") || name.includes("."))
    refuse(path, "must have a name without dots, and no - in front, which sort uses");
  const isColumn = entity.byKey.has(name);
  if (isColumn || context.schema.relationsOf(entity).has(name))
    refuse(path, `is the name of a ${isColumn ? "column" : "relation"} of "${entity.name}"; choose another`);
  if (TAKEN.includes(name)) refuse(path, `has a name that reads use themselves: ${TAKEN.join(", ")}`);
}
