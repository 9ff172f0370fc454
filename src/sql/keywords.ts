/** Words of SQL, as `pg_get_keywords()` of PostgreSQL 15 to 18 has them, but those that are names like any other. */

/** No name of a table or column without quotes: `reserved`, and `reserved (can be function or type name)`. */
const RESERVED: ReadonlySet<string> = new Set(
  `all analyse analyze and any array as asc asymmetric authorization binary both case cast check collate collation column
  concurrently constraint create cross current_catalog current_date current_role current_schema current_time
  current_timestamp current_user default deferrable desc distinct do else end except false fetch for foreign freeze from
  full grant group having ilike in initially inner intersect into is isnull join lateral leading left like limit localtime
  localtimestamp natural not notnull null offset on only or order outer overlaps placing primary references returning right
  select session_user similar some symmetric system_user table tablesample then to trailing true union unique user using
  variadic verbose when where window with`.split(/\s+/),
);

/** Names of tables and columns, but not of functions and types: `unreserved (cannot be function or type name)`. */
const SPECIAL: ReadonlySet<string> = new Set(
  `between bigint bit boolean char character coalesce dec decimal exists extract float greatest grouping inout int integer
  interval json json_array json_arrayagg json_exists json_object json_objectagg json_query json_scalar json_serialize
  json_table json_value least merge_action national nchar none normalize nullif numeric out overlay position precision real
  row setof smallint substring time timestamp treat trim values varchar xmlattributes xmlconcat xmlelement xmlexists
  xmlforest xmlnamespaces xmlparse xmlpi xmlroot xmlserialize xmltable`.split(/\s+/),
);

/** The word cannot be a table's or column's name without quotes, in capitals or not. */
export function isReservedWord(word: string): boolean {
  return RESERVED.has(word.toLowerCase());
}

/**
 * A name as a person would write it: quoted only where SQL would read it otherwise, as `quote_ident` of the server does.
 * For text that is read or replayed; it refuses nothing, so that SQL made of a caller's names goes by `quoteIdentifier`.
 */
export function sqlName(name: string): string {
  const isPlain = /^[a-z_][a-z0-9_]*$/.test(name) && !RESERVED.has(name) && !SPECIAL.has(name);
  return isPlain ? name : `"${name.replaceAll('"', '""')}"`;
}

/** A name as SQL writes it, without its quotes. */
export function unquoted(name: string): string {
  return name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name;
}
