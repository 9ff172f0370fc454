/** One statement form of the corpus: what it runs on and the statement whose effects are measured. */
export interface Form {
  /** Row of the merged table in the reference on migration safety; 0 for what the table leaves out. */
  readonly row: number;
  /** Tells forms with the same text apart: what is special about the ground. Empty where the text says it all. */
  readonly when: string;
  /** Makes the schema and its rows, before the file that holds the statement. */
  readonly setup: string;
  readonly sql: string;
  /** First major version whose grammar has it. */
  readonly since: number;
  /** The server refuses it on this ground, with this SQLSTATE. */
  readonly fails: string | undefined;
  /** PostgreSQL refuses it inside a transaction. */
  readonly runsOutside: boolean;
}

/** What sets a form apart from most. */
export interface FormOptions {
  readonly when?: string;
  /** Runs after the shared ground. */
  readonly also?: string;
  readonly since?: number;
  readonly fails?: string;
  readonly outside?: boolean;
}

/** One form of `row`, on `ground`. */
export function form(row: number, ground: string, sql: string, options: FormOptions = {}): Form {
  const { when = "", also = "", since = 15, fails, outside = false } = options;
  return {
    row,
    when,
    setup: also === "" ? ground : `${ground};\n${also}`,
    sql,
    since,
    fails,
    runsOutside: outside,
  };
}

/** Forms of one row on one ground that differ in their text only. */
export function forms(
  row: number,
  ground: string,
  texts: readonly string[],
  options: FormOptions = {},
): readonly Form[] {
  return texts.map((sql) => form(row, ground, sql, options));
}
