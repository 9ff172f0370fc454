/** Everything that is neither a table nor an index, as far as it touches one. */
import type {
  AlterDomainStmt,
  AlterSeqStmt,
  CommentStmt,
  CreateTrigStmt,
  GrantStmt,
  Node,
  RenameStmt,
} from "libpg-query";
import type { CatalogView, Relation } from "../catalog-view.ts";
import type { LockMode } from "../model.ts";
import { nameOfNode, relationName, stringsIn, wordsOf } from "../names.ts";
import type { EffectSet } from "./effect-set.ts";
import { constraintOf, familyOf, lockAll, stored } from "./family.ts";

/** `… rename`. */
export async function rename(statement: RenameStmt, view: CatalogView, effects: EffectSet): Promise<void> {
  const relation =
    statement.relation === undefined ? undefined : await view.find(relationName(statement.relation));
  if (relation === undefined) return;
  switch (statement.renameType) {
    case "OBJECT_COLUMN":
      return lockAll(effects, await familyOf(view, relation), "AccessExclusiveLock");
    case "OBJECT_TABCONSTRAINT": {
      effects.lock(relation, "AccessExclusiveLock");
      const constraint = constraintOf(relation, statement.subname);
      const index = relation.indexes.find((one) => one.constraint === statement.subname);
      if (index !== undefined) effects.lock(index, "ShareUpdateExclusiveLock");
      if (constraint?.kind !== "check" || constraint.isNoInherit) return;
      return lockAll(effects, await familyOf(view, relation), "AccessExclusiveLock");
    }
    case "OBJECT_TRIGGER":
      return lockAll(
        effects,
        relation.kind === "partitioned" ? await familyOf(view, relation) : [relation],
        "AccessExclusiveLock",
      );
    case "OBJECT_INDEX": {
      const isIndex = relation.kind === "index" || relation.kind === "partitioned-index";
      return effects.lock(relation, isIndex ? "ShareUpdateExclusiveLock" : "AccessExclusiveLock");
    }
    default:
      effects.lock(relation, "AccessExclusiveLock");
  }
}

/** `set schema`: owned sequences move along. */
export async function moveToSchema(relation: Relation, view: CatalogView, effects: EffectSet): Promise<void> {
  effects.lock(relation, "AccessExclusiveLock");
  for (const { id } of relation.sequences) {
    const sequence = await view.get(id);
    if (sequence !== undefined) effects.lock(sequence, "AccessExclusiveLock");
  }
}

/** `comment on`. */
export async function comment(statement: CommentStmt, view: CatalogView, effects: EffectSet): Promise<void> {
  const words = wordsOf(statement.object);
  const lock = async (path: readonly string[], mode: LockMode): Promise<void> => {
    const relation = await view.find({ schema: path.at(-2), name: path.at(-1) ?? "" });
    if (relation !== undefined) effects.lock(relation, mode);
  };
  switch (statement.objtype) {
    case "OBJECT_TABLE":
    case "OBJECT_VIEW":
    case "OBJECT_MATVIEW":
    case "OBJECT_INDEX":
    case "OBJECT_SEQUENCE":
      return lock(words, "ShareUpdateExclusiveLock");
    case "OBJECT_COLUMN":
      return lock(words.slice(0, -1), "ShareUpdateExclusiveLock");
    case "OBJECT_TABCONSTRAINT":
    case "OBJECT_TRIGGER":
    case "OBJECT_RULE":
    case "OBJECT_POLICY":
      return lock(words.slice(0, -1), "AccessShareLock");
    default:
      return;
  }
}

/** `grant` and `revoke`. Before 18 the tables are not locked. */
export async function grant(statement: GrantStmt, view: CatalogView, effects: EffectSet): Promise<void> {
  const isAboutTables = statement.objtype === "OBJECT_TABLE" || statement.objtype === "OBJECT_SEQUENCE";
  if (view.serverVersion < 18 || !isAboutTables || statement.targtype !== "ACL_TARGET_OBJECT") return;
  for (const object of statement.objects ?? []) {
    if (!("RangeVar" in object)) continue;
    const relation = await view.find(relationName(object.RangeVar));
    if (relation !== undefined) effects.lock(relation, "AccessShareLock");
  }
}

export async function createTrigger(
  statement: CreateTrigStmt,
  view: CatalogView,
  effects: EffectSet,
): Promise<void> {
  const relation = await view.find(relationName(statement.relation));
  if (relation !== undefined) {
    const isOnParts = statement.row === true && relation.kind === "partitioned";
    lockAll(effects, isOnParts ? await familyOf(view, relation) : [relation], "ShareRowExclusiveLock");
  }
  const other =
    statement.constrrel === undefined ? undefined : await view.find(relationName(statement.constrrel));
  if (other !== undefined) effects.lock(other, "AccessShareLock");
}

/** `alter domain`: a new rule is checked in every table that uses the domain. */
export async function alterDomain(
  { subtype, def, typeName }: AlterDomainStmt,
  view: CatalogView,
  effects: EffectSet,
): Promise<void> {
  const isSkipped = def !== undefined && "Constraint" in def && def.Constraint.skip_validation === true;
  const isChecked = subtype === "O" || subtype === "V" || (subtype === "C" && !isSkipped);
  if (!isChecked) return;
  const words = stringsIn(typeName);
  const tables = await view.tablesOfType({ schema: words.at(-2), name: words.at(-1) ?? "" });
  if (tables === undefined) return effects.unknown("which tables use the domain is not known");
  for (const table of stored(tables)) {
    effects.lock(table, "ShareLock");
    effects.scan(table);
  }
}

/** `alter sequence`. */
export async function alterSequence(
  statement: AlterSeqStmt,
  view: CatalogView,
  effects: EffectSet,
): Promise<void> {
  const sequence = await view.find(relationName(statement.sequence));
  if (sequence === undefined) return;
  effects.lock(sequence, "ShareRowExclusiveLock");
  await ownedBy(statement.options, view, effects);
}

/** `owned by table.column` looks at the table. */
export async function ownedBy(
  options: readonly Node[] | undefined,
  view: CatalogView,
  effects: EffectSet,
): Promise<void> {
  for (const node of options ?? []) {
    if (!("DefElem" in node) || node.DefElem.defname !== "owned_by") continue;
    const words = wordsOf(node.DefElem.arg);
    const table =
      words.length < 2 ? undefined : await view.find({ schema: words.at(-3), name: words.at(-2) ?? "" });
    if (table !== undefined) effects.lock(table, "AccessShareLock");
  }
}

/** Each of the named relations, with one lock. */
export async function lockNamed(
  nodes: readonly Node[] | undefined,
  mode: LockMode,
  view: CatalogView,
  effects: EffectSet,
): Promise<void> {
  for (const node of nodes ?? []) {
    const name = "RangeVar" in node ? relationName(node.RangeVar) : nameOfNode(node);
    const relation = await view.find(name);
    if (relation !== undefined) effects.lock(relation, mode);
  }
}
