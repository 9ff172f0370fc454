import type { ColumnDescription, SchemaDescription } from "../../schema/index.ts";
import { qualifiedName, quoteIdentifier } from "../../sql/index.ts";

/** How names are written: bare in the application's own schema, as migrations run with `search_path` set to it. */
export interface Names {
  /** A column's type. */
  type(column: ColumnDescription): string;
  /** An expression or a column of an index, with its operator class. */
  indexPart(part: string): string;
  /** A relation of a schema. */
  relation(schema: string, name: string): string;
}

/**
 * Types that Drizzle has builders for, and operator classes that its builders take, of extensions: their names say
 * nothing about where the extension is, so they are qualified with the schema it was declared with.
 */
const EXTENSION_NAMES: Readonly<Record<string, string>> = {
  vector: "vector|halfvec|sparsevec|(?:vector|halfvec|sparsevec|bit)_(?:l2|ip|cosine|l1|hamming|jaccard)_ops",
  postgis: "geometry|geography",
  pg_trgm: "g(?:in|ist)_trgm_ops",
  citext: "citext",
  hstore: "hstore",
  ltree: "ltree",
};

export function createNames(schema: SchemaDescription, home: string): Names {
  const own = `${quoteIdentifier(home)}.`;
  const rules = schema.objects.flatMap((object) => {
    if (object.kind !== "extension" || object.target === undefined) return [];
    const names = EXTENSION_NAMES[object.name];
    return names === undefined ? [] : [{ names, prefix: `${quoteIdentifier(object.target)}.` }];
  });
  const qualify = (text: string, before: string): string =>
    rules.reduce(
      (qualified, { names, prefix }) =>
        qualified.replace(new RegExp(`${before}(${names})(?![\\w".])`), (found) =>
          found.replace(/\w+$/, (name) => prefix + name),
        ),
      text,
    );
  return {
    type: ({ domain, sqlType }) => {
      const type = domain ?? sqlType;
      return type.startsWith(own) ? type.slice(own.length) : qualify(type, "^");
    },
    indexPart: (part) => qualify(part, '(?:[")] )'),
    relation: (of, name) => (of === home ? quoteIdentifier(name) : qualifiedName(of, name)),
  };
}
