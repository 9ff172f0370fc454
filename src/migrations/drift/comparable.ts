import type { Catalog, CatalogObject, Grant } from "../../catalog/index.ts";
import type { Connection } from "../../driver/index.ts";
import { selectOwners } from "./queries.ts";

const ROUTINES: ReadonlySet<CatalogObject["kind"]> = new Set(["function", "procedure", "aggregate"]);

/** Roles that own something in one of the schemas. One round trip. */
export async function readOwners(
  connection: Connection,
  schemas: readonly string[],
): Promise<readonly string[]> {
  const { rows } = await connection.query({ text: selectOwners, values: [JSON.stringify(schemas)] });
  return rows.map(([owner]) => String(owner));
}

/**
 * The catalog without the rights of some roles: those that own the objects on one server or the other, as a grant to the
 * owner does nothing and the shadow server has other owners than the live one, and those whose rights `roles sync` keeps.
 * That also takes from everybody what PostgreSQL gives at first, to execute a new function, so `rolesKeepRoutines` leaves
 * that out as well.
 */
export function withoutRightsOf(
  catalog: Catalog,
  roles: ReadonlySet<string>,
  rolesKeepRoutines = false,
): Catalog {
  const others = (grants: readonly Grant[]): readonly Grant[] =>
    grants.filter(({ grantee }) => !roles.has(grantee));
  const objects = catalog.objects.map((object): CatalogObject => {
    const isRoutine = ROUTINES.has(object.kind);
    const grants = others(object.grants).filter(
      ({ grantee }) => !(rolesKeepRoutines && isRoutine && grantee === "public"),
    );
    if (object.kind !== "table") return { ...object, grants };
    return {
      ...object,
      grants,
      columns: object.columns.map((column) => ({ ...column, grants: others(column.grants) })),
    };
  });
  return { ...catalog, objects };
}

/**
 * The catalog with the versions its extensions have in another: `create extension` takes the newest that the server
 * has at that moment.
 */
export function withVersionsOf(catalog: Catalog, other: Catalog): Catalog {
  const versions = new Map(
    other.objects.flatMap((object) =>
      object.kind === "extension" ? [[object.id, object.version] as const] : [],
    ),
  );
  const objects = catalog.objects.map((object) =>
    object.kind === "extension" ? { ...object, version: versions.get(object.id) ?? object.version } : object,
  );
  return { ...catalog, objects };
}
