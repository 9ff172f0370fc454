import type { CatalogObject, Grant, TableObject } from "../model.ts";
import type { Ground } from "./ground.ts";
import { literal, refTo, sqlName } from "./names.ts";

/** What `drop`, `comment on` and `alter` call an object: `table tasks`, `trigger touch on tasks`. */
export function targetOf(ground: Ground, object: CatalogObject): string {
  switch (object.kind) {
    case "constraint":
    case "trigger":
    case "policy":
    case "rule":
      return `${object.kind} ${sqlName(object.name)} on ${ground.ref(object.table)}`;
    case "enum":
    case "composite type":
    case "range type":
      return `type ${refTo(object)}`;
    case "function":
    case "procedure":
      return `${object.kind} ${refTo(object)}(${object.signature})`;
    case "aggregate":
      return `aggregate ${refTo(object)}(${object.signature === "" ? "*" : object.signature})`;
    case "schema":
    case "extension":
      return `${object.kind} ${sqlName(object.name)}`;
    // Rights are granted on a foreign server; every other statement says server.
    case "foreign server":
      return `server ${sqlName(object.name)}`;
    default:
      return `${object.kind} ${refTo(object)}`;
  }
}

/** Comment and rights of something new, its columns' included. */
export function newAttributes(ground: Ground, object: CatalogObject): readonly string[] {
  return changedAttributes(ground, undefined, object);
}

/** What brings an object's comment and rights, and those of its columns that are in both, to those of another. */
export function changedAttributes(
  ground: Ground,
  from: CatalogObject | undefined,
  to: CatalogObject,
): readonly string[] {
  return [
    ...commentOn(targetOf(ground, to), from?.comment, to.comment),
    ...viewColumnComments(ground, from, to),
    ...changedGrants(grantTarget(ground, to), from?.grants ?? usualGrants(to), to.grants),
    ...(to.kind === "table" ? columnAttributes(ground, from, to) : []),
  ];
}

function commentOn(target: string, from: string | undefined, to: string | undefined): readonly string[] {
  if (from === to) return [];
  return [`comment on ${target} is ${to === undefined ? "null" : literal(to)}`];
}

function viewColumnComments(
  ground: Ground,
  from: CatalogObject | undefined,
  to: CatalogObject,
): readonly string[] {
  if (!("query" in to)) return [];
  const before = new Map(
    from !== undefined && "query" in from ? from.columns.map(({ name, comment }) => [name, comment]) : [],
  );
  return to.columns.flatMap(({ name, comment }) =>
    commentOn(`column ${ground.ref(to.id)}.${sqlName(name)}`, before.get(name), comment),
  );
}

function columnAttributes(
  ground: Ground,
  from: CatalogObject | undefined,
  to: TableObject,
): readonly string[] {
  const before = new Map(from?.kind === "table" ? from.columns.map((column) => [column.id, column]) : []);
  return to.columns.flatMap((column) => {
    const fate = ground.decisions.columns.get(column.id);
    // A column that is made anew has lost them.
    const old = fate === "anew" ? undefined : before.get(column.id);
    return [
      ...commentOn(`column ${ground.ref(to.id)}.${sqlName(column.name)}`, old?.comment, column.comment),
      ...changedGrants(ground.ref(to.id), old?.grants ?? [], column.grants, `(${sqlName(column.name)})`),
    ];
  });
}

/** Everybody may run a new function and use a new type. */
function usualGrants(object: CatalogObject): readonly Grant[] {
  switch (object.kind) {
    case "function":
    case "procedure":
    case "aggregate":
      return [{ grantee: "public", privileges: ["execute"], grantable: [] }];
    case "enum":
    case "domain":
    case "composite type":
    case "range type":
      return [{ grantee: "public", privileges: ["usage"], grantable: [] }];
    default:
      return [];
  }
}

function grantTarget(ground: Ground, object: CatalogObject): string {
  switch (object.kind) {
    case "table":
    case "view":
    case "materialized view":
    case "foreign table":
      return refTo(object);
    case "foreign server":
      return `foreign server ${sqlName(object.name)}`;
    case "aggregate":
      return `function ${refTo(object)}(${object.signature})`;
    default:
      return targetOf(ground, object);
  }
}

/** `column` stands behind each privilege, in brackets, where rights on one column are meant. */
function changedGrants(
  target: string,
  from: readonly Grant[],
  to: readonly Grant[],
  column = "",
): readonly string[] {
  const before = new Map(from.map((grant) => [grant.grantee, grant]));
  const after = new Map(to.map((grant) => [grant.grantee, grant]));
  const statements: string[] = [];
  const list = (privileges: readonly string[]): string =>
    privileges.map((privilege) => privilege + (column === "" ? "" : ` ${column}`)).join(", ");
  for (const [grantee, grant] of before) {
    const other = after.get(grantee);
    const gone = grant.privileges.filter((privilege) => !other?.privileges.includes(privilege));
    const kept = grant.grantable.filter(
      (privilege) => !gone.includes(privilege) && !other?.grantable.includes(privilege),
    );
    const role = roleName(grantee);
    if (gone.length > 0) statements.push(`revoke ${list(gone)} on ${target} from ${role}`);
    if (kept.length > 0) statements.push(`revoke grant option for ${list(kept)} on ${target} from ${role}`);
  }
  for (const [grantee, grant] of after) {
    const other = before.get(grantee);
    const isNew = (privilege: string): boolean => !other?.privileges.includes(privilege);
    const grantable = grant.grantable.filter(
      (privilege) => isNew(privilege) || !other?.grantable.includes(privilege),
    );
    const plain = grant.privileges.filter((privilege) => isNew(privilege) && !grantable.includes(privilege));
    const role = roleName(grantee);
    if (plain.length > 0) statements.push(`grant ${list(plain)} on ${target} to ${role}`);
    if (grantable.length > 0)
      statements.push(`grant ${list(grantable)} on ${target} to ${role} with grant option`);
  }
  return statements;
}

export function roleName(grantee: string): string {
  return grantee === "public" ? "public" : sqlName(grantee);
}
