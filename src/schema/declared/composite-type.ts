import { customType, type PgColumn, type PgCustomColumnBuilder } from "drizzle-orm/pg-core";
import { InputError } from "../../errors/index.ts";
import { decodeRecord, encodeRecord, qualifiedName } from "../../sql/index.ts";
import { declare, refuseUnknownOptions } from "./registry.ts";
import { buildAs } from "./type-of-column.ts";
import { buildTypes, type DataOf, refuseNonType, type TypeMap } from "./value-type.ts";

export interface CompositeTypeOptions {
  readonly comment?: string;
}

/** The value of a composite type: any of its parts may be null. */
export type CompositeValue<A extends TypeMap> = { -readonly [K in keyof A]: DataOf<A[K]> | null };

/** A type of several parts: call it where a column type stands. */
export type CompositeType<A extends TypeMap> = (name?: string) => PgCustomColumnBuilder<{
  name: "";
  dataType: "custom";
  columnType: "PgCustomColumn";
  data: CompositeValue<A>;
  driverParam: string;
  enumValues: undefined;
}>;

export interface CompositeTypeDeclaration extends CompositeTypeOptions {
  readonly attributes: ReadonlyMap<string, PgColumn>;
}

export function declareCompositeType<A extends TypeMap>(
  app: { readonly schemaName: string },
  name: string,
  attributes: A,
  options: CompositeTypeOptions = {},
): CompositeType<A> {
  refuseUnknownOptions(`composite type "${name}"`, options, ["comment"]);
  for (const [key, builder] of Object.entries(attributes)) {
    refuseNonType(`"${key}" of composite type "${name}"`, builder, { notNull: false, default: false });
  }
  const built = buildTypes(app.schemaName, name, attributes);
  const column = customType<{ data: CompositeValue<A>; driverData: string }>({
    dataType: () => qualifiedName(app.schemaName, name),
    toDriver: (value) => recordOf(built, value),
    fromDriver: (text) => readRecord<A>(built, text),
  });
  // Drizzle's types want the name "" for a column that takes its property's.
  const type: CompositeType<A> = (columnName) => buildAs(column(columnName as ""), type);
  return declare(app, type, {
    kind: "composite type",
    name,
    options: { ...options, attributes: built } satisfies CompositeTypeDeclaration,
  });
}

/** What Drizzle's own client sends; a repository has a stricter codec for it. */
function recordOf(attributes: ReadonlyMap<string, PgColumn>, value: object): string {
  const given = new Map<string, unknown>(Object.entries(value));
  return encodeRecord(
    [...attributes].map(([key, column]) => {
      const part = given.get(key) ?? null;
      return part === null ? null : wireText(column.mapToDriverValue(part), key);
    }),
  );
}

function wireText(value: unknown, path: string): string {
  if (typeof value === "string") return value;
  if (typeof value === "number" || typeof value === "bigint" || typeof value === "boolean")
    return String(value);
  if (value instanceof Uint8Array) return `\\x${Buffer.from(value).toString("hex")}`;
  throw new InputError("INVALID_VALUE", [{ path, message: "cannot be part of a composite value" }]);
}

function readRecord<A extends TypeMap>(
  attributes: ReadonlyMap<string, PgColumn>,
  text: string,
): CompositeValue<A> {
  const cells = decodeRecord(text);
  const parts = [...attributes].map(([key, column], i) => {
    const cell = cells[i] ?? null;
    return [key, cell === null ? null : column.mapFromDriverValue(wireValue(column, cell))] as const;
  });
  // The keys are those of the declaration, which the type is made of.
  return Object.fromEntries(parts) as CompositeValue<A>;
}

/** What a `pg` client would have made of the cell before Drizzle saw it. */
function wireValue(column: PgColumn, cell: string): unknown {
  switch (column.columnType) {
    case "PgBoolean":
      return cell === "t";
    case "PgInteger":
    case "PgSmallInt":
    case "PgReal":
    case "PgDoublePrecision":
      return Number(cell);
    default:
      return cell.startsWith("\\x") && column.getSQLType() === "bytea"
        ? Buffer.from(cell.slice(2), "hex")
        : cell;
  }
}
