import { is, isView, type View } from "drizzle-orm";
import {
  isPgEnum,
  isPgSequence,
  ManualMaterializedViewBuilder,
  ManualViewBuilder,
  MaterializedViewBuilder,
  PgPolicy,
  PgRole,
  PgSchema,
  ViewBuilder,
} from "drizzle-orm/pg-core";
import { SchemaError } from "../../errors/index.ts";
import type { EntityDescription, EnumDescription, PolicyDescription } from "../description.ts";
import { describeTable } from "../drizzle-adapter.ts";
import { nameOfRelation } from "../drizzle-sql.ts";
import { type AnyEntity, isEntity } from "../entity.ts";
import type { ObjectDescription } from "../object-description.ts";
import { isRelations, type RelationMap, type Relations } from "../relations.ts";
import { refuseDangling } from "./dangling.ts";
import { describeDeclaredEnum, describeObject } from "./describe-object.ts";
import { refuseNewRole } from "./grant.ts";
import { linkedPolicies } from "./linked-policies.ts";
import { neededObjects } from "./needed-objects.ts";
import { declaredAs, declaredOn } from "./registry.ts";

/** What a schema module holds. */
export interface SchemaContent {
  readonly entities: readonly EntityDescription[];
  readonly enums: readonly EnumDescription[];
  readonly objects: readonly ObjectDescription[];
  readonly policies: readonly PolicyDescription[];
  readonly relations: readonly Relations<AnyEntity, RelationMap>[];
  readonly roles: readonly string[];
}

/**
 * Finds everything of a module: what it exports, what was declared on an `appSchema` it exports, and what those need.
 *
 * @throws {SCHEMA_INVALID} for what Drizzle declares and Plinth cannot create.
 */
export function collectSchema(module: Readonly<Record<string, unknown>>): SchemaContent {
  const tables: AnyEntity[] = [];
  const relations: Relations<AnyEntity, RelationMap>[] = [];
  const policies: PgPolicy[] = [];
  const declared = new Set<object>();
  for (const exported of Object.values(module)) {
    if (isEntity(exported)) tables.push(exported);
    else if (isRelations(exported)) relations.push(exported);
    else if (is(exported, PgSchema)) for (const object of declaredOn(exported)) declared.add(object);
    else if (is(exported, PgPolicy)) policies.push(exported);
    else if (is(exported, PgRole)) refuseNewRole(exported);
    else if (isDeclared(exported)) declared.add(exported);
  }
  for (const object of neededObjects([...tables, ...declared])) declared.add(object);
  const described = new Map(tables.map((table) => [table, describeTable(table)]));
  const objects = [...declared].filter((object) => !isPgEnum(object)).map(describeObject);
  // A module's exports come alphabetically from Node and as written from bundlers; what is rendered must not depend on it.
  const entities = [...described.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  const linked = linkedPolicies(policies, described);
  objects.sort((a, b) => a.order - b.order);
  refuseDangling(entities, objects);
  const all = [...entities.flatMap((entity) => entity.policies), ...linked];
  return {
    entities,
    enums: enumsOf(entities, declared),
    objects,
    policies: all,
    relations,
    roles: rolesOf(all, objects),
  };
}

const UNFINISHED = [ViewBuilder, ManualViewBuilder, MaterializedViewBuilder, ManualMaterializedViewBuilder];

/** @throws {SCHEMA_INVALID} for a view or sequence outside an `appSchema`, which nobody would create. */
function isDeclared(exported: unknown): exported is object {
  const isObject = typeof exported === "object" || typeof exported === "function";
  if (!isObject || exported === null) return false;
  if (declaredAs(exported) !== undefined) return true;
  if (UNFINISHED.some((kind) => is(exported, kind))) {
    throw new SchemaError("a view is exported that has no query", {
      hint: "Finish it: app.view(…).as(…), or .existing() where somebody else keeps it.",
    });
  }
  const name = nameOfOrphan(exported);
  if (name === undefined) return false;
  throw new SchemaError(`"${name}" is exported, but was not declared on an appSchema`, {
    hint: `Declare it there: app.view(…), app.sequence(…). A view that somebody else keeps is .existing().`,
  });
}

function nameOfOrphan(exported: object): string | undefined {
  if (isPgSequence(exported)) return exported.seqName;
  if (!isView(exported)) return undefined;
  const { isExisting } = viewConfig(exported);
  return isExisting ? undefined : nameOfRelation(exported)?.name;
}

function viewConfig(view: View): { readonly isExisting: boolean } {
  const symbol = Symbol.for("drizzle:ViewBaseConfig");
  return (
    (view as unknown as Record<symbol, { readonly isExisting: boolean }>)[symbol] ?? { isExisting: false }
  );
}

/** Of columns and of the module; several tables use one. */
function enumsOf(
  entities: readonly EntityDescription[],
  declared: ReadonlySet<object>,
): readonly EnumDescription[] {
  const exported = [...declared].filter((object) => isPgEnum(object)).map(describeDeclaredEnum);
  const found = new Map<string, EnumDescription>();
  for (const described of [...entities.flatMap((entity) => entity.enums), ...exported]) {
    const known = found.get(described.name);
    if (known !== undefined && JSON.stringify(known.values) !== JSON.stringify(described.values)) {
      throw new SchemaError(`two enums are called "${described.name}" and have different values`);
    }
    found.set(described.name, known ?? described);
  }
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function rolesOf(
  policies: readonly PolicyDescription[],
  objects: readonly ObjectDescription[],
): readonly string[] {
  const quoted = [
    ...policies.flatMap((policy) => policy.roles),
    ...objects.flatMap((object) => (object.kind === "grant" ? object.roles : [])),
  ];
  // Words such as `public` stand bare; roles are quoted.
  const names = quoted
    .filter((role) => role.startsWith('"'))
    .map((role) => role.slice(1, -1).replaceAll('""', '"'));
  return [...new Set(names)].sort();
}
