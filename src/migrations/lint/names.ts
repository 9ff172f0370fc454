import type { Node, RangeVar, TypeName } from "libpg-query";
import { sqlName } from "../../sql/index.ts";
import type { RelationName } from "./catalog-view.ts";

export { sqlName };

/** A relation as a statement names it. */
export type RelationPath = RelationName;

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
