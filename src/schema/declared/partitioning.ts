import { is, SQL } from "drizzle-orm";
import type { PgColumn } from "drizzle-orm/pg-core";
import { SchemaError, unknownName } from "../../errors/index.ts";
import { quoteLiteral } from "../../sql/index.ts";
import type {
  ColumnDescription,
  EntityDescription,
  PartitionDescription,
  PartitioningDescription,
} from "../description.ts";
import { literalOf } from "../drizzle-columns.ts";
import { renderClause } from "../drizzle-sql.ts";
import type { Bound, DefaultPartition, ListPartition, PartitionBy, RangePartition } from "./partition-by.ts";
import { refuseUnknownOptions } from "./registry.ts";

const STRATEGIES = ["range", "list", "hash"] as const;

/** More would be a mistake: planning time grows with them. */
export const HASH_PARTITIONS_LIMIT = 1_024;

/** What partitioning needs to know of its table. */
export interface PartitionedTable {
  readonly name: string;
  readonly schema: string;
  readonly byKey: ReadonlyMap<string, ColumnDescription>;
  readonly drizzleColumn: (name: string) => PgColumn;
}

/** @throws {SCHEMA_INVALID} for an unknown column, two strategies, and bounds that fit no partition. */
export function describePartitioning(
  table: PartitionedTable,
  by: PartitionBy<string>,
): PartitioningDescription {
  const what = `partitionBy of "${table.name}"`;
  refuseUnknownOptions(what, by, [...STRATEGIES, "partitions"]);
  const given = new Map<string, unknown>(Object.entries(by));
  const [strategy, ...others] = STRATEGIES.filter((name) => given.get(name) !== undefined);
  if (strategy === undefined || others.length > 0) {
    throw new SchemaError(`${what} says one of range, list and hash`, {
      hint: 'partitionBy: { range: ["createdAt"], partitions: [] }.',
    });
  }
  const keys = given.get(strategy);
  const columns = (Array.isArray(keys) ? keys : [keys]).map((key: unknown) => columnOf(table, what, key));
  if (columns.length === 0 || (strategy === "list" && columns.length > 1)) {
    throw new SchemaError(`${what} names ${columns.length} columns`, {
      hint: "A list is by one, the others by one or more.",
    });
  }
  const partitions =
    "hash" in by
      ? hashPartitions(table.name, what, by.partitions)
      : (by.partitions ?? []).map((partition) => describePartition(table, columns, strategy, partition));
  return { strategy, columns, partitions };
}

function columnOf(table: PartitionedTable, what: string, key: unknown): ColumnDescription {
  const column = typeof key === "string" ? table.byKey.get(key) : undefined;
  if (column !== undefined) return column;
  throw new SchemaError(`${what}: ${unknownName("column", key, [...table.byKey.keys()])}`);
}

function hashPartitions(table: string, what: string, count: unknown): readonly PartitionDescription[] {
  if (typeof count !== "number" || !Number.isInteger(count) || count < 1 || count > HASH_PARTITIONS_LIMIT) {
    throw new SchemaError(`${what}: partitions is how many there are, 1 to ${HASH_PARTITIONS_LIMIT}`);
  }
  return Array.from({ length: count }, (_, i) => ({
    name: `${table}_p${i}`,
    bound: `for values with (modulus ${count}, remainder ${i})`,
    comment: undefined,
  }));
}

function describePartition(
  table: PartitionedTable,
  columns: readonly ColumnDescription[],
  strategy: "range" | "list" | "hash",
  partition: RangePartition | ListPartition | DefaultPartition,
): PartitionDescription {
  const what = `partition "${partition.name}" of "${table.name}"`;
  const own = strategy === "range" ? ["from", "to"] : ["values"];
  refuseUnknownOptions(what, partition, ["name", "default", "comment", ...own]);
  const { name, comment } = partition;
  if ("default" in partition) return { name, bound: "default", comment };
  const tuple = (bounds: Bound | readonly Bound[]): string => {
    const list = isList(bounds) ? bounds : [bounds];
    if (list.length !== columns.length) {
      throw new SchemaError(
        `${what} has bounds of ${list.length} values for a key of ${columns.length} columns`,
      );
    }
    return list.map((bound, i) => boundSql(table, columns[i]?.name ?? "", bound)).join(", ");
  };
  if ("from" in partition) {
    return { name, bound: `for values from (${tuple(partition.from)}) to (${tuple(partition.to)})`, comment };
  }
  if (!("values" in partition) || partition.values.length === 0) {
    throw new SchemaError(`${what} has no bounds`, { hint: "from and to, values, or default: true." });
  }
  const values = partition.values.map((value) => boundSql(table, columns[0]?.name ?? "", value));
  return { name, bound: `for values in (${values.join(", ")})`, comment };
}

function isList(bounds: Bound | readonly Bound[]): bounds is readonly Bound[] {
  return Array.isArray(bounds);
}

function boundSql(table: PartitionedTable, name: string, bound: Bound): string {
  if (is(bound, SQL)) return renderClause(bound, table.schema);
  const column = table.drizzleColumn(name);
  if (typeof bound !== "string") return literalOf(column, bound);
  return quoteLiteral(/with time zone/.test(column.getSQLType()) ? inUtc(bound) : bound);
}

/** The time zone of whoever runs the migration must not move the bound. */
function inUtc(text: string): string {
  if (/^\d{4}-\d\d-\d\d$/.test(text)) return `${text} 00:00:00+00`;
  return /^\d{4}-\d\d-\d\d[T ][\d:.]+$/.test(text) ? `${text}+00` : text;
}

/**
 * PostgreSQL keeps uniqueness within a partition, so every key has to name the partition's columns.
 *
 * @throws {SCHEMA_INVALID}
 * @see https://www.postgresql.org/docs/current/ddl-partitioning.html#DDL-PARTITIONING-DECLARATIVE-LIMITATIONS
 */
export function refuseKeysAcrossPartitions(entity: EntityDescription): void {
  const { partitioning } = entity;
  if (partitioning === undefined) return;
  const indexes = entity.indexes.flatMap(({ name, isUnique, uniqueColumns }) =>
    isUnique ? [{ what: `its unique index "${name}"`, columns: uniqueColumns ?? [] }] : [],
  );
  const keys = [
    { what: "its primary key", columns: entity.primaryKey.columns },
    ...entity.uniques.map(({ name, columns }) => ({ what: `its unique key "${name}"`, columns })),
    ...indexes,
  ];
  for (const { what, columns } of keys) {
    const missing = partitioning.columns.find(({ name }) => !columns.some((column) => column.name === name));
    if (missing === undefined) continue;
    throw new SchemaError(`"${entity.name}" is partitioned by "${missing.key}", which ${what} lacks`, {
      hint: `PostgreSQL keeps a key within one partition only. Add "${missing.key}" to it; in the primary key by .primaryKey() on the column.`,
    });
  }
}
