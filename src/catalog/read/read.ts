import type { Connection } from "../../driver/index.ts";
import type { Catalog, CatalogObject, ObjectKind } from "../model.ts";
import { askServer } from "./answers.ts";
import { groundOf } from "./ground.ts";
import { otherObjects } from "./others.ts";
import { partObjects } from "./parts.ts";
import { relationObjects } from "./relations.ts";
import { extensionObjects, routineObjects, schemaObjects } from "./routines.ts";
import { typeObjects } from "./types.ts";

/** What `readCatalog` reads. */
export interface ReadCatalogOptions {
  /** Schemas to read besides home; `"all"`: every one but the server's own. @default none */
  readonly schemas?: readonly string[] | "all" | undefined;
}

/**
 * Reads a live database into the typed model, as it is at one moment. Extensions are read wherever they are; what
 * belongs to one is not, and neither are Plinth's own tables.
 *
 * One round trip; ACCESS SHARE locks on what views and expressions speak of, held until the answer is there. The
 * session's settings are as before afterwards. Inside a transaction that is open it reads in that one.
 *
 * @param home the application's schema, whose names stand bare
 *
 * @example
 * ```ts
 * const { objects } = await db.pool.use((connection) => readCatalog(connection, "tracker"));
 * objects.filter((object) => object.kind === "table").map((table) => table.name); // ["projects", "tasks"]
 * ```
 */
export async function readCatalog(
  connection: Connection,
  home: string,
  options: ReadCatalogOptions = {},
): Promise<Catalog> {
  const { schemas = [] } = options;
  const answers = await askServer(connection, home, schemas === "all" ? undefined : [home, ...schemas]);
  const ground = groundOf(answers, home);
  const objects: readonly CatalogObject[] = [
    ...schemaObjects(ground),
    ...extensionObjects(ground, home),
    ...typeObjects(ground),
    ...relationObjects(ground),
    ...routineObjects(ground),
    ...partObjects(ground),
    ...otherObjects(ground),
  ];
  return { home, serverVersion: answers.serverVersion, objects: objects.toSorted(byKindAndId) };
}

const KINDS: readonly ObjectKind[] = [
  "schema",
  "extension",
  "collation",
  "enum",
  "composite type",
  "domain",
  "range type",
  "sequence",
  "table",
  "foreign server",
  "foreign table",
  "constraint",
  "index",
  "statistics",
  "view",
  "materialized view",
  "rule",
  "function",
  "procedure",
  "aggregate",
  "operator",
  "operator class",
  "cast",
  "text search dictionary",
  "text search configuration",
  "trigger",
  "event trigger",
  "policy",
  "publication",
];

function byKindAndId(left: CatalogObject, right: CatalogObject): number {
  const kinds = KINDS.indexOf(left.kind) - KINDS.indexOf(right.kind);
  if (kinds !== 0) return kinds;
  return left.id < right.id ? -1 : 1;
}
