import { SchemaError, unknownName } from "../errors/index.ts";
import type { EntityDescription, ForeignKeyDescription } from "./description.ts";
import { describeTable } from "./drizzle-adapter.ts";
import type { Relation, Through } from "./relations.ts";
import { ownPairs } from "./tenant.ts";

/** A relation with its columns found: `source` columns of this entity equal `target` columns of the other. */
export interface RelationDescription {
  readonly name: string;
  readonly kind: "one" | "many";
  readonly target: EntityDescription;
  readonly sourceColumns: readonly string[];
  readonly targetColumns: readonly string[];
  /** The table between the two, whose columns equal those of both, part by part; absent where none is needed. */
  readonly link?: LinkDescription | undefined;
  /** The rows above or below in a tree, however far: `target` columns name a row's parent by its `source` columns. */
  readonly walk?: "up" | "down" | undefined;
}

export interface LinkDescription {
  readonly entity: EntityDescription;
  readonly sourceColumns: readonly string[];
  readonly targetColumns: readonly string[];
}

/** @throws {SCHEMA_INVALID} where no foreign key stands for it, or several could. */
export function describeRelation(
  source: EntityDescription,
  name: string,
  relation: Relation,
): RelationDescription {
  const target = describeTable(relation.target);
  const what = `relation "${name}" of "${source.name}"`;
  if (relation.kind === "many" && relation.through !== undefined) {
    return describeLinked(source, target, name, what, relation.through);
  }
  const outgoing = relation.kind === "one" ? keysBetween(source, target, relation.via) : [];
  const incoming = keysBetween(target, source, relation.via);
  const isOutgoing = outgoing.length > 0;
  const key = onlyKey(isOutgoing ? outgoing : incoming, `${what}: `, [source, target], relation.via, "via");
  if (relation.kind === "one" && !isOutgoing && !isUnique(target, key.columns)) {
    throw new SchemaError(
      `${what}: several rows of "${target.name}" may refer to one, as "${ownPairs(key)
        .columns.map((c) => c.key)
        .join(", ")}" is not unique`,
      { hint: `Declare it as r.many(…), or make the column unique.` },
    );
  }
  const [own, other] = sidesOf(key);
  return {
    name,
    kind: relation.kind,
    target,
    sourceColumns: isOutgoing ? own : other,
    targetColumns: isOutgoing ? other : own,
    walk: relation.kind === "many" ? relation.walk : undefined,
  };
}

function describeLinked(
  source: EntityDescription,
  target: EntityDescription,
  name: string,
  what: string,
  { entity, from, to }: Through,
): RelationDescription {
  const link = describeTable(entity);
  // Of a link from an entity to itself, the key that was not named is the other one.
  const keysTo = (end: EntityDescription, via: string | undefined, other: string | undefined) =>
    keysBetween(link, end, via).filter(
      (key) => other === undefined || !ownPairs(key).columns.some((column) => column.key === other),
    );
  const near = onlyKey(keysTo(source, from, to), `${what}, through `, [link, source], from, "from");
  const far = onlyKey(keysTo(target, to, from), `${what}, through `, [link, target], to, "to");
  const [nearLink, nearRow] = sidesOf(near);
  const [farLink, farRow] = sidesOf(far);
  return {
    name,
    kind: "many",
    target,
    sourceColumns: nearRow,
    targetColumns: farRow,
    link: { entity: link, sourceColumns: nearLink, targetColumns: farLink },
  };
}

/** The columns that a foreign key compares, on both sides; tenants are compared by every reference to their table. */
function sidesOf(key: ForeignKeyDescription): readonly [own: readonly string[], other: readonly string[]] {
  const { columns, targetColumns } = ownPairs(key);
  return [namesOf(columns), namesOf(targetColumns)];
}

function onlyKey(
  keys: readonly ForeignKeyDescription[],
  what: string,
  [first, second]: readonly [EntityDescription, EntityDescription],
  named: string | undefined,
  option: string,
): ForeignKeyDescription {
  const [key, ...others] = keys;
  const ends = what.endsWith(": ") ? `it to "${second.name}"` : `"${first.name}" to "${second.name}"`;
  if (key === undefined) {
    throw new SchemaError(`${what}no foreign key joins ${ends}`, { hint: keyHint(named, first, second) });
  }
  if (others.length > 0) {
    const choices = [key, ...others]
      .map((candidate) => `"${ownPairs(candidate).columns[0]?.key}"`)
      .join(" or ");
    throw new SchemaError(`${what}several foreign keys join ${ends}`, {
      hint: `Say which: { ${option}: ${choices} }.`,
    });
  }
  return key;
}

function namesOf(columns: readonly { readonly name: string }[]): readonly string[] {
  return columns.map((column) => column.name);
}

function keysBetween(
  from: EntityDescription,
  to: EntityDescription,
  via: string | undefined,
): readonly ForeignKeyDescription[] {
  return from.foreignKeys.filter(
    (key) =>
      key.target === to && (via === undefined || ownPairs(key).columns.some((column) => column.key === via)),
  );
}

function isUnique(entity: EntityDescription, columns: readonly { name: string }[]): boolean {
  const keys = [entity.primaryKey, ...entity.uniques].map((unique) => unique.columns);
  const indexes = entity.indexes.map((index) => index.uniqueColumns ?? []);
  return [...keys, ...indexes].some((unique) => sameColumns(unique, columns));
}

function keyHint(via: string | undefined, source: EntityDescription, target: EntityDescription): string {
  const keys = [...source.foreignKeys, ...target.foreignKeys].flatMap((key) =>
    ownPairs(key).columns.map((c) => c.key),
  );
  return via === undefined || keys.length === 0
    ? "Declare one: .references(() => other.id)."
    : `${unknownName("foreign key", via, keys)}.`;
}

/** The same columns, in any order. */
export function sameColumns(a: readonly { name: string }[], b: readonly { name: string }[]): boolean {
  return a.length === b.length && a.every((column) => b.some((other) => other.name === column.name));
}
