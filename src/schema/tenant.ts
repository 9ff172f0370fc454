import { SchemaError } from "../errors/index.ts";
import { quoteIdentifier } from "../sql/index.ts";
import type {
  ColumnDescription,
  EntityDescription,
  ForeignKeyDescription,
  IndexDescription,
  KeyDescription,
  PolicyDescription,
} from "./description.ts";
import type { ObjectDescription, ViewDescription } from "./object-description.ts";

/** Types whose values an actor's `tenantId` can say as text, and that compare as that text does. */
const TENANT_TYPES: ReadonlySet<string> = new Set([
  "text",
  "varchar",
  "uuid",
  "smallint",
  "integer",
  "bigint",
]);

/**
 * The column that says whose row it is.
 *
 * @throws {SCHEMA_INVALID} for one that can be null, has a default or another purpose, or a type that no `tenantId` has.
 */
export function describeTenant(
  entityName: string,
  column: ColumnDescription,
  primaryKey: readonly ColumnDescription[],
): ColumnDescription {
  const what = `"${column.key}" is the tenant of "${entityName}"`;
  if (primaryKey.includes(column)) {
    throw new SchemaError(`${what} and part of its primary key`, {
      hint: "The tenant leads every key by itself: leave it out of the primary key.",
    });
  }
  if (!column.notNull) {
    throw new SchemaError(`${what} and can be null, so that a row could be nobody's`, {
      hint: `Say .notNull(). Rows that all tenants share belong into an entity without a tenant.`,
    });
  }
  if (
    !TENANT_TYPES.has(column.castType) ||
    !["text", "integer", "bigint", "safe-bigint"].includes(column.kind)
  ) {
    throw new SchemaError(`${what}, and ${column.sqlType} is no type that db.as({ tenantId }) can say`, {
      hint: `Use ${[...TENANT_TYPES].join(", ")}.`,
    });
  }
  if (column.hasServerDefault || column.produce !== undefined || column.generatedSql !== undefined) {
    throw new SchemaError(`${what} and has a default, which would be some other tenant's`, {
      hint: "Leave the default out: a new row takes the tenant of db.as({ tenantId }).",
    });
  }
  if (column.marks.secret === true) throw new SchemaError(`${what} and cannot be secret`);
  return column;
}

/** A key that holds for each tenant apart. */
export function ofTenant<K extends Pick<KeyDescription, "columns">>(
  tenant: ColumnDescription | undefined,
  key: K,
): K {
  return tenant === undefined || key.columns.includes(tenant)
    ? key
    : { ...key, columns: [tenant, ...key.columns] };
}

/**
 * An index that finds the rows of a tenant. Every statement asks for those, and a unique index over all tenants would tell
 * one of them what another has. Other methods have no order to lead.
 */
export function indexOfTenant(
  tenant: ColumnDescription | undefined,
  index: IndexDescription,
  columns: readonly string[],
): IndexDescription {
  if (tenant === undefined || index.method !== "btree" || columns.includes(tenant.name)) return index;
  return {
    ...index,
    parts: [quoteIdentifier(tenant.name), ...index.parts],
    uniqueColumns: index.uniqueColumns === undefined ? undefined : [tenant, ...index.uniqueColumns],
  };
}

/**
 * A foreign key that cannot lead to another tenant's row.
 *
 * @throws {SCHEMA_INVALID} where one side has no tenant to carry, the two are of different types, or it would change one.
 */
export function foreignKeyOfTenant(
  { name: entityName, tenant }: Pick<EntityDescription, "name" | "tenant">,
  key: ForeignKeyDescription,
): ForeignKeyDescription {
  const { target } = key;
  const what = `foreign key "${key.name}" of "${entityName}"`;
  if (target.tenant === undefined) {
    if (tenant !== undefined && key.columns.includes(tenant)) refuseChange(what, key);
    return key;
  }
  if (tenant === undefined) {
    throw new SchemaError(`${what} names a row of "${target.name}", which belongs to a tenant`, {
      hint: `Give "${entityName}" a tenant too: a row of nobody could not say whose row it means.`,
    });
  }
  if (tenant.castType !== target.tenant.castType) {
    throw new SchemaError(
      `${what} joins tenants of different types: "${tenant.key}" is ${tenant.castType}, "${target.tenant.key}" of "${target.name}" is ${target.tenant.castType}`,
      { hint: "Give both columns one type." },
    );
  }
  refuseChange(what, key);
  const others = key.columns.flatMap((column, i) => {
    const other = key.targetColumns[i];
    const [isOwn, isTheirs] = [column === tenant, other === target.tenant];
    if (isOwn !== isTheirs) {
      throw new SchemaError(`${what} compares a tenant with what is none`, {
        hint: `Leave "${tenant.key}" out: the key carries it by itself.`,
      });
    }
    return isOwn || other === undefined ? [] : [[column, other] as const];
  });
  return {
    ...key,
    columns: [tenant, ...others.map(([column]) => column)],
    targetColumns: [target.tenant, ...others.map(([, other]) => other)],
    carriesTenant: true,
  };
}

/** Nothing changes whose row it is. */
function refuseChange(what: string, { onUpdate, onDelete, target }: ForeignKeyDescription): void {
  if (onUpdate !== "no action" && onUpdate !== "restrict") {
    throw new SchemaError(`${what} says on update ${onUpdate}, which could change whose row it is`, {
      hint: "Leave onUpdate out: neither a tenant nor a key is ever changed.",
    });
  }
  if (target.tenant === undefined && onDelete.startsWith("set ")) {
    throw new SchemaError(`${what} says on delete ${onDelete}, which would leave rows without a tenant`, {
      hint: 'Let it restrict or cascade: onDelete: "restrict".',
    });
  }
}

/** The columns of a foreign key that are its own: without the tenant, which both sides have anyway. */
export function ownPairs({
  columns,
  targetColumns,
  carriesTenant,
}: Pick<ForeignKeyDescription, "columns" | "targetColumns" | "carriesTenant">): Pick<
  ForeignKeyDescription,
  "columns" | "targetColumns"
> {
  return carriesTenant
    ? { columns: columns.slice(1), targetColumns: targetColumns.slice(1) }
    : { columns, targetColumns };
}

/**
 * A view reads as its owner, whom policies may not bind, unless it says otherwise: then as whoever asks.
 *
 * @throws {SCHEMA_INVALID} for one that reads a tenant's table, or a view of it, by `${…}`.
 * @see https://www.postgresql.org/docs/current/sql-createview.html
 */
export function refuseOpenViews(
  entities: readonly EntityDescription[],
  objects: readonly ObjectDescription[],
): void {
  const divided = new Set(entities.filter(({ tenant }) => tenant !== undefined).map(({ name }) => name));
  const views = objects.filter((object): object is ViewDescription => object.kind === "view");
  for (let isMoving = divided.size > 0; isMoving; ) {
    isMoving = false;
    for (const { name, needs, options } of views) {
      const read = [...divided].find((table) => needs.includes(`relation ${table}`));
      if (read === undefined || divided.has(name)) continue;
      if (!options.includes("security_invoker = true")) {
        throw new SchemaError(
          `view "${name}" reads "${read}" as its owner, who may see every tenant's rows`,
          {
            hint: "Let it read as whoever asks: .with({ securityInvoker: true }).",
          },
        );
      }
      divided.add(name);
      isMoving = true;
    }
  }
}

/**
 * PostgreSQL shows a row that any permissive policy allows, so one beside the tenant's would show other tenants' rows.
 *
 * @throws {SCHEMA_INVALID}
 * @see https://www.postgresql.org/docs/current/sql-createpolicy.html
 */
export function refuseOpenPolicies(
  entities: readonly EntityDescription[],
  policies: readonly PolicyDescription[],
): void {
  for (const { name, tenant } of entities) {
    if (tenant === undefined) continue;
    const open = policies.find((policy) => policy.table === name && policy.isPermissive);
    if (open === undefined) continue;
    throw new SchemaError(
      `policy "${open.name}" of "${name}" is permissive, and would show what it allows of every tenant`,
      {
        hint: `PostgreSQL shows a row that any permissive policy allows. Say as: "restrictive": then it takes away from what the tenant sees.`,
      },
    );
  }
}
