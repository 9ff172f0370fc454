import type { CatalogObject, Grant } from "../catalog/index.ts";
import type { PullContext } from "./context.ts";
import { call, list, object, quoted } from "./literal.ts";
import { partlyDeclared } from "./model.ts";

/** Kinds whose rights have a declaration, with what everybody may do unless it was taken away. */
const USUAL: Readonly<Record<string, string | undefined>> = {
  table: undefined,
  view: undefined,
  "materialized view": undefined,
  sequence: undefined,
  function: "execute",
  procedure: "execute",
  enum: "usage",
  domain: "usage",
  "composite type": "usage",
};

/** Adds the rights on an object and on its columns. */
export function addGrants(
  context: PullContext,
  target: CatalogObject,
  take: (wanted: string) => string,
): void {
  if (!(target.kind in USUAL)) {
    if (target.grants.length > 0) {
      context.report(partlyDeclared(target.id, `rights on a ${target.kind} have no declaration`));
    }
    return;
  }
  const usual = USUAL[target.kind];
  const isUsual = ({ grantee, privileges }: Grant): boolean =>
    usual !== undefined && grantee === "public" && privileges.join() === usual;
  if (usual !== undefined && !target.grants.some(isUsual)) {
    context.report(partlyDeclared(target.id, `that not everybody has ${usual} on it has no declaration`));
  }
  for (const grant of target.grants) if (!isUsual(grant)) addGrant(context, target, grant, undefined, take);
  if (target.kind !== "table") return;
  const properties = context.propertiesOf(target.id);
  for (const column of target.columns) {
    for (const grant of column.grants) {
      addGrant(context, target, grant, properties.get(column.name) ?? column.name, take);
    }
  }
}

function addGrant(
  { file, constants, report }: PullContext,
  target: CatalogObject,
  { grantee, privileges, grantable }: Grant,
  column: string | undefined,
  take: (wanted: string) => string,
): void {
  if (grantee === "") {
    report(partlyDeclared(target.id, "rights of a role that is gone have no declaration"));
    return;
  }
  for (const withGrantOption of [false, true]) {
    const own = privileges.filter((privilege) => grantable.includes(privilege) === withGrantOption);
    if (own.length === 0) continue;
    const constant = constants.get(target.id) ?? target.name;
    const options = object([
      ["on", constant],
      ["to", quoted(grantee)],
      ["privileges", list(own.map(quoted))],
      ["columns", column === undefined ? undefined : list([quoted(column)])],
      ["withGrantOption", withGrantOption ? "true" : undefined],
    ]);
    file.declare(take(`${constant}Grant`), call("app.grant", options));
  }
}
