import type { CatalogObject, Grant } from "../model.ts";
import type { Answers } from "./answers.ts";
import { type Dependency, dependenciesIn } from "./dependencies.ts";
import { type Identities, identify, type Space } from "./identify.ts";
import type { Row } from "./row.ts";

/** What every builder of objects looks things up in. */
export interface Ground {
  readonly answers: Answers;
  readonly identities: Identities;
  /** Sorted ids of what an object, or a column, needs. */
  needsOf(id: string): readonly string[];
  commentOn(catalogTable: string, oid: string, part?: string): string | undefined;
  grantsOn(catalogTable: string, oid: string, part?: string): readonly Grant[];
  /** The oid of what a relation or index inherits from first. */
  parentOf(relation: string): string | undefined;
  /** What every object has. `undefined` for one that is not read. */
  base(catalogTable: string, row: Row, space: Space | undefined, usual?: UsualRight): Base | undefined;
}

/** What the server lets everybody do until somebody says otherwise. */
export type UsualRight = "execute" | "usage";

export type Base = Pick<CatalogObject, "id" | "schema" | "name" | "comment" | "grants" | "dependsOn">;

export function groundOf(answers: Answers, home: string): Ground {
  const dependencies = dependenciesIn(answers);
  const identities = identify(answers, dependencies, home);
  const needs = readNeeds(dependencies, identities);
  const comments = new Map(
    answers
      .rows("comments")
      .map((row) => [keyOf(row.text("class"), row.text("oid"), row.text("part")), row.text("description")]),
  );
  const grants = readGrants(answers);
  const parents = new Map(
    answers
      .rows("parents")
      .toReversed()
      .map((row) => [row.text("child"), row.text("parent")]),
  );
  const ground: Ground = {
    answers,
    identities,
    needsOf: (id) => needs.get(id) ?? [],
    commentOn: (catalogTable, oid, part = "0") => comments.get(keyOf(catalogTable, oid, part)),
    grantsOn: (catalogTable, oid, part = "0") => grants.get(keyOf(catalogTable, oid, part)) ?? [],
    parentOf: (relation) => parents.get(relation),
    base: (catalogTable, row, space, usual) => {
      const oid = row.text("oid");
      const id = identities.find(catalogTable, oid);
      if (id === undefined) return undefined;
      const hasUsual = usual !== undefined && row.flag("has_usual_rights");
      return {
        id,
        schema: space?.schema,
        name: row.text("name"),
        comment: ground.commentOn(catalogTable, oid),
        grants: hasUsual ? [usualGrant(usual)] : ground.grantsOn(catalogTable, oid),
        dependsOn: ground.needsOf(id),
      };
    },
  };
  return ground;
}

export function usualGrant(right: UsualRight): Grant {
  return { grantee: "public", privileges: [right], grantable: [] };
}

function keyOf(catalogTable: string, oid: string, part: string): string {
  return `${catalogTable} ${oid} ${part}`;
}

function readNeeds(
  dependencies: readonly Dependency[],
  identities: Identities,
): ReadonlyMap<string, readonly string[]> {
  const needs = new Map<string, Set<string>>();
  const idOf = (catalogTable: string, oid: string, part: string): string | undefined =>
    (catalogTable === "pg_class" ? identities.findColumn(oid, part) : undefined) ??
    identities.find(catalogTable, oid);
  for (const { table, oid, part, neededTable, needed: neededOid, neededPart, tie } of dependencies) {
    // A member belongs to its extension, and the column of a partition key to its table.
    if (tie === "e" || (oid === neededOid && table === neededTable)) continue;
    const id = idOf(table, oid, part);
    const needed = idOf(neededTable, neededOid, neededPart);
    if (id === undefined || needed === undefined || id === needed) continue;
    // A sequence ends with its column; it is the column's default that needs the sequence.
    if (tie === "a" && id.startsWith("sequence ")) continue;
    const known = needs.get(id);
    if (known === undefined) needs.set(id, new Set([needed]));
    else known.add(needed);
  }
  return new Map([...needs].map(([id, set]) => [id, [...set].sort()]));
}

/** As `aclexplode` lists them. */
const PRIVILEGES = [
  "insert",
  "select",
  "update",
  "delete",
  "truncate",
  "references",
  "trigger",
  "execute",
  "usage",
  "create",
  "maintain",
];

function readGrants(answers: Answers): ReadonlyMap<string, readonly Grant[]> {
  const objects = new Map<string, Map<string, Map<string, boolean>>>();
  for (const row of answers.rows("grants")) {
    const key = keyOf(row.text("class"), row.text("oid"), row.text("part"));
    const grantees = objects.get(key) ?? new Map<string, Map<string, boolean>>();
    objects.set(key, grantees);
    const privileges = grantees.get(row.text("grantee")) ?? new Map<string, boolean>();
    grantees.set(row.text("grantee"), privileges);
    // Several roles may have granted the same.
    const privilege = row.text("privilege");
    privileges.set(privilege, row.flag("is_grantable") || privileges.get(privilege) === true);
  }
  return new Map([...objects].map(([key, grantees]) => [key, [...grantees].sort(byName).map(grantOf)]));
}

function grantOf([grantee, rights]: readonly [string, ReadonlyMap<string, boolean>]): Grant {
  const privileges = [...rights.keys()].sort((a, b) => PRIVILEGES.indexOf(a) - PRIVILEGES.indexOf(b));
  return { grantee, privileges, grantable: privileges.filter((privilege) => rights.get(privilege) === true) };
}

function byName([left]: readonly [string, unknown], [right]: readonly [string, unknown]): number {
  return left < right ? -1 : 1;
}
