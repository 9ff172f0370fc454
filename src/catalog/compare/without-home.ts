import { escapeRegExp } from "../escape-reg-exp.ts";
import type { Catalog } from "../model.ts";

/**
 * The same catalog, with the home schema's name out of its texts. The server leaves it out by itself but in two
 * places: where a name is also one of its own, and in `set search_path` of a function.
 */
export function withoutHome(catalog: Catalog): Catalog {
  const strip = stripper(catalog.home);
  return { ...catalog, objects: catalog.objects.map((object) => mapTexts(object, strip)) };
}

const TEXTS: ReadonlySet<string> = new Set([
  "default",
  "definition",
  "expression",
  "type",
  "query",
  "using",
  "check",
  "bound",
  "partitionKey",
  "returns",
  "arguments",
]);

/** Every text of an object that the server wrote, however deep it lies. */
function mapTexts<T extends object>(value: T, strip: (text: string) => string): T {
  const mapped = Object.entries(value).map(([key, item]: [string, unknown]) => [
    key,
    mapValue(key, item, strip),
  ]);
  return { ...value, ...Object.fromEntries(mapped) };
}

function mapValue(key: string, item: unknown, strip: (text: string) => string): unknown {
  if (typeof item === "string") return TEXTS.has(key) ? strip(item) : item;
  if (Array.isArray(item)) return item.map((one: unknown) => mapValue(key, one, strip));
  return typeof item === "object" && item !== null ? mapTexts(item, strip) : item;
}

function stripper(home: string): (text: string) => string {
  const quoted = `"${home.replaceAll('"', '""')}"`;
  const plain = new RegExp(`(?<![\\w$".])${escapeRegExp(home)}\\.(?=["\\w])`, "g");
  const literal = `'${home.replaceAll("'", "''")}'`;
  return (text) =>
    text
      .replaceAll(/(?<=SET search_path TO )[^\n]*/g, (list) => list.replaceAll(literal, "'own'"))
      .replaceAll(`${quoted}.`, "")
      .replaceAll(plain, "");
}
