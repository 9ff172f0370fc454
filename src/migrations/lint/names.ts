import type { Node, RangeVar, TypeName } from "libpg-query";
import type { RelationName } from "./catalog-view.ts";

/** A relation as a statement names it. */
export type RelationPath = RelationName;

/** Words that cannot name a column or table without quotes in PostgreSQL 15 to 18. */
const RESERVED = new Set(
  (
    "all analyse analyze and any array as asc asymmetric authorization binary both case cast check collate collation " +
    "column concurrently constraint create cross current_catalog current_date current_role current_schema current_time " +
    "current_timestamp current_user default deferrable desc distinct do else end except false fetch for foreign freeze " +
    "from full grant group having ilike in initially inner intersect into is isnull join lateral leading left like limit " +
    "localtime localtimestamp natural not notnull null offset on only or order outer overlaps placing primary references " +
    "returning right select session_user similar some symmetric system_user table tablesample then to trailing true union " +
    "unique user using variadic verbose when where window with"
  ).split(" "),
);

/** The word cannot be a name without quotes. */
export function isReserved(word: string): boolean {
  return RESERVED.has(word.toLowerCase());
}

/** A name as a person would write it: quoted only where SQL needs it. */
export function sqlName(name: string): string {
  return /^[a-z_][a-z0-9_$]*$/.test(name) && !RESERVED.has(name) ? name : quoted(name);
}

/** `schema.name`, each quoted where SQL needs it. */
export function qualified({ schema, name }: RelationName): string {
  return schema === undefined ? sqlName(name) : `${sqlName(schema)}.${sqlName(name)}`;
}

/** For the server: always quoted, so that a type or table of any name is found. */
export function quotedPath({ schema, name }: RelationName): string {
  return schema === undefined ? quoted(name) : `${quoted(schema)}.${quoted(name)}`;
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

export function relationName(range: RangeVar | undefined): RelationName {
  return { schema: range?.schemaname, name: range?.relname ?? "" };
}

/** The name in a list of strings: `[schema, name]`, `[name]`; a catalog in front is left out. */
export function nameIn(parts: readonly Node[] | undefined): RelationName {
  const words = stringsIn(parts);
  return { schema: words.at(-2), name: words.at(-1) ?? "" };
}

/** The strings of a list, in order. */
export function stringsIn(parts: readonly Node[] | undefined): readonly string[] {
  return (parts ?? []).flatMap((part) => ("String" in part ? [part.String.sval ?? ""] : []));
}

/** The strings of a node that is a list, a single string, or a type name. */
export function wordsOf(node: Node | undefined): readonly string[] {
  if (node === undefined) return [];
  if ("List" in node) return stringsIn(node.List.items);
  if ("String" in node) return [node.String.sval ?? ""];
  if ("TypeName" in node) return stringsIn(node.TypeName.names);
  return [];
}

/** The last two words as a name. */
export function nameOfNode(node: Node | undefined): RelationName {
  const words = wordsOf(node);
  return { schema: words.at(-2), name: words.at(-1) ?? "" };
}

/** A type as the parser names it; built-in words such as `integer` come as `pg_catalog.int4`. */
export function typeNameOf(type: TypeName | undefined): RelationName & { readonly isArray: boolean } {
  const words = stringsIn(type?.names);
  return {
    schema: words.at(-2),
    name: words.at(-1) ?? "",
    isArray: (type?.arrayBounds ?? []).length > 0,
  };
}
