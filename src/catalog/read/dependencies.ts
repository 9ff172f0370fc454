import type { Answers } from "./answers.ts";

/** One row of `pg_depend`. */
export interface Dependency {
  readonly table: string;
  readonly oid: string;
  /** The column, or `0`. */
  readonly part: string;
  readonly neededTable: string;
  readonly needed: string;
  readonly neededPart: string;
  /** `e`: it is a member of an extension; `i`: the server made it along with the other. */
  readonly tie: string;
}

/**
 * The catalog tables objects are known by; their oids are fixed in the server's sources.
 *
 * @see https://www.postgresql.org/docs/current/system-catalog-declarations.html
 */
const TABLES: Readonly<Record<string, string>> = {
  1247: "pg_type",
  1255: "pg_proc",
  1259: "pg_class",
  1417: "pg_foreign_server",
  2328: "pg_foreign_data_wrapper",
  2602: "pg_amop",
  2603: "pg_amproc",
  2604: "pg_attrdef",
  2605: "pg_cast",
  2606: "pg_constraint",
  2612: "pg_language",
  2615: "pg_namespace",
  2616: "pg_opclass",
  2617: "pg_operator",
  2618: "pg_rewrite",
  2620: "pg_trigger",
  2753: "pg_opfamily",
  3079: "pg_extension",
  3256: "pg_policy",
  3381: "pg_statistic_ext",
  3456: "pg_collation",
  3466: "pg_event_trigger",
  3600: "pg_ts_dict",
  3601: "pg_ts_parser",
  3602: "pg_ts_config",
  3764: "pg_ts_template",
  6104: "pg_publication",
  6106: "pg_publication_rel",
};

export function dependenciesIn(answers: Answers): readonly Dependency[] {
  const lines = answers.rows("dependencies")[0]?.optional("lines")?.split("\n") ?? [];
  return lines.flatMap((line) => {
    const [classOid = "", oid = "", part = "", neededClass = "", needed = "", neededPart = "", tie = ""] =
      line.split(" ");
    const [table, neededTable] = [TABLES[classOid], TABLES[neededClass]];
    if (table === undefined || neededTable === undefined) return [];
    return [{ table, oid, part, neededTable, needed, neededPart, tie }];
  });
}
