import type { DropStmt, Node } from "libpg-query";
import type { CatalogView, DropSeed, Relation } from "../catalog-view.ts";
import { nameIn, nameOfNode, wordsOf } from "../names.ts";
import type { EffectSet } from "./effect-set.ts";
import { familyOf, lockAll } from "./family.ts";

/** `drop …`: what is dropped, what goes with it, and the tables that those belong to. */
export async function drop(statement: DropStmt, view: CatalogView, effects: EffectSet): Promise<void> {
  const objects = statement.objects ?? [];
  switch (statement.removeType) {
    case "OBJECT_INDEX":
      if (statement.concurrent === true) return dropIndexConcurrently(objects, view, effects);
      return dropRelations(objects, view, effects);
    case "OBJECT_TABLE":
    case "OBJECT_VIEW":
    case "OBJECT_MATVIEW":
    case "OBJECT_SEQUENCE":
    case "OBJECT_FOREIGN_TABLE":
      return dropRelations(objects, view, effects);
    case "OBJECT_TRIGGER":
    case "OBJECT_RULE":
    case "OBJECT_POLICY":
      return dropParts(statement, view, effects);
    case "OBJECT_STATISTIC_EXT":
      return dropStatistics(objects, view, effects);
    default:
      return dropOthers(statement, view, effects);
  }
}

async function dropRelations(objects: readonly Node[], view: CatalogView, effects: EffectSet): Promise<void> {
  const seeds: DropSeed[] = [];
  for (const object of objects) {
    const relation = await view.find(nameOfNode(object));
    if (relation === undefined) continue;
    effects.lock(relation, "AccessExclusiveLock");
    if (!relation.isKnown) effects.unknown(`what goes with ${relation.label} is not known`);
    seeds.push({ kind: "relation", id: relation.id });
  }
  await dropSeeds(seeds, view, effects);
}

async function dropSeeds(seeds: readonly DropSeed[], view: CatalogView, effects: EffectSet): Promise<void> {
  if (seeds.length === 0) return;
  const locks = await view.dropLocks(seeds);
  if (locks === undefined) return effects.unknown("what goes with it is not known");
  for (const { relation, mode } of locks) effects.lock(relation, mode);
}

/** The table goes on being read and written while the server waits for those who use the index. */
async function dropIndexConcurrently(
  objects: readonly Node[],
  view: CatalogView,
  effects: EffectSet,
): Promise<void> {
  for (const object of objects) {
    const index = await view.find(nameOfNode(object));
    if (index === undefined) continue;
    const table = await view.get(index.tableId ?? "");
    if (table !== undefined) effects.lock(table, "ShareUpdateExclusiveLock");
    effects.lock(index, "AccessExclusiveLock");
  }
}

/** Triggers, rules and policies are named after their table. */
async function dropParts(statement: DropStmt, view: CatalogView, effects: EffectSet): Promise<void> {
  for (const object of statement.objects ?? []) {
    const words = wordsOf(object);
    const name = words.at(-1) ?? "";
    const table = await view.find({ schema: words.at(-3), name: words.at(-2) ?? "" });
    if (table === undefined) continue;
    const isMissing =
      statement.removeType === "OBJECT_TRIGGER" &&
      table.isKnown &&
      !table.triggers.some((trigger) => trigger.name === name);
    const isThere = !isMissing && (await hasPart(view, table, statement, name));
    if (!isThere) continue;
    const isRowTrigger = statement.removeType === "OBJECT_TRIGGER" && table.kind === "partitioned";
    lockAll(effects, isRowTrigger ? await familyOf(view, table) : [table], "AccessExclusiveLock");
  }
}

/** `if exists` of a policy or rule that is not there locks nothing. */
async function hasPart(
  view: CatalogView,
  table: Relation,
  { removeType, missing_ok }: DropStmt,
  name: string,
): Promise<boolean> {
  if (missing_ok !== true || removeType === "OBJECT_TRIGGER") return true;
  const kind = removeType === "OBJECT_POLICY" ? "policy" : "rule";
  return (await view.hasPart(table.id, kind, name)) !== false;
}

async function dropStatistics(
  objects: readonly Node[],
  view: CatalogView,
  effects: EffectSet,
): Promise<void> {
  const seeds = objects.map((object): DropSeed => ({ kind: "statistics", name: nameOfNode(object) }));
  await dropSeeds(seeds, view, effects);
}

/** Types, functions, schemas and what else tables may depend on. */
async function dropOthers(statement: DropStmt, view: CatalogView, effects: EffectSet): Promise<void> {
  const seeds = (statement.objects ?? []).flatMap((object) => seedOf(statement, object));
  if (seeds.length > 0) return dropSeeds(seeds, view, effects);
  if (statement.behavior === "DROP_CASCADE") effects.unknown("what goes with it is not known");
}

function seedOf({ removeType }: DropStmt, object: Node): readonly DropSeed[] {
  switch (removeType) {
    case "OBJECT_TYPE":
    case "OBJECT_DOMAIN":
      return [{ kind: "type", name: nameOfNode(object) }];
    case "OBJECT_SCHEMA":
      return [{ kind: "schema", name: { schema: undefined, name: wordsOf(object).at(-1) ?? "" } }];
    case "OBJECT_EXTENSION":
      return [{ kind: "extension", name: wordsOf(object).at(-1) ?? "" }];
    case "OBJECT_FUNCTION":
    case "OBJECT_PROCEDURE":
    case "OBJECT_ROUTINE":
    case "OBJECT_AGGREGATE": {
      if (!("ObjectWithArgs" in object)) return [];
      const { objname, objargs, args_unspecified } = object.ObjectWithArgs;
      const arity = args_unspecified === true ? undefined : (objargs ?? []).length;
      return [{ kind: "function", name: nameIn(objname), arity }];
    }
    default:
      return [];
  }
}
