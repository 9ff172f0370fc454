import type { CatalogColumn, ConstraintObject, SequenceOptions, TableObject } from "../catalog/index.ts";
import { snakeCase } from "../sql/index.ts";
import type { PullContext } from "./context.ts";
import { defaultSource } from "./defaults.ts";
import { call, object, quoted, template } from "./literal.ts";
import { partlyDeclared } from "./model.ts";
import { bare } from "./scan.ts";
import { type TypeSource, typeSource } from "./types.ts";

/** What a column says of the keys it is in. */
export interface ColumnKeys {
  /** `.primaryKey()` and the like, in order. */
  readonly source: string;
  readonly isPrimary: boolean;
  /** What stands in the place of its type. */
  readonly type?: string | undefined;
}

/** A column's declaration without its property: `varchar({ length: 200 }).notNull().unique()`. */
export function columnSource(
  context: PullContext,
  table: TableObject,
  column: CatalogColumn,
  keys: ColumnKeys,
): string {
  const key = context.propertiesOf(table.id).get(column.name) ?? column.name;
  const name = snakeCase(key) === column.name ? undefined : column.name;
  const set = keySet(context, column, keys, name);
  const source = set ?? ordinaryColumn(context, column, keys, name);
  reportParts(context, column);
  return column.comment === undefined
    ? source
    : call(context.file.use("comment"), source, quoted(column.comment));
}

/** The keys Plinth has a word for, where the column is exactly that. */
function keySet(
  { file }: PullContext,
  column: CatalogColumn,
  keys: ColumnKeys,
  name: string | undefined,
): string | undefined {
  if (name !== undefined || keys.source !== ".primaryKey()") return undefined;
  const { type, identity, default: byDefault } = column;
  if (type === "uuid" && byDefault === "gen_random_uuid()") return `${file.use("uuidKey")}()`;
  const isPlainIdentity = identity?.mode === "always" && identityOptions(identity.options) === undefined;
  return type === "bigint" && isPlainIdentity ? `${file.use("identityKey")}()` : undefined;
}

function ordinaryColumn(
  context: PullContext,
  column: CatalogColumn,
  keys: ColumnKeys,
  name: string | undefined,
): string {
  const serial = serialSource(context, column, name);
  const set: TypeSource | undefined =
    keys.type === undefined ? undefined : { source: keys.type, defaults: "text" };
  const type = serial ?? set ?? typeSource(context, column.type, name);
  const notNull = column.notNull && !keys.isPrimary && serial === undefined && column.identity === undefined;
  return [
    type.source,
    notNull ? ".notNull()" : "",
    keys.source,
    serial === undefined ? valueSource(context, column, type) : "",
  ].join("");
}

function valueSource(context: PullContext, column: CatalogColumn, { defaults: kind }: TypeSource): string {
  const { type, identity, generated, default: expression } = column;
  if (identity !== undefined) {
    const method = identity.mode === "always" ? "generatedAlwaysAsIdentity" : "generatedByDefaultAsIdentity";
    return `.${method}(${identityOptions(identity.options) ?? ""})`;
  }
  if (generated !== undefined) {
    return `.generatedAlwaysAs(${context.file.use("sql")}${template(bare(generated.expression))})`;
  }
  return expression === undefined ? "" : defaultSource(context, { expression, type, kind });
}

/** Drizzle's options of a sequence, as far as they are not the usual ones. */
export function identityOptions(options: SequenceOptions): string | undefined {
  const source = object(sequenceEntries(options));
  return source === "{}" ? undefined : source;
}

const MAXIMA: Readonly<Record<string, string>> = {
  smallint: "32767",
  integer: "2147483647",
  bigint: "9223372036854775807",
};

export function sequenceEntries(
  options: SequenceOptions,
): readonly (readonly [string, string | undefined])[] {
  const { type, start, increment, minimum, maximum, cache, cycles } = options;
  const whole = (value: string, usual: string | undefined): string | undefined =>
    value === usual ? undefined : Number.isSafeInteger(Number(value)) ? value : quoted(value);
  return [
    ["startWith", whole(start, "1")],
    ["increment", whole(increment, "1")],
    ["minValue", whole(minimum, "1")],
    ["maxValue", whole(maximum, MAXIMA[type])],
    ["cache", whole(cache, "1")],
    ["cycle", cycles ? "true" : undefined],
  ];
}

/** `serial`: an integer whose default is the sequence it owns, and nothing about either is unusual. */
export function serialSequence(
  context: Pick<PullContext, "lookup">,
  column: CatalogColumn,
): string | undefined {
  if (!column.notNull || !/^(?:smallint|integer|bigint)$/.test(column.type)) return undefined;
  const id = column.dependsOn.find((one) => one.startsWith("sequence "));
  const sequence = id === undefined ? undefined : context.lookup.byId.get(id);
  if (sequence?.kind !== "sequence" || sequence.ownedBy !== column.id) return undefined;
  const isUsual =
    sequence.options.type === column.type &&
    identityOptions(sequence.options) === undefined &&
    !sequence.isUnlogged &&
    column.default === `nextval('${sequence.id.slice("sequence ".length).replaceAll("'", "''")}'::regclass)`;
  return isUsual ? sequence.id : undefined;
}

function serialSource(
  context: PullContext,
  column: CatalogColumn,
  name: string | undefined,
): TypeSource | undefined {
  if (serialSequence(context, column) === undefined) return undefined;
  const given = name === undefined ? [] : [quoted(name)];
  const { file } = context;
  switch (column.type) {
    case "bigint":
      return { source: call(file.use("bigserial"), ...given, '{ mode: "bigint" }'), defaults: "other" };
    case "smallint":
      return { source: call(file.use("smallserial"), ...given), defaults: "other" };
    default:
      return { source: call(file.use("serial"), ...given), defaults: "other" };
  }
}

/** What Drizzle's columns have no word for. */
function reportParts(context: PullContext, column: CatalogColumn): void {
  const say = (why: string): void => context.report(partlyDeclared(column.id, why));
  if (column.collation !== undefined) say(`its collation ${column.collation} has no declaration`);
  if (column.generated?.mode === "virtual")
    say("it is generated when read (virtual); declared, it would be stored");
  if (column.storage !== undefined) say(`its storage ${column.storage} has no declaration`);
  if (column.compression !== undefined) say(`its compression ${column.compression} has no declaration`);
  if (column.statistics !== undefined) say(`its statistics target ${column.statistics} has no declaration`);
  const type = context.lookup.type(column.type);
  if (type?.kind === "domain" && type.notNull && !column.notNull) {
    say("its domain is NOT NULL; declared, the column is so by itself as well");
  }
  if (!column.isNotNullValid) say("its NOT NULL was never validated; declared, it would be");
}

/** The only column of a key, when it has one. */
export function onlyColumn(constraint: ConstraintObject): string | undefined {
  return constraint.columns.length === 1 ? constraint.columns[0] : undefined;
}
