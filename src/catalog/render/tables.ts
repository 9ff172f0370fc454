import {
  type ColumnDescription,
  type ComputedColumn,
  type EntityDescription,
  type ForeignKeyDescription,
  type IndexDescription,
  ownPairs,
  type SequenceOptions,
  type TableAdditions,
  type UniqueDescription,
} from "../../schema/index.ts";
import { quoteIdentifier } from "../../sql/index.ts";
import type { Names } from "./names.ts";
import type { Part } from "./part.ts";

/** A table with its partitions, foreign keys and indexes; `additions` are what behaviours keep in it. */
export function tableParts(
  entity: EntityDescription,
  names: Names,
  additions: TableAdditions,
): readonly Part[] {
  const { name, partitioning } = entity;
  const owner = `relation ${name}`;
  const create = createTable(entity, names, additions.columns);
  return [
    {
      ids: [owner, `type ${name}`],
      rank: "table",
      up: [create],
      down: [`drop table ${quoteIdentifier(name)}`],
      needs: entity.needs,
      text: create,
    },
    ...(partitioning?.partitions ?? []).map(
      (partition): Part => ({
        ids: [`relation ${partition.name}`, `type ${partition.name}`],
        rank: "partition",
        up: [
          `create table ${quoteIdentifier(partition.name)} partition of ${quoteIdentifier(name)} ${partition.bound}`,
        ],
        down: [`drop table ${quoteIdentifier(partition.name)}`],
        needs: [],
        owner,
      }),
    ),
    ...entity.foreignKeys.map((key) => foreignKeyPart(entity, key, names)),
    ...livingIndexes(entity),
    ...[...entity.indexes, ...additions.indexes].map((index) => indexPart(name, index, names)),
  ];
}

function createTable(entity: EntityDescription, names: Names, computed: readonly ComputedColumn[]): string {
  const lines = [
    ...entity.columns.map((column) => columnLine(column, names)),
    ...computed.map(computedLine),
    primaryKeyLine(entity),
    ...entity.uniques.filter((unique) => !unique.livingOnly).map(uniqueLine),
    ...entity.checks.map((check) => `constraint ${quoteIdentifier(check.name)} check (${check.expression})`),
  ];
  const { partitioning } = entity;
  const divided =
    partitioning === undefined
      ? ""
      : ` partition by ${partitioning.strategy} (${columnList(partitioning.columns)})`;
  return `create table ${quoteIdentifier(entity.name)} (\n  ${lines.join(",\n  ")}\n)${divided}`;
}

function columnLine(column: ColumnDescription, names: Names): string {
  const words = [quoteIdentifier(column.name), names.type(column)];
  if (column.identity !== undefined) {
    const options = sequenceWords(column.identityOptions ?? {}).join(" ");
    const mode = column.identity === "always" ? "always" : "by default";
    words.push(`generated ${mode} as identity${options === "" ? "" : ` (${options})`}`);
    return words.join(" ");
  }
  if (column.notNull && !column.isPrimaryKey) words.push("not null");
  if (column.generatedSql !== undefined) words.push(`generated always as (${column.generatedSql}) stored`);
  else if (column.defaultSql !== undefined) words.push(`default ${column.defaultSql}`);
  return words.join(" ");
}

/** Its trigger computes it; see `kept-column.ts`. */
function computedLine({ name, sqlType }: ComputedColumn): string {
  return `${quoteIdentifier(name)} ${sqlType}`;
}

/** What a sequence says beside its defaults. */
export function sequenceWords(options: SequenceOptions): readonly string[] {
  const { name, increment, minValue, maxValue, startWith, cache, cycle } = options;
  return [
    ...(name === undefined ? [] : [`sequence name ${quoteIdentifier(name)}`]),
    ...(increment === undefined ? [] : [`increment by ${increment}`]),
    ...(minValue === undefined ? [] : [`minvalue ${minValue}`]),
    ...(maxValue === undefined ? [] : [`maxvalue ${maxValue}`]),
    ...(startWith === undefined ? [] : [`start with ${startWith}`]),
    ...(cache === undefined ? [] : [`cache ${cache}`]),
    ...(cycle === true ? ["cycle"] : []),
  ];
}

function primaryKeyLine({ primaryKey }: EntityDescription): string {
  return `constraint ${quoteIdentifier(primaryKey.name)} primary key (${columnList(primaryKey.columns)})`;
}

function uniqueLine(unique: UniqueDescription): string {
  const nulls = unique.nullsNotDistinct ? " nulls not distinct" : "";
  return `constraint ${quoteIdentifier(unique.name)} unique${nulls} (${columnList(unique.columns)})`;
}

/** After all tables, as they may refer to each other in a circle. */
function foreignKeyPart(entity: EntityDescription, key: ForeignKeyDescription, names: Names): Part {
  const table = quoteIdentifier(entity.name);
  const name = quoteIdentifier(key.name);
  const target = names.relation(key.target.schema, key.target.name);
  const onDelete = key.onDelete === "no action" ? "" : ` on delete ${key.onDelete}${emptied(key)}`;
  const onUpdate = key.onUpdate === "no action" ? "" : ` on update ${key.onUpdate}`;
  return {
    ids: [],
    rank: "foreign key",
    up: [
      `alter table ${table} add constraint ${name}
  foreign key (${columnList(key.columns)}) references ${target} (${columnList(key.targetColumns)})${onDelete}${onUpdate}`,
    ],
    down: [`alter table ${table} drop constraint ${name}`],
    needs: [`relation ${key.target.name}`],
    owner: `relation ${entity.name}`,
  };
}

/** The tenant stays: https://www.postgresql.org/docs/current/sql-createtable.html has SET NULL of some columns since 15. */
function emptied(key: ForeignKeyDescription): string {
  const isPart = key.carriesTenant && key.onDelete.startsWith("set ");
  return isPart ? ` (${columnList(ownPairs(key).columns)})` : "";
}

function livingIndexes(entity: EntityDescription): readonly Part[] {
  const table = quoteIdentifier(entity.name);
  const deletedAt = entity.byRole.get("deletedAt");
  return entity.uniques
    .filter((unique) => unique.livingOnly)
    .map((unique): Part => {
      const nulls = unique.nullsNotDistinct ? " nulls not distinct" : "";
      const name = quoteIdentifier(unique.name);
      const living = `${quoteIdentifier(deletedAt?.name ?? "")} is null`;
      return {
        ids: [`relation ${unique.name}`],
        rank: "index",
        up: [
          `create unique index ${name} on ${table} (${columnList(unique.columns)})${nulls}\n  where ${living}`,
        ],
        down: [`drop index ${name}`],
        needs: [],
        owner: `relation ${entity.name}`,
      };
    });
}

/** An index of a table or a materialized view. */
export function indexPart(
  relation: string,
  index: Omit<IndexDescription, "uniqueColumns">,
  names: Names,
  rank: "index" | "view index" = "index",
): Part {
  const name = quoteIdentifier(index.name);
  const method = index.method === "btree" ? "" : ` using ${index.method}`;
  const options = index.options.length === 0 ? "" : ` with (${index.options.join(", ")})`;
  const where = index.where === undefined ? "" : `\n  where ${index.where}`;
  const parts = index.parts.map(names.indexPart).join(", ");
  const unique = index.isUnique ? "unique " : "";
  const create = `create ${unique}index ${name} on ${quoteIdentifier(relation)}${method} (${parts})${options}${where}`;
  return {
    ids: [`relation ${index.name}`],
    rank,
    up: [create],
    down: [`drop index ${name}`],
    needs: [],
    text: create,
    owner: `relation ${relation}`,
  };
}

function columnList(columns: readonly { readonly name: string }[]): string {
  return columns.map((column) => quoteIdentifier(column.name)).join(", ");
}
