/** Rules about tables, keys and indexes as they are when the file's up is done: what is missing may come later in it. */
import type { Constraint as ConstraintNode, Node } from "libpg-query";
import type { CatalogView, Constraint, Index, Relation } from "../catalog-view.ts";
import { sameList } from "../effects/build-index.ts";
import { constraintsIn } from "../effects/create-table.ts";
import { isSameType } from "../effects/type-change.ts";
import { type RelationPath, relationName, sqlName, stringsIn } from "../names.ts";
import { madeName } from "./backfill.ts";
import { type Draft, listed } from "./subject.ts";

type ColumnNames = readonly string[];

/** What a statement has made, to be looked at when the file is done. `simpleKeys`: foreign keys without `match full`. */
export type Made =
  | { readonly kind: "table"; readonly table: RelationPath; readonly simpleKeys: readonly ColumnNames[] }
  | {
      readonly kind: "foreign-key";
      readonly table: RelationPath;
      readonly columns: ColumnNames;
      readonly simpleKeys: readonly ColumnNames[];
    }
  | { readonly kind: "key"; readonly table: RelationPath }
  | { readonly kind: "row-security"; readonly table: RelationPath }
  | {
      readonly kind: "index";
      readonly table: RelationPath;
      readonly name: string | undefined;
      readonly columns: readonly string[];
    };

/** What a statement makes that design rules look at. */
export function madeBy(tree: Node): readonly Made[] {
  if ("CreateStmt" in tree) {
    const { relation, partbound } = tree.CreateStmt;
    const isWorth = partbound === undefined && relation?.relpersistence !== "t";
    const simpleKeys = constraintsIn(tree.CreateStmt).flatMap((one) => simpleKey(one));
    return isWorth ? [{ kind: "table", table: relationName(relation), simpleKeys }] : [];
  }
  if ("IndexStmt" in tree) {
    const { relation, idxname, indexParams } = tree.IndexStmt;
    const columns = (indexParams ?? []).flatMap((node) =>
      "IndexElem" in node ? [node.IndexElem.name ?? ""] : [],
    );
    return [{ kind: "index", table: relationName(relation), name: idxname, columns }];
  }
  if (!("AlterTableStmt" in tree)) return [];
  const table = relationName(tree.AlterTableStmt.relation);
  return (tree.AlterTableStmt.cmds ?? []).flatMap((node): readonly Made[] => {
    if (!("AlterTableCmd" in node)) return [];
    const { def, subtype } = node.AlterTableCmd;
    if (subtype === "AT_EnableRowSecurity") return [{ kind: "row-security", table }];
    if (def !== undefined && "Constraint" in def) {
      if (def.Constraint.contype === "CONSTR_FOREIGN")
        return [
          {
            kind: "foreign-key",
            table,
            columns: stringsIn(def.Constraint.fk_attrs),
            simpleKeys: simpleKey(def.Constraint),
          },
        ];
      return def.Constraint.contype === "CONSTR_PRIMARY" ? [{ kind: "key", table }] : [];
    }
    if (def === undefined || !("ColumnDef" in def)) return [];
    const isReferring = (def.ColumnDef.constraints ?? []).some(
      (one) => "Constraint" in one && one.Constraint.contype === "CONSTR_FOREIGN",
    );
    return isReferring
      ? [{ kind: "foreign-key", table, columns: [def.ColumnDef.colname ?? ""], simpleKeys: [] }]
      : [];
  });
}

/** The columns of a foreign key that is checked only where none of them is null. */
function simpleKey({ contype, fk_attrs, fk_matchtype }: ConstraintNode): readonly ColumnNames[] {
  return contype === "CONSTR_FOREIGN" && fk_matchtype !== "f" ? [stringsIn(fk_attrs)] : [];
}

/** What is wrong with it. */
export async function designedTables(view: CatalogView, made: Made): Promise<readonly Draft[]> {
  const relation = await view.find(made.table);
  if (relation === undefined || !relation.isKnown) return [];
  switch (made.kind) {
    case "table":
      return [
        ...primaryKey(relation, true),
        ...(await foreignKeys(view, relation, () => true)),
        ...halfEmpty(relation, made.simpleKeys),
      ];
    case "key":
      return primaryKey(relation, false);
    case "row-security":
      return rowSecurity(view, relation);
    case "foreign-key":
      return [
        ...(await foreignKeys(view, relation, ({ columns }) => sameList(columns, made.columns))),
        ...halfEmpty(relation, made.simpleKeys),
      ];
    case "index":
      return indexRules(relation, made.name, made.columns);
  }
}

async function rowSecurity(view: CatalogView, relation: Relation): Promise<readonly Draft[]> {
  if (!relation.isOld || (await view.hasPart(relation.id, "policy", undefined)) !== false) return [];
  return [
    {
      rule: "breaks/row-security",
      why: `without a policy everybody but the owner of ${relation.label} sees no row and may insert none`,
      fix: `create policy … on ${relation.label} using (…);
-- and in the same transaction:
alter table ${relation.label} enable row level security;`,
    },
  ];
}

function primaryKey(relation: Relation, isNew: boolean): readonly Draft[] {
  const key = relation.constraints.find(({ kind }) => kind === "primary-key");
  const table = relation.label;
  if (key === undefined) {
    if (!isNew || relation.parents.length > 0) return [];
    return [
      {
        rule: "design/no-primary-key",
        why: `nothing tells two rows of ${table} apart, and logical replication cannot update or delete them`,
        fix: `alter table ${table} add column id bigint generated always as identity primary key;`,
      },
    ];
  }
  const columns = relation.columns.filter(({ name }) => key.columns.includes(name));
  const drafts: Draft[] = [];
  const [only] = columns;
  if (columns.length === 1 && only !== undefined && /^int[24]$/.test(only.type.name) && !only.type.isArray) {
    const limit = only.type.name === "int2" ? "32,767" : "2,147,483,647";
    drafts.push({
      rule: "design/small-key",
      why: `${table}.${sqlName(only.name)} ends at ${limit}; every insert fails from then on, and a larger type means writing the table anew`,
      fix: `${sqlName(only.name)} bigint generated always as identity primary key`,
    });
  }
  const texts = columns.filter(
    ({ type, modifier }) => /^(?:varchar|bpchar)$/.test(type.name) && modifier >= 0,
  );
  if (texts.length > 0) {
    drafts.push({
      rule: "design/text-key",
      why: `${table}: a key of ${listed(texts.map(({ name }) => sqlName(name)))} is copied into every table that refers to it, and can hardly change`,
      fix: `id bigint generated always as identity primary key, unique (${texts.map(({ name }) => sqlName(name)).join(", ")})`,
    });
  }
  return drafts;
}

async function foreignKeys(
  view: CatalogView,
  relation: Relation,
  isMeant: (constraint: Constraint) => boolean,
): Promise<readonly Draft[]> {
  const drafts: Draft[] = [];
  for (const constraint of relation.constraints) {
    if (constraint.kind !== "foreign-key" || constraint.parentId !== undefined || !isMeant(constraint))
      continue;
    if (!isCovered(relation, constraint.columns)) drafts.push(withoutIndex(relation, constraint));
    drafts.push(...(await otherType(view, relation, constraint)));
  }
  return drafts;
}

/** An index finds the rows that refer to one row: it begins with these columns, in any order, and holds every row. */
function isCovered(relation: Relation, columns: readonly string[]): boolean {
  return relation.indexes.some(({ keys, predicate, method }) => {
    const first = keys.slice(0, columns.length).map(({ column }) => column);
    return (
      predicate === undefined &&
      (method === "btree" || method === "hash") &&
      columns.every((column) => first.includes(column))
    );
  });
}

function withoutIndex(relation: Relation, { columns, name }: Constraint): Draft {
  const index = madeName(relation.name, ...columns, "idx");
  const concurrently = relation.isOld ? " concurrently" : "";
  return {
    rule: "design/foreign-key-index",
    why: `each delete or change of a key that ${sqlName(name)} points to reads the whole of ${relation.label}`,
    fix: `create index${concurrently} ${index} on ${relation.label} (${columns.map(sqlName).join(", ")});`,
  };
}

async function otherType(
  view: CatalogView,
  relation: Relation,
  { columns, reference }: Constraint,
): Promise<readonly Draft[]> {
  const target = await view.get(reference?.tableId ?? "");
  for (const [at, name] of columns.entries()) {
    const own = relation.columns.find((column) => column.name === name);
    const other = target?.columns.find((column) => column.name === reference?.columns[at]);
    if (own === undefined || other === undefined || isSameType(own.type, other.type)) continue;
    return [
      {
        rule: "design/foreign-key-type",
        why: `${relation.label}.${sqlName(name)} is ${own.type.name}, ${target?.label ?? ""}.${sqlName(other.name)} is ${other.type.name}: each comparison converts, and the smaller one ends first`,
        fix: `${sqlName(name)} ${other.type.name}`,
      },
    ];
  }
  return [];
}

/** With match simple a reference of which one half is null is not checked at all. */
function halfEmpty(relation: Relation, simpleKeys: readonly ColumnNames[]): readonly Draft[] {
  return relation.constraints.flatMap(({ kind, columns, name }) => {
    if (kind !== "foreign-key" || !simpleKeys.some((key) => sameList(key, columns))) return [];
    const nullable = columns.filter(
      (column) => relation.columns.find((one) => one.name === column)?.isNotNull !== true,
    );
    if (columns.length < 2 || nullable.length < 2) return [];
    return [
      {
        rule: "design/nullable-composite-key" as const,
        why: `${sqlName(name)}: where one of ${listed(nullable.map(sqlName))} is null, the others may point to nothing`,
        fix: `-- make them not null, or all or none of them: … match full`,
      },
    ];
  });
}

function indexRules(
  relation: Relation,
  name: string | undefined,
  columns: readonly string[],
): readonly Draft[] {
  const index = relation.indexes.find(
    (one) =>
      one.name === name ||
      (name === undefined &&
        sameList(
          one.keys.map(({ column }) => column ?? ""),
          columns,
        )),
  );
  if (index === undefined || index.parentId !== undefined) return [];
  const drafts: Draft[] = [];
  const [first, second] = index.keys;
  const type = relation.columns.find((column) => column.name === first?.column)?.type.name;
  if (index.method === "hash") {
    drafts.push({
      rule: "design/hash-index",
      why: `${index.label}: a hash index finds equal values only: no order, no ranges, no uniqueness, one column`,
      fix: `${createIndex(relation, index)} (${columns.map(sqlName).join(", ")}); -- btree`,
    });
  }
  if (second === undefined && type === "bool" && index.predicate === undefined) {
    const column = sqlName(first?.column ?? "");
    drafts.push({
      rule: "design/boolean-index",
      why: `${index.label}: half of ${relation.label} on each side is read faster without an index`,
      fix: `${createIndex(relation, index)} (…) where ${column}; -- the columns you look for, of the rare rows`,
    });
  }
  return [...drafts, ...doubled(relation, index)];
}

/** `create index …`, up to its columns. */
function createIndex({ isOld, label }: Relation, { name }: Index): string {
  return `create index${isOld ? " concurrently" : ""} ${sqlName(name)} on ${label}`;
}

function doubled(relation: Relation, index: Index): readonly Draft[] {
  const others = relation.indexes.filter(
    (one) =>
      one.id !== index.id && one.method === index.method && one.predicate === index.predicate && one.isValid,
  );
  const same = others.find(
    (other) =>
      isSameKeys(other, index, index.keys.length) &&
      other.keys.length === index.keys.length &&
      sameList(other.included, index.included) &&
      (other.isUnique || !index.isUnique),
  );
  if (same !== undefined) {
    return [
      {
        rule: "design/duplicate-index",
        why: `${same.label} is the same index, and every write keeps both up to date`,
        fix: `-- leave ${index.label} out`,
      },
    ];
  }
  const longer = others.find(
    (other) => other.keys.length > index.keys.length && isSameKeys(other, index, index.keys.length),
  );
  if (longer !== undefined && !index.isUnique && index.included.length === 0)
    return [covered(index, longer, `-- leave ${index.label} out`)];
  const shorter = others.find(
    (other) =>
      !other.isUnique &&
      other.keys.length < index.keys.length &&
      other.included.length === 0 &&
      isSameKeys(other, index, other.keys.length),
  );
  return shorter === undefined ? [] : [covered(shorter, index, `drop index concurrently ${shorter.label};`)];
}

function covered(index: Index, by: Index, fix: string): Draft {
  return {
    rule: "design/covered-index",
    why: `${by.label} begins with the columns of ${index.label} and finds the same rows, and every write keeps both up to date`,
    fix,
  };
}

function isSameKeys(left: Index, right: Index, count: number): boolean {
  return left.keys.slice(0, count).every((key, at) => {
    const other = right.keys[at];
    return (
      key.text === other?.text &&
      key.operatorClass === other.operatorClass &&
      key.collation === other.collation &&
      key.options === other.options
    );
  });
}
