import { type Catalog, renderCatalog } from "../../catalog/index.ts";
import { quoteIdentifier } from "../../sql/index.ts";
import { ended, oneLine } from "../sql-text.ts";

/**
 * A catalog as a file that makes it: readable, the same for the same catalog, in an order that loads into an empty
 * database. Roles and rows are not in it.
 */
export function renderDump(catalog: Catalog): string {
  const home = quoteIdentifier(catalog.home);
  const roles = rolesIn(catalog);
  const head = [
    `-- The schema ${oneLine(catalog.home)} as its migrations make it. Written by plinth migrate dump: edit a migration instead.`,
    ...(roles.length === 0 ? [] : [`-- Needs the roles ${roles.map(oneLine).join(", ")}.`]),
  ].join("\n");
  const settings = [
    `create schema if not exists ${home}`,
    `set search_path to ${home}`,
    // A function may speak of a table that comes after it.
    "set check_function_bodies to off",
  ].map(ended);
  const statements = renderCatalog(catalog).map(ended);
  return `${[head, settings.join("\n"), ...statements].join("\n\n")}\n`;
}

/** Roles that rights and policies speak of, sorted. */
function rolesIn({ objects }: Catalog): readonly string[] {
  const roles = objects.flatMap((object) => [
    ...object.grants.map(({ grantee }) => grantee),
    ...(object.kind === "policy" ? object.roles : []),
    ...(object.kind === "table"
      ? object.columns.flatMap(({ grants }) => grants.map(({ grantee }) => grantee))
      : []),
  ]);
  return [...new Set(roles)].filter((role) => role !== "public").sort();
}
