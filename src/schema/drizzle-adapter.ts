/**
 * With `drizzle-columns.ts`, the one place that reads Drizzle's table metadata (ADR 0001). Everything below works on `EntityDescription`,
 * so that a new Drizzle line means a change here and nowhere else.
 */
import { is } from "drizzle-orm";
import { getTableConfig, type PgColumn, PgTable } from "drizzle-orm/pg-core";
import { SchemaError } from "../errors/index.ts";
import { commentOf } from "./declared/notes.ts";
import { describePartitioning, refuseKeysAcrossPartitions } from "./declared/partitioning.ts";
import { describePolicy } from "./declared/policy.ts";
import type {
  ColumnDescription,
  EntityDescription,
  EnumDescription,
  ForeignKeyDescription,
  IndexDescription,
  KeyDescription,
  PartitioningDescription,
  PolicyDescription,
  ReferentialAction,
  UniqueDescription,
} from "./description.ts";
import { describeColumns, describeEnums } from "./drizzle-columns.ts";
import { describeIndex } from "./drizzle-indexes.ts";
import { renderClause } from "./drizzle-sql.ts";
import { declarationOf } from "./entity.ts";
import { describeHistory } from "./history-description.ts";
import { describeSearch } from "./search-description.ts";
import { idsNeededBy, referencesOfTable } from "./table-references.ts";
import { describeTenant, foreignKeyOfTenant, indexOfTenant, ofTenant } from "./tenant.ts";
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
  readonly rowKey: readonly ColumnDescription[];
  readonly tenant: ColumnDescription | undefined;
  readonly uniques: readonly UniqueDescription[];
  readonly indexes: readonly IndexDescription[];
  readonly checks: EntityDescription["checks"];
  readonly enums: readonly EnumDescription[];
  readonly policies: readonly PolicyDescription[];
  readonly rowSecurity: boolean;
  readonly partitioning: PartitioningDescription | undefined;
  readonly comment: string | undefined;
  readonly renamedFrom: string | undefined;
  readonly needs: EntityDescription["needs"];
  readonly references: readonly object[];
  readonly softDelete: boolean;
  readonly list: EntityDescription["list"];
  readonly search: EntityDescription["search"];
  readonly history: EntityDescription["history"];
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
    this.columns = describeColumns(table, config.columns, schema, declaration?.marks, keyNames);
    this.byKey = new Map(this.columns.map((column) => [column.key, column]));
    this.byRole = new Map(
      this.columns.flatMap((c) => (c.marks.role === undefined ? [] : [[c.marks.role, c]])),
    );
    this.#byColumn = new Map(this.columns.map((column) => [column.name, column]));
    const declaredKey = this.#describePrimaryKey();
    this.rowKey = declaredKey.columns;
    const tenant = this.byRole.get("tenant");
    this.tenant = tenant === undefined ? undefined : describeTenant(this.name, tenant, this.rowKey);
    this.primaryKey = ofTenant(tenant, declaredKey);
    this.uniques = this.#describeUniques().map((unique) => ofTenant(tenant, unique));
    const relation = { ...this.#names(), isPartitioned: declaration?.partitionBy !== undefined };
    this.indexes = config.indexes.map((index) =>
      indexOfTenant(tenant, describeIndex(relation, index), namesIn(index)),
    );
    this.checks = config.checks.map((check) => ({
      name: check.name,
      expression: renderClause(check.value, schema),
      comment: commentOf(check),
    }));
    this.enums = describeEnums(config.columns);
    this.policies = config.policies.map((policy) => describePolicy(policy, schema, this.name));
    this.rowSecurity = config.enableRLS || this.policies.length > 0;
    this.comment = commentOf(table) ?? declaration?.comment;
    this.renamedFrom = declaration?.renamedFrom;
    this.needs = idsNeededBy(config, schema, declaration?.dependsOn ?? []);
    this.references = referencesOfTable(config, declaration?.dependsOn ?? []);
    this.partitioning =
      declaration?.partitionBy === undefined
        ? undefined
        : describePartitioning(
            { ...this.#names(), byKey: this.byKey, drizzleColumn: (name) => builtColumn(config, name) },
            declaration.partitionBy,
          );
    this.search = declaration?.search === undefined ? undefined : describeSearch(this, declaration.search);
    this.history =
      declaration?.history === undefined ? undefined : describeHistory(this, declaration.history);
    refuseUnusable(this, config.columns);
    refuseKeysAcrossPartitions(this);
  }

  #names(): Pick<EntityDescription, "name" | "schema" | "columns"> {
    return { name: this.name, schema: this.schema, columns: this.columns };
  }

  get foreignKeys(): readonly ForeignKeyDescription[] {
    this.#foreignKeys ??= this.#config.foreignKeys.map((key) => {
      const { columns, foreignTable, foreignColumns } = key.reference();
      const target = describeTable(foreignTable);
      return foreignKeyOfTenant(this, {
        name: key.getName(),
        columns: columns.map((column) => this.column(column.name)),
        target,
        targetColumns: foreignColumns.map((column) => columnNamed(target, column.name)),
        onDelete: (key.onDelete ?? "no action") as ReferentialAction,
        onUpdate: (key.onUpdate ?? "no action") as ReferentialAction,
        carriesTenant: false,
        comment: commentOf(key),
      });
    });
    return this.#foreignKeys;
  }

  column(name: string): ColumnDescription {
    const column = this.#byColumn.get(name);
    if (column === undefined) throw new SchemaError(`table "${this.name}" has no column "${name}"`);
    return column;
  }

  #describePrimaryKey(): KeyDescription {
    const [composite, second] = this.#config.primaryKeys;
    if (second !== undefined) throw new SchemaError(`table "${this.name}" has two primary keys`);
    const columns =
      composite === undefined
        ? this.columns.filter((column) => column.isPrimaryKey)
        : composite.columns.map((column) => this.column(column.name));
    if (columns.length === 0) {
      throw new SchemaError(`table "${this.name}" has no primary key`, {
        hint: "Add one: id: ulidKey(), or primaryKey({ columns: […] }) in its constraints.",
      });
    }
    const others = this.columns.filter((column) => column.isPrimaryKey && !columns.includes(column));
    if (others.length > 0) {
      throw new SchemaError(`table "${this.name}" has two primary keys`, {
        hint: `"${others[0]?.key}" says .primaryKey(), and primaryKey({ columns }) leaves it out.`,
      });
    }
    const composed = columns.length === 1 ? undefined : composite?.getName();
    const name = composite?.name ?? composed ?? `${this.name}_pkey`;
    return { name, columns, comment: composite === undefined ? undefined : commentOf(composite) };
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
      comment: commentOf(unique),
    }));
    return [...inline, ...declared];
  }
}

/** The columns that an index names by themselves. */
function namesIn({ config: { columns } }: TableConfig["indexes"][number]): readonly string[] {
  return columns.flatMap((column) =>
    "name" in column && typeof column.name === "string" ? [column.name] : [],
  );
}

function columnNamed(entity: EntityDescription, name: string): ColumnDescription {
  const column = entity.columns.find((candidate) => candidate.name === name);
  if (column === undefined) throw new SchemaError(`table "${entity.name}" has no column "${name}"`);
  return column;
}

function builtColumn(config: TableConfig, name: string): PgColumn {
  const column = config.columns.find((candidate) => candidate.name === name);
  if (column === undefined) throw new SchemaError(`table "${config.name}" has no column "${name}"`);
  return column;
}
