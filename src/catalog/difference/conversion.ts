import type { CatalogColumn, CatalogObject, CompositeObject } from "../model.ts";
import type { Ground } from "./ground.ts";
import { refTo, sqlName } from "./names.ts";
import { asOnlyElement, type Conversion, conversionOf } from "./types.ts";

/**
 * How the values of a column get from its old type to its new one. Domains convert as what they are made of; a type
 * that was made anew under the same name is another type.
 */
export function columnConversion(ground: Ground, from: CatalogColumn, to: CatalogColumn): Conversion {
  const name = sqlName(to.name);
  const [before, after] = [heldType(ground, "from", from), heldType(ground, "to", to)];
  const isRetired = before !== undefined && ground.fateOf(before.id) === "retire";
  if (isRetired && after?.id === before.id) return betweenNamesakes(ground, before, after, name, from, to);
  // A multirange, or a row of a table, whose type was made anew along with another.
  if (from.type === to.type && to.collation === undefined && from.collation === undefined) {
    return { using: `${name}::text::${to.type}`, rewrites: true, loses: false, mayFail: true };
  }
  const [source, target] = [baseOf(ground, "from", from.type), baseOf(ground, "to", to.type)];
  const plain = conversionOf(name, source, target);
  const isChecked = after?.kind === "domain" && (after.notNull || after.checks.length > 0);
  return {
    ...plain,
    using: plain.using === undefined ? undefined : retargeted(plain.using, target, to.type),
    rewrites: plain.rewrites || isChecked,
    mayFail: plain.mayFail || isChecked,
  };
}

/** The type object of the catalog that a column is of, or an array of. */
function heldType(ground: Ground, side: "from" | "to", column: CatalogColumn): CatalogObject | undefined {
  return typeNamed(ground, side, column.type);
}

function typeNamed(ground: Ground, side: "from" | "to", type: string): CatalogObject | undefined {
  const element = type.replace(/(\[\])+$/, "").replace(/\(.*\)$/, "");
  for (const kind of ["enum", "domain", "composite type", "range type"]) {
    const object = ground[side].objects.get(`${kind} ${element}`);
    if (object !== undefined) return object;
  }
  return undefined;
}

/** It is made of a type that is made anew, at whatever depth. */
function isRetiredType(ground: Ground, type: string): boolean {
  const held = typeNamed(ground, "from", type);
  if (held === undefined) return false;
  if (ground.fateOf(held.id) === "retire" && held.kind !== "domain") return true;
  return held.kind === "domain" && isRetiredType(ground, held.type);
}

/** What a domain is made of, down to a type of the server's. */
function baseOf(ground: Ground, side: "from" | "to", type: string): string {
  const array = /(\[\])+$/.exec(type)?.[0] ?? "";
  const element = type.slice(0, type.length - array.length);
  const domain = ground[side].objects.get(`domain ${element}`);
  return domain?.kind === "domain" ? `${baseOf(ground, side, domain.type)}${array}` : type;
}

function retargeted(using: string, base: string, type: string): string {
  return using.endsWith(`::${base}`) ? `${using.slice(0, -base.length)}${type}` : using;
}

function betweenNamesakes(
  ground: Ground,
  before: CatalogObject,
  after: CatalogObject,
  name: string,
  from: CatalogColumn,
  to: CatalogColumn,
): Conversion {
  const array = to.type.endsWith("[]") ? "[]" : "";
  const cost = { rewrites: true, loses: false, mayFail: true };
  const wasArray = from.type.endsWith("[]");
  const throughText = { ...cost, using: `${name}::text${array}::${to.type}` };
  if (wasArray !== (array !== "")) {
    return { ...cost, using: wasArray ? `${name}::text::${to.type}` : asOnlyElement(name, to.type) };
  }
  if (from.type !== to.type || array !== "") return throughText;
  if (before.kind === "composite type" && after.kind === "composite type") {
    return { ...cost, using: attributeByAttribute(ground, before, after, name) };
  }
  if (before.kind === "domain" && after.kind === "domain") {
    const isBaseRetired = isRetiredType(ground, before.type);
    const { using, ...rest } = conversionOf(
      name,
      baseOf(ground, "from", before.type),
      baseOf(ground, "to", after.type),
    );
    if (isBaseRetired) return throughText;
    const own = using === undefined ? `${name}::${to.type}` : retargeted(using, after.type, to.type);
    return { ...rest, rewrites: true, mayFail: true, using: own };
  }
  return throughText;
}

/** Null stays null, and is not a row of nulls. */
function attributeByAttribute(
  ground: Ground,
  before: CompositeObject,
  after: CompositeObject,
  name: string,
): string {
  const old = new Map(before.attributes.map((attribute) => [attribute.name, attribute]));
  const values = after.attributes.map((attribute) => {
    const was = old.get(attribute.name);
    if (was === undefined) return "null";
    const value = `(${name}).${sqlName(attribute.name)}`;
    const isSame = was.type === attribute.type && !isRetiredType(ground, was.type);
    return isSame ? value : `${value}::text::${attribute.type}`;
  });
  return `case when ${name} is not distinct from null then null else row(${values.join(", ")})::${refTo(after)} end`;
}
