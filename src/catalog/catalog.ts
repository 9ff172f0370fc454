import type { Connection } from "../driver/index.ts";
import { readObjects } from "./queries.ts";

/** One object of a live schema, as the server itself writes it. */
export interface CatalogObject {
  readonly kind: string;
  /** Within the schema; a part of a table as `table.part`. */
  readonly name: string;
  readonly definition: string;
}

/** A live schema, ordered by kind and name. */
export interface Catalog {
  readonly objects: readonly CatalogObject[];
}

/** An object that two catalogs do not share in the same form. */
export interface CatalogDifference {
  readonly kind: string;
  readonly name: string;
  /** The definition on either side; `undefined` where there is none. */
  readonly left: string | undefined;
  readonly right: string | undefined;
}

/** Plinth's own bookkeeping is not part of an application's schema. */
const OWN_TABLES = ["plinth_migrations"];

/**
 * Reads a schema of a live database. The schema's own name is taken out of the definitions, so that copies under
 * different names compare equal. One round trip; takes no locks beyond those of reading the catalog.
 */
export async function readCatalog(connection: Connection, schema: string): Promise<Catalog> {
  const { rows } = await readObjects(connection, schema);
  const objects = rows.map(([kind, name, definition]) => ({
    kind: kind ?? "",
    name: name ?? "",
    definition: withoutSchema(definition ?? "", schema),
  }));
  return {
    objects: objects.filter(
      ({ name }) =>
        !OWN_TABLES.some((own) => name === own || name.startsWith(`${own}.`) || name.startsWith(`${own}_`)),
    ),
  };
}

/** What is on one side only, or different. Empty means equal. */
export function compareCatalogs(left: Catalog, right: Catalog): readonly CatalogDifference[] {
  const sides = [left, right].map(
    ({ objects }) => new Map(objects.map((object) => [`${object.kind} ${object.name}`, object])),
  );
  const [lefts, rights] = [
    sides[0] ?? new Map<string, CatalogObject>(),
    sides[1] ?? new Map<string, CatalogObject>(),
  ];
  const differences: CatalogDifference[] = [];
  for (const id of new Set([...lefts.keys(), ...rights.keys()])) {
    const [one, other] = [lefts.get(id), rights.get(id)];
    const known = one ?? other;
    if (known === undefined || one?.definition === other?.definition) continue;
    differences.push({ kind: known.kind, name: known.name, left: one?.definition, right: other?.definition });
  }
  return differences;
}

function withoutSchema(definition: string, schema: string): string {
  const quoted = `"${schema.replaceAll('"', '""')}"`;
  return definition
    .replaceAll(`${quoted}.`, "")
    .replaceAll(new RegExp(`\\b${escapeRegExp(schema)}\\.`, "g"), "")
    .replaceAll(new RegExp(`(SET search_path TO )(['"]?)${escapeRegExp(schema)}\\2`, "g"), "$1own");
}

function escapeRegExp(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}
