import type { ColumnDescription, EntityDescription, RelationDescription } from "../schema/index.ts";
import type { Scope } from "./context.ts";
import { refuse } from "./options.ts";
import { isJoinable } from "./related-rows.ts";

/** Relations on the way to a column, as in `with`. */
const DEPTH_LIMIT = 6;

/** A column, and the relations to one row that lead to it; none for a column of the entity's own. */
export interface ColumnPath {
  readonly through: readonly RelationDescription[];
  readonly column: ColumnDescription;
}

/** What may stand in a path, and how errors say what may not. */
export interface PathRules {
  /** Where errors say it is. */
  readonly path: string;
  /** Whether a column may stand at its end. */
  readonly isFit: (column: ColumnDescription) => boolean;
  /** The paths from an entity on the way that it allows, where it says so. */
  readonly allowedBy?: (entity: EntityDescription) => readonly string[] | undefined;
  /** What only relations to one row can do. */
  readonly purpose: string;
  /** Refuses a name; `known` are those that would do. */
  readonly refuseUnknown: (known: readonly string[]) => never;
}

/**
 * A column by its property, or by the relations that lead to it: `project.owner.name`. The first entity on the way that
 * says what it allows decides about the rest.
 *
 * @throws {INVALID_QUERY}
 */
export function columnPath(scope: Scope, by: string, rules: PathRules): ColumnPath {
  const { path, isFit, allowedBy, refuseUnknown } = rules;
  const through: RelationDescription[] = [];
  let [at, isListed] = [scope.entity, false];
  for (let rest = by; ; ) {
    const allowed = allowedBy?.(at);
    const prefix = by.slice(0, by.length - rest.length);
    const refuseHere = (keys: readonly string[]): never => refuseUnknown(keys.map((key) => prefix + key));
    if (!isListed && allowed !== undefined) {
      isListed = allowed.includes(rest);
      if (!isListed) return refuseHere(allowed);
    }
    const column = at.byKey.get(rest);
    if (column !== undefined && isFit(column)) return { through, column };
    const name = rest.split(".", 1)[0] ?? "";
    const relation = scope.context.schema.relationsOf(at).get(name);
    if (relation === undefined || name === rest)
      return refuseHere(allowed ?? at.columns.filter(isFit).map(({ key }) => key));
    if (relation.kind !== "one" || !isJoinable(relation, scope))
      refuse(path, `"${prefix}${name}" may be several rows; ${rules.purpose} by relations to one row only`);
    if (through.push(relation) > DEPTH_LIMIT)
      refuse(path, `leads through more than ${DEPTH_LIMIT} relations`);
    at = relation.target;
    rest = rest.slice(name.length + 1);
  }
}
