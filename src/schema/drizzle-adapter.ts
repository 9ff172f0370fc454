/**
 * With `drizzle-columns.ts`, the one place that reads Drizzle's table metadata (ADR 0001). Everything below works on `EntityDescription`,
 * so that a new Drizzle line means a change here and nowhere else.
 */
import { is, SQL } from "drizzle-orm";
import { getTableConfig, type IndexedColumn, PgTable } from "drizzle-orm/pg-core";
import { SchemaError } from "../errors/index.ts";
import { quoteIdentifier } from "../sql/index.ts";
import type {
  ColumnDescription,
  EntityDescription,
  EnumDescription,
  ForeignKeyDescription,
  IndexDescription,
  KeyDescription,
  ReferentialAction,
  UniqueDescription,
} from "./description.ts";
import { describeColumns, describeEnums, render } from "./drizzle-columns.ts";
import { declarationOf } from "./entity.ts";
import { refuseUnusable } from "./usable.ts";

type TableConfig = ReturnType<typeof getTableConfig>;

const descriptions = new WeakMap<object, EntityDescription>();

/**
 * Reads a Drizzle table once; later calls return the same description. A foreign key's target is described when
 * it is first asked for, as tables may refer to each other in a circle.
 *
 * @throws {SCHEMA_INVALID} when the table has no schema or no primary key.
 */
export function describeTable(table: object): EntityDescription {
  const known = descriptions.get(table);
  if (known !== undefined) return known;
  if (!is(table, PgTable)) {
    throw new SchemaError("this is not a table", { hint: "Declare it with entity(app, name, columns)." });
  }
  const config = getTableConfig(table);
  if (config.schema === undefined) {
    throw new SchemaError(`table "${config.name}" is in no schema of its own`, {
      hint: `Declare it with entity(appSchema("…"), "${config.name}", …).`,
    });
  }
  const description = new TableDescription(table, config, config.schema);
  descriptions.set(table, description);
  return description;
}

class TableDescription implements EntityDescription {
  readonly name: string;
  readonly schema: string;
  readonly columns: readonly ColumnDescription[];
  readonly byKey: ReadonlyMap<string, ColumnDescription>;
  readonly byRole: ReadonlyMap<string, ColumnDescription>;
  readonly primaryKey: KeyDescription;
  readonly uniques: readonly UniqueDescription[];
  readonly indexes: readonly IndexDescription[];
  readonly checks: EntityDescription["checks"];
  readonly enums: readonly EnumDescription[];
  readonly softDelete: boolean;
  readonly list: EntityDescription["list"];
  readonly #config: TableConfig;
  readonly #byColumn: ReadonlyMap<string, ColumnDescription>;
  #foreignKeys: readonly ForeignKeyDescription[] | undefined;

  constructor(table: PgTable, config: TableConfig, schema: string) {
    const declaration = declarationOf(table);
    this.#config = config;
    this.name = config.name;
    this.schema = schema;
    this.softDelete = declaration?.softDelete ?? false;
    this.list = declaration?.list ?? {};
    const keyNames = config.primaryKeys.flatMap((key) => key.columns.map((column) => column.name));
    this.columns = describeColumns(table, config.columns, declaration?.marks, keyNames);
    this.byKey = new Map(this.columns.map((column) => [column.key, column]));
    this.byRole = new Map(
      this.columns.flatMap((c) => (c.marks.role === undefined ? [] : [[c.marks.role, c]])),
    );
    this.#byColumn = new Map(this.columns.map((column) => [column.name, column]));
    this.primaryKey = this.#describePrimaryKey();
    this.uniques = this.#describeUniques();
    this.indexes = config.indexes.map((index) => describeIndex(this, index));
    this.checks = config.checks.map((check) => ({ name: check.name, expression: render(check.value) }));
    this.enums = describeEnums(config.columns);
    refuseUnusable(this, config.columns);
  }

  get foreignKeys(): readonly ForeignKeyDescription[] {
    this.#foreignKeys ??= this.#config.foreignKeys.map((key) => {
      const { columns, foreignTable, foreignColumns } = key.reference();
      const target = describeTable(foreignTable);
      return {
        name: key.getName(),
        columns: columns.map((column) => this.column(column.name)),
        target,
        targetColumns: foreignColumns.map((column) => columnNamed(target, column.name)),
        onDelete: (key.onDelete ?? "no action") as ReferentialAction,
        onUpdate: (key.onUpdate ?? "no action") as ReferentialAction,
      };
    });
    return this.#foreignKeys;
  }

  column(name: string): ColumnDescription {
    const column = this.#byColumn.get(name);
    if (column === undefined) throw new SchemaError(`table "${this.name}" has no column "${name}"`);
    return column;
  }

  #describePrimaryKey(): KeyDescription {
    const [composite] = this.#config.primaryKeys;
    const columns =
      composite === undefined
        ? this.columns.filter((column) => column.isPrimaryKey)
        : composite.columns.map((column) => this.column(column.name));
    if (columns.length === 0) {
      throw new SchemaError(`table "${this.name}" has no primary key`, {
        hint: "Add one: id: ulidKey(), or primaryKey({ columns: […] }) in its constraints.",
      });
    }
    const name = columns.length === 1 ? `${this.name}_pkey` : (composite?.getName() ?? `${this.name}_pkey`);
    return { name, columns };
  }

  #describeUniques(): readonly UniqueDescription[] {
    const inline = this.#config.columns.flatMap((column) =>
      column.isUnique
        ? [
            {
              name: column.uniqueName ?? `${this.name}_${column.name}_unique`,
              columns: [this.column(column.name)],
              nullsNotDistinct: column.uniqueType === "not distinct",
              livingOnly: this.softDelete,
            },
          ]
        : [],
    );
    const declared = this.#config.uniqueConstraints.map((unique) => ({
      name: unique.getName() ?? `${this.name}_${unique.columns.map((c) => c.name).join("_")}_unique`,
      columns: unique.columns.map((column) => this.column(column.name)),
      nullsNotDistinct: unique.nullsNotDistinct,
      livingOnly: this.softDelete,
    }));
    return [...inline, ...declared];
  }
}

function columnNamed(entity: EntityDescription, name: string): ColumnDescription {
  const column = entity.columns.find((candidate) => candidate.name === name);
  if (column === undefined) throw new SchemaError(`table "${entity.name}" has no column "${name}"`);
  return column;
}

type DrizzleIndex = TableConfig["indexes"][number];

function describeIndex(entity: EntityDescription, index: DrizzleIndex): IndexDescription {
  const { columns, method = "btree", unique, where, name } = index.config;
  const parts: string[] = [];
  const names: string[] = [];
  const plain: ColumnDescription[] = [];
  for (const column of columns) {
    if (is(column, SQL)) {
      parts.push(render(column));
      names.push("expr");
      continue;
    }
    const { name: columnName, indexConfig } = column as IndexedColumn;
    if (columnName === undefined) throw new SchemaError(`an index of "${entity.name}" names no column`);
    names.push(columnName);
    plain.push(columnNamed(entity, columnName));
    const isNullable = entity.columns.find((column) => column.name === columnName)?.notNull !== true;
    parts.push([quoteIdentifier(columnName), ...orderOf(indexConfig, method, isNullable)].join(" "));
  }
  return {
    name: name ?? `${entity.name}_${names.join("_")}_${unique ? "key" : "idx"}`,
    isUnique: unique,
    method,
    parts,
    uniqueColumns: unique && where === undefined && plain.length === columns.length ? plain : undefined,
    where: where === undefined ? undefined : render(where),
  };
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
