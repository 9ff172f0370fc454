import type { Node } from "libpg-query";
import type { CatalogView, Relation } from "../catalog-view.ts";
import { nodesIn } from "../effects/expressions.ts";
import { familyOf } from "../effects/family.ts";
import { nameOfNode, relationName } from "../names.ts";
import { batch } from "./backfill.ts";
import { type Draft, listed, type Subject } from "./subject.ts";

/** What loses rows, or writes many of them in one go. */
export async function dataRules(subject: Subject): Promise<readonly Draft[]> {
  const { tree } = subject;
  if ("TruncateStmt" in tree) return truncated(subject);
  if ("DropStmt" in tree && tree.DropStmt.behavior === "DROP_CASCADE") return cascaded(subject);
  if ("UpdateStmt" in tree) return written(subject, "update", tree.UpdateStmt.whereClause);
  if ("DeleteStmt" in tree) return written(subject, "delete", tree.DeleteStmt.whereClause);
  return [];
}

function truncated({ effects, tables: isTable, direction, madeByUp }: Subject): readonly Draft[] {
  const tables = effects.locks.map(({ relation }) => relation).filter((name) => isTable.has(name));
  if (tables.length === 0 || (direction === "down" && tables.every((table) => madeByUp.has(table))))
    return [];
  return [
    {
      rule: "data/truncate",
      why: `every row of ${listed(tables)} is gone, and nobody can read it meanwhile`,
      fix: `-- delete what is not needed in batches; or, where all of it really goes, allow it:
-- plinth:allow data/truncate: …`,
    },
  ];
}

async function cascaded(subject: Subject): Promise<readonly Draft[]> {
  const { tree, view, effects } = subject;
  if (!("DropStmt" in tree)) return [];
  const named = new Set<string>();
  for (const object of tree.DropStmt.objects ?? []) {
    const relation = await view.find(nameOfNode(object));
    if (relation === undefined) continue;
    for (const label of await lockedAnyway(view, relation)) named.add(label);
  }
  const others = effects.locks
    .filter(({ relation, mode }) => mode === "AccessExclusiveLock" && !named.has(relation))
    .map(({ relation }) => relation);
  if (others.length === 0) return [];
  return [
    {
      rule: "data/drop-cascade",
      why: `cascade reaches ${listed(others)}, which the statement does not name`,
      fix: "-- drop what depends on it by name, and then without cascade",
    },
  ];
}

/** What the drop locks without cascade as well: it, its parts, what they own, and where they point to or belong. */
async function lockedAnyway(view: CatalogView, relation: Relation): Promise<readonly string[]> {
  const family = relation.kind === "partitioned" ? await familyOf(view, relation) : [relation];
  const ids = family.flatMap((member) => [
    ...member.sequences.map(({ id }) => id),
    ...member.constraints.flatMap(({ reference }) => reference?.tableId ?? []),
    ...member.parents,
    ...(member.tableId === undefined ? [] : [member.tableId]),
  ]);
  const others = await Promise.all(ids.map((id) => view.get(id)));
  const own = new Set(family.map(({ id }) => id));
  const isPointing = (other: Relation | undefined): boolean =>
    other?.constraints.some(({ reference }) => own.has(reference?.tableId ?? "")) === true;
  return [
    ...family.flatMap(({ label, indexes }) => [label, ...indexes.map((index) => index.label)]),
    // One that points back loses its foreign key.
    ...others.flatMap((other) => (other === undefined || isPointing(other) ? [] : [other.label])),
  ];
}

/** It takes so many rows at once and no more, and is run again for the rest. */
function isBatch(tree: Node): boolean {
  for (const node of nodesIn(tree)) if ("limitCount" in node && node.limitCount !== undefined) return true;
  return false;
}

async function written(
  subject: Subject,
  kind: "update" | "delete",
  where: Node | undefined,
): Promise<readonly Draft[]> {
  const { tree, view, effects } = subject;
  const range =
    "UpdateStmt" in tree
      ? tree.UpdateStmt.relation
      : "DeleteStmt" in tree
        ? tree.DeleteStmt.relation
        : undefined;
  const relation = await view.find(relationName(range));
  if (relation === undefined || !relation.isOld) return [];
  const table = relation.label;
  if (where === undefined && kind === "delete") {
    return [
      {
        rule: "data/delete-all",
        why: `every row of ${table} is deleted, in one transaction that keeps each of them locked until its end`,
        fix: `-- say which rows; in batches:
-- again and again, each time in a transaction of its own, until no row is deleted:
delete from ${table} where ctid in (select ctid from ${table} where … limit 10000);`,
      },
    ];
  }
  const isWhole = where === undefined;
  if (!isWhole && (effects.scans.length === 0 || isBatch(tree))) return [];
  return [
    {
      rule: isWhole ? "data/update-all" : "data/unbatched-write",
      why: isWhole
        ? `every row of ${table} is written in one transaction: writers of a row wait until its end, and the table grows by half as much again and more`
        : `rows are looked for in the whole of ${listed(effects.scans)}, and those that are found stay locked until the transaction ends`,
      fix:
        kind === "update"
          ? batch(relation, "…", "…")
          : `-- again and again, each time in a transaction of its own, until no row is deleted:
delete from ${table} where ctid in (select ctid from ${table} where … limit 10000);`,
    },
  ];
}
