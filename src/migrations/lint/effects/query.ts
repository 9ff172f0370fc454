import type { Node } from "libpg-query";
import type { CatalogView, PlanFacts, Relation } from "../catalog-view.ts";
import type { LockMode } from "../model.ts";
import type { EffectSet } from "./effect-set.ts";
import { familyOf, lockIndexes, stored } from "./family.ts";
import { hasIndexFor } from "./index-use.ts";
import { partsForRows } from "./partition-route.ts";
import { type Mention, mentionsIn } from "./query-relations.ts";
import { callEffects, type Routines } from "./routine.ts";
import { writeEffects } from "./write.ts";

/** How far a query gets: the server analyses it, plans it, or runs it. */
export type QueryReach = "analysed" | "planned" | "run";

/** `select`, `insert`, `update`, `delete`, `merge`, and queries inside other statements. */
export async function queryEffects(
  tree: Node,
  text: string,
  reach: QueryReach,
  view: CatalogView,
  effects: EffectSet,
  routines: Routines,
): Promise<void> {
  const mentions = mentionsIn(tree);
  const plan = reach === "analysed" || mentions.length === 0 ? undefined : await view.plan(text);
  for (const mention of mentions)
    await mentionEffects(mention, { tree, reach, plan, view, effects, routines });
  if (reach === "run") await callEffects(tree, view, effects, routines);
}

interface QueryGround {
  readonly tree: Node;
  readonly reach: QueryReach;
  readonly plan: PlanFacts | undefined;
  readonly view: CatalogView;
  readonly effects: EffectSet;
  readonly routines: Routines;
}

async function mentionEffects(mention: Mention, ground: QueryGround): Promise<void> {
  const { view, effects, reach, routines } = ground;
  const relation = await view.find(mention.name);
  if (relation === undefined) return;
  await lockMentioned(relation, mention, ground, new Set());
  if (reach !== "run") return;
  for (const write of mention.writes) {
    const table = relation.kind === "view" ? await tableBehind(view, relation) : relation;
    if (table !== undefined) await writeEffects(table, write, view, effects, routines);
  }
}

/** A view's own tables come with it, read, or written where the view is. */
async function lockMentioned(
  relation: Relation,
  mention: Mention,
  ground: QueryGround,
  seen: Set<string>,
): Promise<void> {
  const { view, effects, reach } = ground;
  if (seen.has(relation.id)) return;
  seen.add(relation.id);
  effects.lock(relation, mention.mode);
  if (reach === "analysed") return;
  if (relation.kind !== "view") return lockPlanned(relation, mention, ground);
  const behind = await view.readBy(relation.id);
  if (behind === undefined) return effects.unknown(`what the view ${relation.label} reads is not known`);
  const target = mention.writes.length > 0 ? await tableBehind(view, relation) : undefined;
  for (const one of behind) {
    const isTarget = one.id === target?.id;
    const mode: LockMode = isTarget || mention.mode === "RowShareLock" ? mention.mode : "AccessShareLock";
    const inner = isTarget ? mention : { ...mention, mode, writes: [], isPlanned: true };
    await lockMentioned(one, inner, ground, seen);
  }
}

/** The table that a write to a simple view ends in. */
async function tableBehind(view: CatalogView, relation: Relation): Promise<Relation | undefined> {
  const behind = (await view.readBy(relation.id)) ?? [];
  const [first] = behind;
  return behind.length === 1 && first?.kind === "view" ? tableBehind(view, first) : first;
}

async function lockPlanned(relation: Relation, mention: Mention, ground: QueryGround): Promise<void> {
  const { view, effects, reach } = ground;
  const family = mention.isOnly ? [relation] : await familyOf(view, relation);
  const members = await membersIn(relation, family, mention, ground);
  for (const member of members) effects.lock(member, mention.mode);
  if (!mention.isPlanned) return;
  lockIndexes(effects, members, mention.mode, view.serverVersion);
  if (reach !== "run") return;
  for (const member of stored(members)) if (isScanned(member, ground)) effects.scan(member);
}

/** Parts that the planner leaves out, or that no new row goes to, are not even locked. */
async function membersIn(
  relation: Relation,
  family: readonly Relation[],
  { isPlanned }: Mention,
  { plan, view, tree }: QueryGround,
): Promise<readonly Relation[]> {
  if (family.length === 1) return family;
  if (!isPlanned) {
    // Inheritance sends no rows to children; partitions do.
    const parts = relation.kind === "partitioned" ? await partsForRows(view, relation, tree) : [];
    return parts === undefined ? family : [relation, ...parts];
  }
  if (plan === undefined) return family;
  const used = new Set([
    ...plan.reads.map(({ relation }) => relation.id),
    ...plan.writes.map(({ id }) => id),
  ]);
  return family.filter(
    (member, at) => at === 0 || used.has(member.id) || member.children.some((child) => used.has(child)),
  );
}

function isScanned(relation: Relation, { plan, tree }: QueryGround): boolean {
  if (plan === undefined) return !hasIndexFor(relation, tree);
  return plan.reads.some((read) => read.relation.id === relation.id && read.isSequential);
}
