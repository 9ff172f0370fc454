import { is, SQL } from "drizzle-orm";
import type { getTableConfig, IndexedColumn } from "drizzle-orm/pg-core";
import { SchemaError } from "../errors/index.ts";
import { quoteIdentifier, quoteLiteral } from "../sql/index.ts";
import { commentOf } from "./declared/notes.ts";
import type { ColumnDescription, IndexDescription } from "./description.ts";
import { renderClause } from "./drizzle-sql.ts";

type DrizzleIndex = ReturnType<typeof getTableConfig>["indexes"][number];

/** What an index is on: a table, or a materialized view, whose columns say nothing about nulls. */
export interface IndexedRelation {
  readonly name: string;
  readonly schema: string;
  readonly columns: readonly Pick<ColumnDescription, "name" | "notNull">[];
  readonly isPartitioned: boolean;
}

/** @throws {SCHEMA_INVALID} for a column that is not there, and for what cannot be rendered. */
export function describeIndex<R extends IndexedRelation>(
  relation: R,
  index: DrizzleIndex,
): Omit<IndexDescription, "uniqueColumns"> & {
  readonly uniqueColumns: readonly R["columns"][number][] | undefined;
} {
  const { columns, method = "btree", unique, where, name } = index.config;
  const parts: string[] = [];
  const names: string[] = [];
  const plain: R["columns"][number][] = [];
  for (const column of columns) {
    if (is(column, SQL)) {
      parts.push(renderClause(column, relation.schema));
      names.push("expr");
      continue;
    }
    const { name: columnName, indexConfig } = column as IndexedColumn;
    const found = relation.columns.find((candidate) => candidate.name === columnName);
    if (columnName === undefined || found === undefined) {
      throw new SchemaError(`an index of "${relation.name}" is on a column that it does not have`);
    }
    names.push(columnName);
    plain.push(found);
    parts.push([quoteIdentifier(columnName), ...orderOf(indexConfig, method, !found.notNull)].join(" "));
  }
  const indexName = name ?? `${relation.name}_${names.join("_")}_${unique ? "key" : "idx"}`;
  refuseUnattached(relation, index, indexName);
  return {
    name: indexName,
    isUnique: unique,
    method: /^[a-z_][a-z0-9_]*$/.test(method) ? method : quoteIdentifier(method),
    parts,
    uniqueColumns: unique && where === undefined && plain.length === columns.length ? plain : undefined,
    where: where === undefined ? undefined : renderClause(where, relation.schema),
    options: storageParameters(`index "${indexName}"`, index.config.with ?? {}),
    comment: commentOf(index),
  };
}

/**
 * Drizzle says `only` of every index with a method, too, where it changes nothing; of a partitioned table it would
 * leave an invalid index for somebody to attach the partitions' to.
 */
function refuseUnattached(relation: IndexedRelation, { config }: DrizzleIndex, name: string): void {
  if (!config.only || config.method !== "btree" || !relation.isPartitioned) return;
  throw new SchemaError(`index "${name}" leaves out the partitions of "${relation.name}"`, {
    hint: "Use .on(…): the partitions get theirs with it.",
  });
}

/**
 * Storage parameters as DDL writes them.
 *
 * @throws {SCHEMA_INVALID} for a name or value that no parameter has.
 */
export function storageParameters(
  what: string,
  options: Readonly<Record<string, unknown>>,
): readonly string[] {
  return Object.entries(options).flatMap(([name, value]) => {
    if (value === undefined) return [];
    const isValue = typeof value === "number" || typeof value === "boolean" || typeof value === "string";
    if (!/^[a-z_][a-z0-9_.]*$/.test(name) || !isValue) {
      throw new SchemaError(
        `${what} has a storage parameter that PostgreSQL cannot have: ${JSON.stringify(name)}`,
      );
    }
    return [`${name} = ${typeof value === "string" ? quoteLiteral(value).trim() : String(value)}`];
  });
}

function orderOf(
  config: IndexedColumn["indexConfig"],
  method: string,
  isNullable: boolean,
): readonly string[] {
  const words: string[] = [];
  if (config?.opClass !== undefined) words.push(config.opClass);
  if (method !== "btree") return words;
  if (config?.order === "desc") words.push("desc");
  // Drizzle says `nulls last` of every column; PostgreSQL's own default depends on the direction. Where there are no
  // nulls the words would change nothing but this: `order by … desc` could no longer be read from the index, because
  // the planner compares the words. https://www.postgresql.org/docs/current/indexes-ordering.html
  if (isNullable && config?.order === "desc" && config.nulls === "last") words.push("nulls last");
  if (config?.order !== "desc" && config?.nulls === "first") words.push("nulls first");
  return words;
}
