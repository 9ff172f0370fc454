import type { Cell, Connection } from "../../driver/index.ts";
import { decodeArray } from "../../statement/index.ts";
import { selectColumns, selectConstraints, selectKeys, selectTables, selectTypes } from "./queries.ts";

/** A type as far as writing values of it goes. */
export interface TypeShape {
  readonly id: string;
  readonly name: string;
  /** As SQL writes it, under the session's search path. */
  readonly sql: string;
  readonly kind: "base" | "array" | "enum" | "domain" | "composite" | "range" | "multirange";
  /** The server's category: `S` for strings, `N` for numbers, `D` for dates. */
  readonly category: string;
  /** What a domain, array, range or multirange is made of. */
  readonly of: TypeUse | undefined;
  readonly labels: readonly string[];
  readonly attributes: readonly AttributeShape[];
  /** Conditions of a domain, on `value`. */
  readonly checks: readonly CheckShape[];
  readonly notNull: boolean;
}

/** A type as a column or another type uses it. */
export interface TypeUse {
  readonly id: string;
  /** `atttypmod`: the length of a `varchar(20)`; -1 for none. */
  readonly modifier: number;
  /** With its modifier, as SQL writes it. Undefined: as the type itself says. */
  readonly sql: string | undefined;
}

/** A column, or an attribute of a composite type. */
export interface AttributeShape {
  readonly name: string;
  readonly number: number;
  readonly type: TypeUse & { readonly sql: string };
  readonly notNull: boolean;
  readonly isIdentity: boolean;
  /** The generation expression. */
  readonly generated: string | undefined;
  readonly default: string | undefined;
}

/** A condition on a row. It holds when it gives null, too. */
export interface CheckShape {
  readonly name: string;
  readonly expression: string;
}

export interface ForeignKeyShape {
  readonly name: string;
  readonly columns: readonly string[];
  /** OID of the table it refers to. */
  readonly target: string;
  readonly targetColumns: readonly string[];
  readonly isMatchFull: boolean;
}

/** A table as far as inserting rows goes. */
export interface TableShape {
  readonly id: string;
  readonly schema: string;
  readonly name: string;
  readonly isPartitioned: boolean;
  /** OID of the table it is a partition of. */
  readonly partitionOf: string | undefined;
  readonly columns: readonly AttributeShape[];
  /** Its checks, and the bound of a partition. */
  readonly checks: readonly CheckShape[];
  readonly foreignKeys: readonly ForeignKeyShape[];
  /** Columns of unique and exclusion constraints. */
  readonly keyColumns: ReadonlySet<string>;
}

/** Tables and types of a database. */
export interface DatabaseShape {
  readonly tables: ReadonlyMap<string, TableShape>;
  readonly types: ReadonlyMap<string, TypeShape>;
}

/** Reads what rows have to satisfy. One round trip. */
export async function readShape(connection: Connection): Promise<DatabaseShape> {
  const [tables, columns, constraints, keys, types] = await connection.batch([
    selectTables,
    selectColumns,
    selectConstraints,
    selectKeys,
    selectTypes,
  ]);
  const attributes = groupBy(columns?.rows ?? [], attributeOf);
  const shapes = (tables?.rows ?? []).map((row) =>
    tableOf(
      row,
      attributes,
      (constraints?.rows ?? []).filter(([table]) => table === row[0]),
      (keys?.rows ?? []).filter(([table]) => table === row[0]),
    ),
  );
  const typeShapes = new Map((types?.rows ?? []).map((row) => [row[0] ?? "", typeOf(row, attributes)]));
  return {
    tables: new Map(shapes.map((shape) => [shape.id, withDomainsNotNull(shape, typeShapes)])),
    types: typeShapes,
  };
}

/** A domain may forbid null where the column does not, and so may the domain it is made of. */
function withDomainsNotNull(table: TableShape, types: ReadonlyMap<string, TypeShape>): TableShape {
  const forbids = (id: string): boolean => {
    const type = types.get(id);
    return type?.kind === "domain" && (type.notNull || (type.of !== undefined && forbids(type.of.id)));
  };
  const columns = table.columns.map((column) => ({
    ...column,
    notNull: column.notNull || forbids(column.type.id),
  }));
  return { ...table, columns };
}

type Row = readonly Cell[];

function groupBy<T>(rows: readonly Row[], read: (row: Row) => T): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>();
  for (const row of rows) {
    const key = row[0] ?? "";
    const group = groups.get(key) ?? [];
    group.push(read(row));
    groups.set(key, group);
  }
  return groups;
}

function attributeOf(row: Row): AttributeShape {
  const [, number, name, typeId, modifier, typeSql, notNull, identity, generated, expression] = row;
  return {
    name: name ?? "",
    number: Number(number),
    type: { id: typeId ?? "", modifier: Number(modifier), sql: typeSql ?? "" },
    notNull: notNull === "t",
    isIdentity: identity !== "",
    generated: generated === "" ? undefined : (expression ?? undefined),
    default: generated === "" ? (expression ?? undefined) : undefined,
  };
}

function tableOf(
  row: Row,
  attributes: ReadonlyMap<string, readonly AttributeShape[]>,
  constraints: readonly Row[],
  keys: readonly Row[],
): TableShape {
  const [id, schema, name, kind, partitionOf, bound] = row;
  const columns = attributes.get(id ?? "") ?? [];
  const namesOf = (numbers: Cell, of = columns): readonly string[] => {
    const byNumber = new Map(of.map((column) => [String(column.number), column.name]));
    return (numbers ?? "").split(/[{}, ]+/).flatMap((number) => byNumber.get(number) ?? []);
  };
  const checks = constraints
    .filter((constraint) => constraint[2] === "c")
    .map(([, checkName, , , , , , expression]) => ({
      name: `check ${checkName}`,
      expression: expression ?? "true",
    }));
  return {
    id: id ?? "",
    schema: schema ?? "",
    name: name ?? "",
    isPartitioned: kind === "p",
    partitionOf: partitionOf ?? undefined,
    columns,
    checks: bound == null ? checks : [{ name: "the partition's bound", expression: bound }, ...checks],
    foreignKeys: constraints
      .filter((constraint) => constraint[2] === "f")
      .map(([, keyName, , own, target, theirs, match]) => ({
        name: keyName ?? "",
        columns: namesOf(own ?? null),
        target: target ?? "",
        targetColumns: namesOf(theirs ?? null, attributes.get(target ?? "") ?? []),
        isMatchFull: match === "f",
      })),
    keyColumns: new Set(keys.flatMap(([, numbers]) => namesOf(numbers ?? null))),
  };
}

const KINDS: Readonly<Record<string, TypeShape["kind"]>> = {
  d: "domain",
  e: "enum",
  c: "composite",
  r: "range",
  m: "multirange",
};

function typeOf(row: Row, attributes: ReadonlyMap<string, readonly AttributeShape[]>): TypeShape {
  const [id, name, sql, letter, category, base, modifier, baseSql, element, relation, part] = row;
  const [labels, checks, checkNames, notNull] = row.slice(11);
  const kind = element !== "0" && element != null ? "array" : (KINDS[letter ?? ""] ?? "base");
  const of = kind === "domain" ? base : kind === "array" ? element : part;
  const names = texts(checkNames ?? null);
  return {
    id: id ?? "",
    name: name ?? "",
    sql: sql ?? "",
    kind,
    category: category ?? "",
    of:
      of == null
        ? undefined
        : kind === "domain"
          ? { id: of, modifier: Number(modifier), sql: baseSql ?? "" }
          : { id: of, modifier: -1, sql: undefined },
    labels: texts(labels ?? null),
    attributes: attributes.get(relation ?? "") ?? [],
    checks: texts(checks ?? null).map((expression, index) => ({
      name: `check ${names[index] ?? ""} of ${sql ?? ""}`,
      expression,
    })),
    notNull: notNull === "t",
  };
}

function texts(array: Cell): readonly string[] {
  return array === null ? [] : decodeArray(array).flatMap((item) => (typeof item === "string" ? [item] : []));
}
