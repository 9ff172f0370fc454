import { COLUMN_TYPES, type Field } from "./field.ts";
import type { EntityNames } from "./names.ts";

/** What an entity is made of, with what the existing schema says about the entities it refers to. */
export interface EntityPlan {
  readonly names: EntityNames;
  readonly fields: readonly Field[];
  readonly softDelete: boolean;
  readonly history: boolean;
  /** By the constant that is referred to. */
  readonly targets: ReadonlyMap<string, ReferenceTarget>;
}

/** The key of an entity that is referred to. */
export interface ReferenceTarget {
  /** The property of its primary key: `id`. */
  readonly key: string;
  /** The builder of a column that holds it: `text()`. */
  readonly builder: string;
  /** The function of `drizzle-orm/pg-core` it calls: `text`. */
  readonly builderName: string;
}

/** The declaration of an entity, and the enums it needs before it. */
export interface EntitySource {
  readonly text: string;
  readonly imports: ReadonlyMap<string, readonly string[]>;
}

/** Writes the declaration of an entity, as a person would. */
export function entitySource(app: string, plan: EntityPlan): EntitySource {
  const { names, fields, softDelete, history } = plan;
  const enums = fields.flatMap((field) =>
    field.type.kind === "enum"
      ? [
          `export const ${enumName(names, field)} = ${app}.enum("${enumType(names, field)}", ${list(field.type.values)});\n`,
        ]
      : [],
  );
  const columns = fields.map((field) => `    ${field.key}: ${columnSource(plan, field)},`);
  const constraints = fields.filter(hasIndex).map((field) => `index().on(t.${field.key})`);
  const options = [
    ...(softDelete ? ["softDelete: true"] : []),
    ...(history ? ["history: true"] : []),
    ...(constraints.length === 0 ? [] : [`constraints: (t) => [${constraints.join(", ")}]`]),
  ];
  const end = options.length === 0 ? "" : `  { ${options.join(", ")} },\n`;
  const lines = ["    id: ulidKey(),", ...columns, "    ...timestamps(),"].join("\n");
  const text = `export const ${names.plural} = entity(\n  ${app},\n  "${names.table}",\n  {\n${lines}\n  },\n${end});\n`;
  return { text: [...enums, text].join("\n"), imports: importsOf(plan, constraints.length > 0) };
}

/** A foreign key is indexed, or every delete of a parent reads the whole child; a unique key has an index already. */
function hasIndex(field: Field): boolean {
  return !field.isUnique && (field.isIndexed || field.type.kind === "ref");
}

function columnSource(plan: EntityPlan, field: Field): string {
  const { names, targets } = plan;
  const { type } = field;
  const required = `${field.isRequired ? ".notNull()" : ""}${field.isUnique ? ".unique()" : ""}`;
  switch (type.kind) {
    case "enum":
      return `${enumName(names, field)}()${required}`;
    case "ref": {
      const target = targets.get(type.target);
      const onDelete = field.isRequired ? "restrict" : "set null";
      const key = `(): AnyPgColumn => ${type.target}.${target?.key}`;
      return `${target?.builder}${required}.references(${key}, { onDelete: "${onDelete}" })`;
    }
    case "column":
      return `${builderOf(type.name, type.arguments)}${type.isArray ? ".array()" : ""}${required}`;
  }
}

function builderOf(name: keyof typeof COLUMN_TYPES, precision: string): string {
  const [digits, scale] = precision.split(",").map((part) => part.trim());
  if (digits === undefined || digits === "") return COLUMN_TYPES[name];
  return `numeric({ precision: ${digits}${scale === undefined ? "" : `, scale: ${scale}`} })`;
}

function importsOf(
  { fields, targets }: EntityPlan,
  hasIndexes: boolean,
): ReadonlyMap<string, readonly string[]> {
  const core = new Set<string>();
  for (const { type } of fields) {
    if (type.kind === "column") core.add(COLUMN_TYPES[type.name].replace(/\(.*$/, ""));
    if (type.kind !== "ref") continue;
    core.add(targets.get(type.target)?.builderName ?? "text").add("type AnyPgColumn");
  }
  if (hasIndexes) core.add("index");
  return new Map([
    ["drizzle-orm/pg-core", [...core]],
    ["plinth/schema", ["entity", "timestamps", "ulidKey"]],
  ]);
}

function enumName({ singular }: EntityNames, { key }: Field): string {
  return `${singular}${key.charAt(0).toUpperCase()}${key.slice(1)}`;
}

function enumType(names: EntityNames, field: Field): string {
  return enumName(names, field).replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function list(values: readonly string[]): string {
  return `[${values.map((value) => JSON.stringify(value)).join(", ")}]`;
}
