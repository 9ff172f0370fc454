import { type Catalog, type CatalogObject, readCatalog, renderCatalog } from "../../catalog/index.ts";
import { MigrationError } from "../../errors/index.ts";
import type { Shadow } from "../../shadow/index.ts";
import { buildFromStatements } from "../replay.ts";

/**
 * The same catalog as the shadow server would write it. Versions of PostgreSQL word the same view differently, so that
 * catalogs of two versions cannot be compared: the live one is built anew on the shadow server, and read there.
 *
 * @throws {MIGRATION_FAILED} when the shadow server does not have what the live one has.
 */
export async function rebuildOn(shadow: Shadow, live: Catalog): Promise<Catalog> {
  const database = await buildFromStatements(shadow, renderCatalog(live), live.home).catch(
    (cause: unknown) => {
      throw cannotRebuild(shadow, live, cause);
    },
  );
  try {
    const rebuilt = await database.use((connection) =>
      readCatalog(connection, live.home, { schemas: "all" }),
    );
    const known = new Map(live.objects.map((object) => [object.id, object]));
    return { ...rebuilt, objects: rebuilt.objects.map((object) => withMarks(object, known.get(object.id))) };
  } finally {
    await database.drop();
  }
}

/** What happens to an object, and no statement makes. */
function withMarks(object: CatalogObject, live: CatalogObject | undefined): CatalogObject {
  if (object.kind === "index" && live?.kind === "index") return { ...object, isValid: live.isValid };
  if (object.kind === "constraint" && live?.kind === "constraint") {
    return { ...object, isSuspended: live.isSuspended };
  }
  return object;
}

function cannotRebuild(shadow: Shadow, live: Catalog, cause: unknown): MigrationError {
  const reason = cause instanceof Error ? cause.message.split("\n", 1)[0] : "it failed";
  return new MigrationError(
    "MIGRATION_FAILED",
    `the database is PostgreSQL ${live.serverVersion}, and the shadow server of version ${shadow.serverVersion} cannot build it: ${reason}`,
    { cause, hint: `Say --shadow-url with a server of version ${live.serverVersion}.` },
  );
}
