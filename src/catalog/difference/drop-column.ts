import type { CatalogColumn, TableObject } from "../model.ts";
import { allowing } from "./allow.ts";
import { columnPath, followsParents, type Ground } from "./ground.ts";
import { sqlName } from "./names.ts";
import { namesOf, needsOf, type PartObject } from "./sides.ts";
import { RANK, type Step } from "./step.ts";

const AGAIN = "a column of its name, computed anew, takes its place before anybody can look";

/** Takes a column away, for good or to add it again in another form, with what the server takes along. */
export function dropColumn(
  ground: Ground,
  table: TableObject,
  column: CatalogColumn,
  isAddedAgain: boolean,
): readonly Step[] {
  if (goesWithParent(ground, table, column)) return [];
  const isLeftBelow = keepsBelow(ground, table, column);
  const along = isLeftBelow ? [column.id] : columnsBelow(ground, table, column);
  const taken = along.flatMap((id) => partsTaken(ground, id));
  const sequences = [...ground.from.objects.values()].filter(
    (object) =>
      object.kind === "sequence" &&
      object.ownedBy !== undefined &&
      along.includes(object.ownedBy) &&
      ground.fateOf(object.id) === "drop",
  );
  if (column.generated === undefined && !ground.from.kept.has(column.id)) {
    ground.losses.push({ object: columnPath(ground, table, column.name), what: "data" });
  }
  const only = isLeftBelow ? "only " : "";
  const statement = `alter table ${only}${ground.ref(table.id)} drop column ${sqlName(column.name)}`;
  const isComputedAgain = isAddedAgain && ground.from.kept.has(column.id) && ground.isBusy(table.id);
  return [
    {
      rank: isAddedAgain ? RANK.retype : RANK.dropColumn,
      statements: [allowing(isComputedAgain, "breaks/drop-column", AGAIN, statement)],
      drops: [...along, ...taken.map(({ id }) => id), ...sequences.map(({ id }) => id)],
      frees: ground.lateNeeds([
        ...along.flatMap((id) => ground.from.columns.get(id)?.column.dependsOn ?? []),
        ...taken.flatMap(needsOf),
      ]),
      givesUp: [...along, ...[...taken, ...sequences].flatMap(namesOf)],
    },
  ];
}

/** The statement about the parent's column drops it here too. */
function goesWithParent(ground: Ground, table: TableObject, column: CatalogColumn): boolean {
  if (!column.isInherited || !followsParents(ground, table)) return false;
  return [...ground.from.children.entries()].some(([parentId, children]) => {
    if (!children.some(({ id }) => id === table.id)) return false;
    const parent = ground.from.objects.get(parentId);
    if (parent?.kind !== "table" || !ground.isKept(parentId)) return false;
    const above = parent.columns.find(({ name }) => name === column.name);
    const fate = above === undefined ? undefined : ground.decisions.columns.get(above.id);
    const goes = fate === "drop" || fate === "anew";
    return above !== undefined && goes && !keepsBelow(ground, parent, above);
  });
}

/** An heir keeps as its own what it had from its parent. */
function keepsBelow(ground: Ground, table: TableObject, column: CatalogColumn): boolean {
  if (ground.decisions.columns.get(column.id) !== "drop") return false;
  return (ground.from.children.get(table.id) ?? []).some((child) => {
    const below = child.columns.find(({ name }) => name === column.name);
    return below?.isInherited === true && followsParents(ground, child) && ground.to.columns.has(below.id);
  });
}

/** Ids of the column here and in every partition and heir. */
function columnsBelow(ground: Ground, table: TableObject, column: CatalogColumn): readonly string[] {
  const below = (ground.from.children.get(table.id) ?? []).flatMap((child) => {
    const own = child.columns.find(({ name }) => name === column.name);
    const goes = own?.isInherited === true && followsParents(ground, child);
    return own !== undefined && goes ? columnsBelow(ground, child, own) : [];
  });
  return [column.id, ...below];
}

/** Keys, checks, indexes and statistics of nothing but dropped columns need no statement of their own. */
function partsTaken(ground: Ground, columnId: string): readonly PartObject[] {
  const place = ground.from.columns.get(columnId);
  const parts = place === undefined ? [] : (ground.from.parts.get(place.table.id) ?? []);
  return parts.filter((part) => isTakenAlong(ground, part) && columnIdsOf(ground, part).includes(columnId));
}

/** The part is gone for good, and so is all that it was about. */
export function isTakenAlong(ground: Ground, part: PartObject): boolean {
  if (ground.fateOf(part.id) !== "drop" || !("columns" in part)) return false;
  const ids = columnIdsOf(ground, part);
  return ids.length > 0 && ids.every((id) => ground.decisions.columns.get(id) === "drop");
}

/** Ids of the columns of its own table that a key, check or index is about. */
function columnIdsOf(ground: Ground, part: PartObject): readonly string[] {
  if (!("columns" in part)) return [];
  const table = ground.from.objects.get(part.table);
  if (table?.kind !== "table" || part.columns.some((column) => column === undefined)) return [];
  const named = table.columns.filter(({ name }) => part.columns.includes(name)).map(({ id }) => id);
  const needed = part.dependsOn.filter((id) => ground.from.columns.get(id)?.table.id === part.table);
  return [...new Set([...named, ...needed])];
}
