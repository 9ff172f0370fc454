/** What PostgreSQL 15 to 18 bring along and migrations speak of. `pg_catalog` is looked at before any other schema. */
import type { FunctionFacts, RelationName, TypeFacts } from "../catalog-view.ts";

const TYPES = words(`
  bit bool box bpchar bytea char cid cidr circle date datemultirange daterange float4 float8 inet int2 int4 int4multirange
  int4range int8 int8multirange int8range interval json jsonb jsonpath line lseg macaddr macaddr8 money name numeric
  nummultirange numrange oid path pg_lsn pg_snapshot point polygon refcursor regclass regcollation regconfig regdictionary
  regnamespace regoper regoperator regproc regprocedure regrole regtype text tid time timestamp timestamptz timetz
  tsmultirange tsquery tsrange tstzmultirange tstzrange tsvector txid_snapshot uuid varbit varchar xid xid8 xml`);

/** The same for the same arguments. */
const IMMUTABLE = words(`
  abs array_append array_cat array_dims array_fill array_length array_lower array_ndims array_position array_positions
  array_prepend array_remove array_replace array_upper ascii bit_length btrim cardinality ceil ceiling char_length
  character_length chr cos decode degrees div encode exp factorial floor gcd get_bit get_byte host initcap isempty isfinite
  json_array_elements json_array_elements_text json_array_length json_each json_each_text json_extract_path
  json_extract_path_text json_object json_object_keys json_strip_nulls json_typeof jsonb_array_elements
  jsonb_array_elements_text jsonb_array_length jsonb_each jsonb_each_text jsonb_extract_path jsonb_extract_path_text
  jsonb_insert jsonb_object jsonb_object_keys jsonb_path_exists jsonb_path_query jsonb_path_query_array
  jsonb_path_query_first jsonb_pretty jsonb_set jsonb_set_lax jsonb_strip_nulls jsonb_typeof justify_days justify_hours
  justify_interval lcm left ln log lower lower_inc lower_inf lpad ltrim make_date make_interval make_time make_timestamp
  md5 mod netmask network normalize num_nonnulls num_nulls octet_length overlay parse_ident pg_size_pretty pi position
  power quote_ident radians regexp_count regexp_instr regexp_like regexp_match regexp_matches regexp_replace
  regexp_split_to_array regexp_split_to_table regexp_substr repeat replace reverse right round rpad rtrim scale set_bit
  setweight sha224 sha256 sha384 sha512 sign sin split_part sqrt starts_with string_to_array string_to_table strpos substr
  substring tan to_hex translate trim_array trim_scale trunc unnest upper upper_inc upper_inf width_bucket
  int4range int8range numrange daterange tsrange tstzrange
  array_agg avg bit_and bit_or bool_and bool_or count dense_rank every first_value jsonb_object_agg lag last_value lead max min ntile rank
  row_number string_agg sum`);

/** The same within a statement, so one and the same for all rows. */
const STABLE = words(`
  age array_to_json array_to_string concat concat_ws convert_from convert_to current_database current_schema
  current_schemas current_setting date_part date_trunc enum_first enum_last enum_range extract format format_type
  generate_series has_schema_privilege has_table_privilege json_agg json_build_array json_build_object json_object_agg
  json_populate_record json_to_record json_to_recordset jsonb_agg jsonb_build_array jsonb_build_object
  jsonb_populate_record jsonb_populate_recordset jsonb_to_record jsonb_to_recordset length make_timestamptz now
  obj_description pg_backend_pid pg_get_serial_sequence pg_typeof phraseto_tsquery plainto_tsquery quote_literal
  quote_nullable row_to_json statement_timestamp timezone to_char to_date to_json to_jsonb to_number to_regclass to_regtype
  to_timestamp to_tsquery to_tsvector transaction_timestamp txid_current version websearch_to_tsquery`);

/** Another one for each row. */
const VOLATILE = words(`
  clock_timestamp currval gen_random_uuid lastval nextval pg_advisory_lock pg_advisory_unlock pg_advisory_xact_lock
  pg_notify pg_sleep random set_config setseed setval timeofday uuidv4 uuidv7`);

export const BUILT_IN_TYPES: ReadonlySet<string> = TYPES;

/** The least steady of the functions that share a name. */
export const BUILT_IN_FUNCTIONS: ReadonlyMap<string, FunctionFacts["volatility"]> = new Map([
  ...[...IMMUTABLE].map((name) => [name, "immutable"] as const),
  ...[...STABLE].map((name) => [name, "stable"] as const),
  ...[...VOLATILE].map((name) => [name, "volatile"] as const),
]);

/** A type of PostgreSQL's own. */
export function builtInType(name: RelationName, isArray: boolean): TypeFacts | undefined {
  if (!isOfServer(name) || !TYPES.has(name.name)) return undefined;
  return {
    schema: "pg_catalog",
    name: name.name,
    isArray,
    kind: /range$/.test(name.name) ? "range" : "base",
    base: undefined,
    baseModifier: -1,
    isConstrained: false,
    expression: undefined,
  };
}

/** Functions of PostgreSQL's own. */
export function builtInFunctions(name: RelationName): readonly FunctionFacts[] | undefined {
  const volatility = isOfServer(name) ? BUILT_IN_FUNCTIONS.get(name.name) : undefined;
  if (volatility === undefined) return undefined;
  return [{ volatility, isBuiltIn: true, language: "internal", definition: undefined }];
}

function isOfServer({ schema }: RelationName): boolean {
  return schema === undefined || schema === "pg_catalog";
}

function words(text: string): ReadonlySet<string> {
  return new Set(text.trim().split(/\s+/));
}
