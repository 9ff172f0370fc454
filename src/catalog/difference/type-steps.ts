import type { CatalogObject, CompositeObject } from "../model.ts";
import { altering, fromServer, making } from "./build.ts";
import { alterDomain, createDomain } from "./domain.ts";
import { addValues, createEnum, loseValues } from "./enum.ts";
import { type Ground, retiredId } from "./ground.ts";
import { refTo, sqlName } from "./names.ts";
import { namesOf, needsOf } from "./sides.ts";
import { RANK, type Step } from "./step.ts";

/** Makes an enum, domain, composite type or range. */
export function createType(ground: Ground, type: CatalogObject): readonly Step[] {
  const rank = type.kind === "collation" ? RANK.other : RANK.type;
  return [making(ground, type, rank, creation(type))];
}

function creation(type: CatalogObject): readonly string[] {
  switch (type.kind) {
    case "enum":
      return [createEnum(type)];
    case "domain":
      return createDomain(type);
    case "composite type": {
      const attributes = type.attributes.map(attributeText).join(", ");
      return [`create type ${refTo(type)} as (${attributes})`];
    }
    default:
      return "definition" in type ? [fromServer(type.definition)] : [];
  }
}

function attributeText({ name, type, collation }: CompositeObject["attributes"][number]): string {
  return `${sqlName(name)} ${type}${collation === undefined ? "" : ` collate ${collation}`}`;
}

/** Changes one in place. */
export function alterType(ground: Ground, from: CatalogObject, to: CatalogObject): readonly Step[] {
  if (from.kind === "enum" && to.kind === "enum") return [addValues(from, to)];
  if (from.kind === "domain" && to.kind === "domain")
    return alterDomain(ground, from, to, ground.decisions.refreshed.has(to.id));
  if (from.kind !== "composite type" || to.kind !== "composite type") return [];
  const target = `alter type ${refTo(to)}`;
  const has = (list: CompositeObject, name: string): boolean =>
    list.attributes.some((attribute) => attribute.name === name);
  const gone = from.attributes.filter(({ name }) => !has(to, name));
  for (const { name } of gone) ground.losses.push({ object: `${refTo(to)}.${name}`, what: "data" });
  const actions = [
    ...gone.map(({ name }) => `drop attribute ${sqlName(name)}`),
    ...to.attributes
      .filter(({ name }) => !has(from, name))
      .map((attribute) => `add attribute ${attributeText(attribute)}`),
  ];
  return [altering(from, to, RANK.type, [`${target} ${actions.join(", ")}`])];
}

/** Drops one that no value is of any more. */
export function dropType(ground: Ground, type: CatalogObject): Step {
  return {
    rank: RANK.dropType,
    statements: [`drop ${wordFor(type)} ${refTo(type)}`],
    drops: [type.id],
    frees: ground.lateNeeds(needsOf(type)),
    givesUp: namesOf(type),
  };
}

function wordFor({ kind }: CatalogObject): string {
  return kind === "domain" || kind === "collation" ? kind : "type";
}

/**
 * Makes a type anew that columns hold values of: the old one moves aside, the columns change over, the old one goes.
 */
export function retireType(ground: Ground, from: CatalogObject, to: CatalogObject): readonly Step[] {
  if (from.kind === "enum" && to.kind === "enum") loseValues(ground, from, to);
  const word = wordFor(from);
  const spare = ground.spareName(from.name, "_old");
  const aside = refTo({ schema: from.schema, name: spare });
  return [
    {
      rank: RANK.retire,
      statements: [
        `alter ${word} ${refTo(from)} rename to ${sqlName(spare)}`,
        ...moveMultirange(ground, from),
      ],
      drops: [from.id],
      givesUp: namesOf(from),
      makes: [`aside ${from.id}`],
    },
    ...createType(ground, to),
    {
      rank: RANK.dropType,
      statements: [`drop ${word} ${aside}`],
      drops: [retiredId(from.id)],
      frees: ground.lateNeeds(needsOf(from)),
      needs: [`aside ${from.id}`],
    },
  ];
}

/** A range brings a second type along, and functions that make its values: their names are needed again as well. */
function moveMultirange(ground: Ground, from: CatalogObject): readonly string[] {
  if (from.kind !== "range type") return [];
  const quoted = /multirange_type_name = ("(?:[^"]|"")+"|[^,)]+)/i.exec(from.definition)?.[1] ?? "";
  const subtype = /subtype = ([^,)]+)/i.exec(from.definition)?.[1] ?? "";
  const name = quoted.startsWith('"') ? quoted.slice(1, -1).replaceAll('""', '"') : quoted;
  const multirange = refTo({ schema: from.schema, name });
  const spare = sqlName(ground.spareName(from.name, "_old"));
  const spareMultirange = sqlName(ground.spareName(name, "_old"));
  return [
    `alter function ${refTo(from)}(${subtype}, ${subtype}) rename to ${spare}`,
    `alter function ${refTo(from)}(${subtype}, ${subtype}, text) rename to ${spare}`,
    `alter function ${multirange}() rename to ${spareMultirange}`,
    `alter type ${multirange} rename to ${spareMultirange}`,
  ];
}
