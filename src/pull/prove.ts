import * as drizzle from "drizzle-orm";
import * as pgCore from "drizzle-orm/pg-core";
import {
  type Catalog,
  type CatalogDifference,
  compareCatalogs,
  planDifference,
  readCatalog,
  renderSchema,
} from "../catalog/index.ts";
import type { Connection } from "../driver/index.ts";
import { PlinthError } from "../errors/index.ts";
import type { Behaviour } from "../schema/index.ts";
import * as schema from "../schema/index.ts";
import type { Shadow } from "../shadow/index.ts";
import { quoteIdentifier } from "../sql/index.ts";

/** What a written schema turned out to be. */
export type Proof =
  | { readonly kind: "built"; readonly differences: readonly CatalogDifference[] }
  /** It cannot be loaded or built, and why. */
  | { readonly kind: "failed"; readonly why: string };

/** Where it is built. */
export interface ProofGround {
  readonly shadow: Shadow;
  readonly behaviours: readonly Behaviour[];
}

/**
 * Runs a written schema, builds what it declares on a shadow database, and compares that with `live`.
 *
 * @param body the schema as the body of a function: `writeSchema(…, "javascript")`
 */
export async function proveSchema(ground: ProofGround, body: string, live: Catalog): Promise<Proof> {
  try {
    const built = await buildSchema(ground, load(body));
    // Two versions have other words for one view, so the database's are read by the shadow server first.
    const isSame = live.serverVersion === built.serverVersion;
    return {
      kind: "built",
      differences: compareCatalogs(isSame ? live : await rebuild(ground, live), built),
    };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return {
      kind: "failed",
      why: error instanceof PlinthError ? error.summary : error.message,
    };
  }
}

/** Every name and text of the database in it is quoted by `literal.ts`, which is what makes running it safe. */
function load(body: string): Readonly<Record<string, unknown>> {
  const modules = { "drizzle-orm": drizzle, "drizzle-orm/pg-core": pgCore, "plinth/schema": schema };
  const run = new Function("modules", `"use strict";\n${body}`);
  const exported: unknown = run(modules);
  return typeof exported === "object" && exported !== null ? { ...exported } : {};
}

async function buildSchema(
  { shadow, behaviours }: ProofGround,
  module: Readonly<Record<string, unknown>>,
): Promise<Catalog> {
  const description = schema.describeSchema(module);
  const { up, roles } = renderSchema(description, behaviours);
  await shadow.ensureRoles(roles);
  const home = description.schemas[0] ?? "public";
  return onShadow(shadow, home, async (connection) => {
    for (const statement of up) await connection.script(statement);
    return readCatalog(connection, home);
  });
}

/** What the database has, built from its own words on the shadow server. */
async function rebuild({ shadow }: ProofGround, live: Catalog): Promise<Catalog> {
  return onShadow(shadow, live.home, async (connection) => {
    const empty = await readCatalog(connection, live.home);
    const { statements } = planDifference(empty, live, { online: false });
    for (const statement of statements) await connection.script(statement);
    return readCatalog(connection, live.home);
  });
}

/** In a database of its own, with `search_path` set to the schema. */
async function onShadow<T>(
  shadow: Shadow,
  home: string,
  work: (connection: Connection) => Promise<T>,
): Promise<T> {
  const database = await shadow.createDatabase();
  try {
    return await database.use(async (connection) => {
      const path = quoteIdentifier(home);
      await connection.script(`create schema if not exists ${path};\nset search_path to ${path}`);
      return work(connection);
    });
  } finally {
    await database.drop();
  }
}
