import type { Catalog } from "../../catalog/index.ts";
import type { DatabaseShape, TableShape } from "./shape.ts";

/** A table, or a partitioned one with all that can hold its rows. */
export interface Family {
  readonly id: string;
  readonly label: string;
  readonly root: TableShape;
  /** Where rows go: the table itself, or its partitions at the end of the tree. */
  readonly parts: readonly TableShape[];
}

/** Tables of the catalog that are no partition, with the partitions below each. */
export function familiesOf(catalog: Catalog, { tables }: DatabaseShape): ReadonlyMap<string, Family> {
  const labels = new Map<string, string>();
  for (const object of catalog.objects) {
    if (object.kind !== "table") continue;
    labels.set(
      JSON.stringify([object.schema ?? catalog.home, object.name]),
      object.id.slice("table ".length),
    );
  }
  const families = new Map<string, Family>();
  for (const table of tables.values()) {
    const label = labels.get(JSON.stringify([table.schema, table.name]));
    if (label === undefined || table.partitionOf !== undefined) continue;
    families.set(table.id, { id: table.id, label, root: table, parts: partsOf(table, tables) });
  }
  return families;
}

function partsOf(table: TableShape, tables: ReadonlyMap<string, TableShape>): readonly TableShape[] {
  if (!table.isPartitioned) return [table];
  return [...tables.values()]
    .filter((other) => other.partitionOf === table.id)
    .flatMap((partition) => partsOf(partition, tables));
}

export function present(
  families: ReadonlyMap<string, Family>,
  id: string,
): readonly (readonly [string, Family])[] {
  const family = families.get(id);
  return family === undefined ? [] : [[id, family]];
}

/** Which families each refers to, by those of its foreign keys that count. */
export function needsOf(
  families: ReadonlyMap<string, Family>,
  counts: (table: TableShape, columns: readonly string[], isMatchFull: boolean) => boolean,
): ReadonlyMap<string, ReadonlySet<string>> {
  const owners = new Map<string, string>();
  for (const { id, root, parts } of families.values()) {
    owners.set(root.id, id);
    for (const part of parts) owners.set(part.id, id);
  }
  return new Map(
    [...families].map(([id, { parts }]) => [
      id,
      new Set(
        parts.flatMap((part) =>
          part.foreignKeys
            .filter((key) => counts(part, key.columns, key.isMatchFull))
            .flatMap((key) => owners.get(key.target) ?? []),
        ),
      ),
    ]),
  );
}

/** No column of the key may be empty (with MATCH FULL: not all of them), so a row needs its parent at once. */
export function isHard(table: TableShape, columns: readonly string[], isMatchFull: boolean): boolean {
  const nullable = table.columns.filter(({ name, notNull }) => columns.includes(name) && !notNull);
  return isMatchFull ? nullable.length < columns.length : nullable.length === 0;
}

export function needsItself(families: ReadonlyMap<string, Family>): boolean {
  return [...needsOf(families, () => true)].some(([id, needs]) => needs.has(id));
}
