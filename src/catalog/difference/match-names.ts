import { alignNames } from "../compare/align-names.ts";
import type { Catalog, CatalogObject } from "../model.ts";
import { refTo, sqlName } from "./names.ts";
import { namesOf } from "./sides.ts";
import { RANK, type Step } from "./step.ts";

/** Both catalogs with the same names for the same things, and what renames those of the database. */
export interface Matched {
  readonly from: Catalog;
  readonly to: Catalog;
  readonly renames: readonly Step[];
}

/**
 * A constraint or index that differs in nothing but its name keeps what it has built: it is renamed. Names that
 * somebody made up by rule stay as they are.
 */
export function matchNames(from: Catalog, to: Catalog, spareName: (name: string) => string): Matched {
  const wanted = alignNames(to, from);
  const renamed = alignNames({ ...from, objects: from.objects.map(asGenerated) }, wanted);
  const pairs = from.objects.flatMap((object, index) => {
    const other = renamed.objects[index];
    return other === undefined || other.id === object.id ? [] : [{ object, other }];
  });
  const held = new Set(from.objects.flatMap(namesOf));
  return {
    from: {
      ...renamed,
      objects: renamed.objects.map((object, index) => ownName(object, from.objects[index])),
    },
    to: wanted,
    renames: pairs.flatMap(({ object, other }) => rename(object, other, held, spareName)),
  };
}

/** Of a generated name it is known that it may differ; here every name may. */
function asGenerated(object: CatalogObject): CatalogObject {
  return object.kind === "constraint" || object.kind === "index"
    ? { ...object, isNameGenerated: true }
    : object;
}

function ownName(object: CatalogObject, original: CatalogObject | undefined): CatalogObject {
  const isPart = object.kind === "constraint" || object.kind === "index";
  return isPart && original?.kind === object.kind
    ? { ...object, isNameGenerated: original.isNameGenerated }
    : object;
}

function rename(
  from: CatalogObject,
  to: CatalogObject,
  held: ReadonlySet<string>,
  spareName: (name: string) => string,
): readonly Step[] {
  // The parent's statement renames it.
  if (from.kind === "constraint" && from.isInherited) return [];
  const isHeld = namesOf(to).some((name) => held.has(name));
  if (!isHeld) return [{ rank: RANK.rename, statements: [renaming(from, from.name, to.name)] }];
  // Two may exchange their names, or more of them in a ring.
  const spare = spareName(to.name);
  return [
    { rank: RANK.rename, statements: [renaming(from, from.name, spare)], givesUp: namesOf(from) },
    {
      rank: RANK.rename,
      statements: [renaming(from, spare, to.name)],
      takes: namesOf(to),
    },
  ];
}

function renaming(object: CatalogObject, from: string, to: string): string {
  if (object.kind !== "constraint")
    return `alter index ${refTo({ schema: object.schema, name: from })} rename to ${sqlName(to)}`;
  const table = object.table.slice("table ".length);
  return `alter table ${table} rename constraint ${sqlName(from)} to ${sqlName(to)}`;
}
