import {
  type DatabaseObject,
  type EntityDescription,
  type ForeignKeyDescription,
  ownPairs,
} from "../schema/index.ts";
import { quoteIdentifier, quoteLiteral } from "../sql/index.ts";
import { hardDeleteObjects } from "./hard-delete.ts";
import { livingView } from "./living-view.ts";
import { nameOf, ownKey, triggerWithFunction } from "./trigger-object.ts";

/**
 * What soft deletion needs in the database, so that every client meets the same rules:
 *
 * - `<table>_follow_delete`: when a row dies, its children follow their foreign key's ON DELETE: RESTRICT and NO
 *   ACTION refuse while a living child exists, CASCADE takes the children along under the same `deleted_at`, SET
 *   NULL empties the reference. When a row is restored, the children that died at the same moment come back, but
 *   for those that another dead parent keeps dead.
 * - `<table>_living_parent`, for changed rows, and `<table>_living_parent_of_new`, for inserted ones: a living row
 *   cannot refer to a dead parent. Like PostgreSQL's own foreign keys they look after the statement, so that rows of
 *   one insert may refer to each other.
 * - `<table>_lock_delete`: a row that dies is first locked `for update`, as a real DELETE would. Its UPDATE alone
 *   takes `for no key update`, which lets key-share lockers pass: a child could then be inserted unseen while its
 *   parent dies. README.md has the protocol. Lock table: https://www.postgresql.org/docs/current/explicit-locking.html#LOCKING-ROWS
 *
 * What a DELETE of any client meets is in `hard-delete.ts`, and the view of the living in `living-view.ts`.
 */
export function softDeleteObjects(
  entity: EntityDescription,
  schema: readonly EntityDescription[],
): readonly DatabaseObject[] {
  const children = schema.flatMap((child) =>
    child.foreignKeys.filter((key) => key.target === entity).map((key) => ({ child, key })),
  );
  const parents = entity.foreignKeys.filter((key) => key.target.softDelete);
  const leavesChildren = entity.softDelete && children.length > 0;
  return [
    ...(entity.softDelete ? [livingView(entity), ...hardDeleteObjects(entity, schema)] : []),
    ...(leavesChildren ? [...lockDelete(entity), ...followDelete(entity, children)] : []),
    ...(parents.length === 0 ? [] : livingParent(entity, parents)),
  ];
}

interface Child {
  readonly child: EntityDescription;
  readonly key: ForeignKeyDescription;
}

function lockDelete(entity: EntityDescription): readonly DatabaseObject[] {
  const deletedAt = nameOf(entity, "deletedAt");
  const own = ownKey(entity, "old");
  const body = [
    `  if old.${deletedAt} is null and new.${deletedAt} is not null then`,
    `    perform from ${quoteIdentifier(entity.name)} where ${own} for update;`,
    "  end if;",
    "  return new;",
  ].join("\n");
  return triggerWithFunction(entity, "lock_delete", `before update of ${deletedAt}`, body);
}

function followDelete(entity: EntityDescription, children: readonly Child[]): readonly DatabaseObject[] {
  const dying = children.map(({ child, key }) => indent(whenParentDies(entity, child, key), 4));
  const returning = children.flatMap(({ child, key }) =>
    key.onDelete === "cascade" ? [indent(whenParentReturns(entity, child, key), 4)] : [],
  );
  const deletedAt = nameOf(entity, "deletedAt");
  const body = [
    `  if old.${deletedAt} is null and new.${deletedAt} is not null then`,
    ...dying,
    ...(returning.length === 0
      ? []
      : [`  elsif old.${deletedAt} is not null and new.${deletedAt} is null then`]),
    ...returning,
    "  end if;",
    "  return null;",
  ].join("\n");
  return triggerWithFunction(entity, "follow_delete", `after update of ${deletedAt}`, body);
}

function whenParentDies(
  parent: EntityDescription,
  child: EntityDescription,
  key: ForeignKeyDescription,
): string {
  const table = quoteIdentifier(child.name);
  const own = matches(key, "new");
  const living = child.softDelete ? ` and ${nameOf(child, "deletedAt")} is null` : "";
  switch (key.onDelete) {
    case "cascade":
      return `update ${table} set ${nameOf(child, "deletedAt")} = new.${nameOf(parent, "deletedAt")}, ${nameOf(child, "deletedBy")} = new.${nameOf(parent, "deletedBy")}\n  where ${own}${living};`;
    case "set null":
      return `update ${table} set ${ownPairs(key)
        .columns.map((c) => `${quoteIdentifier(c.name)} = null`)
        .join(", ")} where ${own};`;
    case "set default":
      return `update ${table} set ${ownPairs(key)
        .columns.map((c) => `${quoteIdentifier(c.name)} = default`)
        .join(", ")} where ${own};`;
    default:
      return [
        `if exists (select from ${table} where ${own}${living}) then`,
        `  raise exception using errcode = 'restrict_violation', schema = tg_table_schema, table = ${quoteLiteral(child.name)},`,
        `    constraint = ${quoteLiteral(key.name)}, message = ${quoteLiteral(`rows of "${child.name}" still refer to the row of "${parent.name}"`)};`,
        "end if;",
      ].join("\n");
  }
}

function whenParentReturns(
  parent: EntityDescription,
  child: EntityDescription,
  key: ForeignKeyDescription,
): string {
  const table = quoteIdentifier(child.name);
  const stamp = nameOf(child, "deletedAt");
  const conditions = [
    matches(key, "new"),
    `${table}.${stamp} = old.${nameOf(parent, "deletedAt")}`,
    ...child.foreignKeys
      .filter((other) => other !== key && other.target.softDelete)
      .map((other) => livesBy(child, other)),
  ];
  return `update ${table} set ${stamp} = null, ${nameOf(child, "deletedBy")} = null\n  where ${conditions.join("\n    and ")};`;
}

/** A child of two parents stays dead while the other one is: it would be refused, and the restore with it. */
function livesBy(child: EntityDescription, key: ForeignKeyDescription): string {
  const own = (column: { readonly name: string }) =>
    `${quoteIdentifier(child.name)}.${quoteIdentifier(column.name)}`;
  const isUnset = key.columns.map((column) => `${own(column)} is null`).join(" or ");
  const isParent = isParentOf(key, quoteIdentifier(child.name), "other.");
  const isLiving = `other.${nameOf(key.target, "deletedAt")} is null`;
  return `(${isUnset} or exists (select from ${quoteIdentifier(key.target.name)} other where ${isParent} and ${isLiving}))`;
}

function livingParent(
  entity: EntityDescription,
  parents: readonly ForeignKeyDescription[],
): readonly DatabaseObject[] {
  return [...livingParentOfNew(entity, parents), ...livingParentOfChanged(entity, parents)];
}

/**
 * One query for all rows of an insert: a look-up per row costs twice as much (README.md has the figures). It needs no lock of
 * its own, as it fires after the foreign key's trigger, which holds the parent `for key share` by then.
 */
function livingParentOfNew(
  entity: EntityDescription,
  parents: readonly ForeignKeyDescription[],
): readonly DatabaseObject[] {
  const living = entity.softDelete ? [`child.${nameOf(entity, "deletedAt")} is null`] : [];
  const checks = parents.map((key) => {
    const isSet = key.columns.map((column) => `child.${quoteIdentifier(column.name)} is not null`);
    const parent = `${isParentOf(key, "child", "parent.")} and parent.${nameOf(key.target, "deletedAt")} is null`;
    return [
      `  if exists (select from new_rows child where ${[...living, ...isSet].join(" and ")}`,
      `    and not exists (select from ${quoteIdentifier(key.target.name)} parent where ${parent})) then`,
      ...indent(refusal(key), 4).split("\n"),
      "  end if;",
    ].join("\n");
  });
  return triggerWithFunction(
    entity,
    "living_parent_of_new",
    "after insert",
    [...checks, "  return null;"].join("\n"),
    "referencing new table as new_rows for each statement",
  );
}

/** A restored row keeps its foreign key, whose own trigger then does not fire: so this one takes the lock itself. */
function livingParentOfChanged(
  entity: EntityDescription,
  parents: readonly ForeignKeyDescription[],
): readonly DatabaseObject[] {
  const columns = new Set(
    parents.flatMap((key) => key.columns.map((column) => quoteIdentifier(column.name))),
  );
  const deletedAt = entity.softDelete ? [nameOf(entity, "deletedAt")] : [];
  const checks = parents.map((key) => {
    const isSet = key.columns.map((column) => `new.${quoteIdentifier(column.name)} is not null`);
    const parent = `${isParentOf(key, "new")} and ${nameOf(key.target, "deletedAt")} is null`;
    return [
      `  if ${isSet.join(" and ")} then`,
      `    perform from ${quoteIdentifier(key.target.name)} where ${parent} for key share;`,
      "    if not found then",
      ...indent(refusal(key), 6).split("\n"),
      "    end if;",
      "  end if;",
    ].join("\n");
  });
  const ofTheDead = deletedAt.flatMap((column) => [
    `  if new.${column} is not null then`,
    "    return null;",
    "  end if;",
  ]);
  return triggerWithFunction(
    entity,
    "living_parent",
    `after update of ${[...columns, ...deletedAt].join(", ")}`,
    [...ofTheDead, ...checks, "  return null;"].join("\n"),
  );
}

function refusal(key: ForeignKeyDescription): string {
  return [
    "raise exception using errcode = 'foreign_key_violation', schema = tg_table_schema, table = tg_table_name,",
    `  constraint = ${quoteLiteral(key.name)}, column = ${quoteLiteral(ownPairs(key).columns[0]?.name ?? "")},`,
    `  message = ${quoteLiteral(`the row of "${key.target.name}" it refers to does not exist`)};`,
  ].join("\n");
}

function matches(key: ForeignKeyDescription, record: "new" | "old"): string {
  return key.columns
    .map(
      (column, i) =>
        `${quoteIdentifier(column.name)} = ${record}.${quoteIdentifier(key.targetColumns[i]?.name ?? "")}`,
    )
    .join(" and ");
}

/** The parent's columns equal the child's, the other way round from `matches`. */
function isParentOf(key: ForeignKeyDescription, child: string, prefix = ""): string {
  return key.columns
    .map((column, i) => {
      const own = quoteIdentifier(key.targetColumns[i]?.name ?? "");
      return `${prefix}${own} = ${child}.${quoteIdentifier(column.name)}`;
    })
    .join(" and ");
}

function indent(text: string, spaces: number): string {
  return text.replace(/^/gm, " ".repeat(spaces));
}
