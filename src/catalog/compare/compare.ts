import type { Catalog } from "../model.ts";
import { alignNames } from "./align-names.ts";
import { type Entry, entriesOf } from "./entries.ts";
import { withoutHome } from "./without-home.ts";

/** An object that two catalogs do not share in the same form. */
export interface CatalogDifference {
  /** A kind of object, or `column`, `comment`, `grant`. */
  readonly kind: string;
  /**
   * Within home, or with its schema; a part of a table as `tasks.title`. Of a comment or a right: the object it
   * belongs to with its kind, such as `column tasks.title` or `table tasks to web`.
   */
  readonly name: string;
  /** The definition on either side; `undefined` where there is none. */
  readonly left: string | undefined;
  readonly right: string | undefined;
}

/**
 * What is on one side only, or different; empty means equal. Columns are the same by name, wherever they stand. A
 * generated name does not count: a constraint or index of the same table and definition is the same one where either
 * name is the server's or Drizzle's own making. The home schema's name does not count either.
 *
 * Ordered by kind and name. Costs no round trip.
 *
 * @example
 * ```ts
 * compareCatalogs(await readCatalog(live, "tracker"), await readCatalog(shadow, "tracker"));
 * // [{ kind: "index", name: "tasks_due_date_idx", left: undefined, right: "CREATE INDEX …" }]
 * ```
 */
export function compareCatalogs(left: Catalog, right: Catalog): readonly CatalogDifference[] {
  if (left.home !== right.home) return compareAtHome(withoutHome(left), withoutHome(right));
  return compareAtHome(left, right);
}

function compareAtHome(left: Catalog, right: Catalog): readonly CatalogDifference[] {
  const aligned = alignNames(right, left);
  const [lefts, rights] = [entriesOf(left), entriesOf(aligned)];
  const known = [idsOf(left), idsOf(aligned)] as const;
  const differences: CatalogDifference[] = [];
  for (const key of new Set([...lefts.keys(), ...rights.keys()])) {
    const [one, other] = [lefts.get(key), rights.get(key)];
    const entry = one ?? other;
    if (entry === undefined || one?.text === other?.text || goesWithItsObject(entry, known)) continue;
    differences.push({ kind: entry.kind, name: entry.name, left: one?.text, right: other?.text });
  }
  return differences.sort(byKindAndName);
}

/** Where an object is on one side only, its comment and rights say nothing more. */
function goesWithItsObject(
  { of }: Entry,
  sides: readonly [ReadonlySet<string>, ReadonlySet<string>],
): boolean {
  return of !== undefined && !sides.every((ids) => ids.has(of));
}

function idsOf({ objects }: Catalog): ReadonlySet<string> {
  return new Set(
    objects.flatMap((object) =>
      object.kind === "table" ? [object.id, ...object.columns.map(({ id }) => id)] : [object.id],
    ),
  );
}

function byKindAndName(left: CatalogDifference, right: CatalogDifference): number {
  if (left.kind !== right.kind) return left.kind < right.kind ? -1 : 1;
  if (left.name === right.name) return 0;
  return left.name < right.name ? -1 : 1;
}
