import { is, SQL, type View } from "drizzle-orm";
import { getViewConfig, type PgView } from "drizzle-orm/pg-core";
import { describeTable } from "../drizzle-adapter.ts";
import { clausesOf } from "../drizzle-columns.ts";
import { referencesOf } from "../drizzle-sql.ts";
import { type AnyEntity, isEntity } from "../entity.ts";
import type { CompositeTypeDeclaration } from "./composite-type.ts";
import type { DomainDeclaration } from "./domain.ts";
import type { GrantOptions } from "./grant.ts";
import { declaredAs } from "./registry.ts";
import { isBuilder, isSetOf, isTypeMap, itemOf, type RoutineDeclaration } from "./routine.ts";
import type { TriggerOptions } from "./trigger.ts";
import { typeObjectsOf } from "./type-of-column.ts";
import { buildTypes, type TypeMap } from "./value-type.ts";
import type { ViewOptions } from "./view.ts";

/** The declared objects that others need, however indirectly, whether the module exports them or not. */
export function neededObjects(from: readonly object[]): readonly object[] {
  const found = new Set<object>();
  const waiting = [...from];
  for (let object = waiting.pop(); object !== undefined; object = waiting.pop()) {
    for (const needed of mentionedBy(object)) {
      if (found.has(needed) || declaredAs(needed) === undefined) continue;
      found.add(needed);
      waiting.push(needed);
    }
  }
  return [...found];
}

function mentionedBy(object: object): readonly object[] {
  if (isEntity(object)) return describeTable(object).references;
  const { kind, name = "", options = {} } = declaredAs(object) ?? {};
  switch (kind) {
    case "function":
    case "procedure":
      return mentionedByRoutine(name, options as RoutineDeclaration);
    case "view":
    case "materialized view":
      return mentionedByView(object as View, options as ViewOptions);
    case "trigger": {
      const { on, execute, dependsOn = [] } = options as TriggerOptions<AnyEntity | PgView>;
      return [on, execute, ...dependsOn];
    }
    case "grant":
      return [(options as GrantOptions).on];
    case "domain": {
      const { base, checks = [] } = options as DomainDeclaration;
      return [...typesIn(name, { base }), ...checks.flatMap((check) => [...mentioned(check)])];
    }
    case "composite type":
      return [...(options as CompositeTypeDeclaration).attributes.values()].flatMap(typeObjectsOf);
    default:
      return [];
  }
}

function mentionedByRoutine(
  name: string,
  { body, arguments: taken = {}, returns, dependsOn = [] }: RoutineDeclaration,
) {
  const result: unknown = isSetOf(returns) ? itemOf(returns) : returns;
  const types = isBuilder(result) ? { result } : isTypeMap(result) && !isEntity(result) ? result : {};
  const inBody = is(body, SQL) ? [...referencesOf(body)] : [];
  return [...inBody, ...typesIn(name, taken), ...typesIn(name, types), ...dependsOn];
}

function mentionedByView(view: View, { dependsOn = [] }: ViewOptions): readonly object[] {
  const { query } = getViewConfig(view as PgView);
  return [...(query === undefined ? [] : referencesOf(query)), ...dependsOn];
}

function typesIn(name: string, types: TypeMap): readonly object[] {
  return [...buildTypes(name, name, types).values()].flatMap((column) => [
    ...typeObjectsOf(column),
    ...clausesOf(column).flatMap((clause) => [...referencesOf(clause)]),
  ]);
}

function mentioned({ value }: { readonly value: SQL }): ReadonlySet<object> {
  return referencesOf(value);
}
