import { readFile, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import type { ModuleLoader } from "../../config/index.ts";
import type { Cell, Connection, Parameter } from "../../driver/index.ts";
import { MigrationError } from "../../errors/index.ts";
import { compareVersions } from "../migration-file.ts";

/** What `proveRows` is called with, once for each table that stayed empty, after each migration that touched it. */
export interface ProveRowsContext {
  /** The table without rows: bare in the application's schema, else `schema.table`; quoted where SQL quotes. */
  readonly table: string;
  /** The newest migration that is applied: tables change over the chain. */
  readonly version: string;
  /** Runs one statement on the shadow database; parameters and cells are PostgreSQL's text. */
  readonly query: (text: string, values?: readonly Parameter[]) => Promise<readonly (readonly Cell[])[]>;
}

/** Inserts rows that no generator can make up. Tables it knows nothing about it leaves alone. */
export type ProveRows = (context: ProveRowsContext) => Promise<void> | void;

const FILE_NAMES = ["prove-rows.ts", "prove-rows.mts", "prove-rows.js", "prove-rows.mjs", "prove-rows.sql"];

/**
 * Finds the rows a project supplies itself: `file`, or `prove-rows.ts` or `prove-rows.sql` beside the folder of
 * migrations. Undefined when there is none.
 *
 * @throws {MIGRATION_INVALID} when the file does not exist, exports no `proveRows`, or a line of the SQL is not understood.
 */
export async function readProveRows(
  folder: string,
  loadModule: ModuleLoader,
  file?: string,
): Promise<ProveRows | undefined> {
  const path = file === undefined ? await findBeside(folder) : resolve(file);
  if (path === undefined) return undefined;
  if (path.endsWith(".sql")) return fromSql(path, await readText(path));
  const { proveRows } = await loadModule(path);
  if (isProveRows(proveRows)) return proveRows;
  throw new MigrationError("MIGRATION_INVALID", `${path} exports no function proveRows`, {
    file: path,
    hint: "Write export async function proveRows({ table, version, query }) { … }.",
  });
}

function isProveRows(value: unknown): value is ProveRows {
  return typeof value === "function";
}

async function findBeside(folder: string): Promise<string | undefined> {
  for (const name of FILE_NAMES) {
    const path = join(dirname(resolve(folder)), name);
    const found = await stat(path).catch(() => undefined);
    if (found?.isFile() === true) return path;
  }
  return undefined;
}

async function readText(path: string): Promise<string> {
  try {
    return (await readFile(path, "utf8")).replaceAll("\r\n", "\n");
  } catch {
    throw new MigrationError("MIGRATION_INVALID", `${path} cannot be read`, { file: path });
  }
}

const ROWS_LINE = /^--[ \t]*rows:[ \t]*(.*)$/;
const NAME = /(?:"(?:[^"]|"")+"|[^\s".]+)/.source;
const ROWS = new RegExp(
  `^(${NAME}(?:[.]${NAME})?)(?:[ \\t]+from[ \\t]+(\\d{1,20}))?(?:[ \\t]+to[ \\t]+(\\d{1,20}))?$`,
);

interface SqlRows {
  readonly table: string;
  readonly from: string | undefined;
  readonly to: string | undefined;
  readonly text: string;
}

/** Sections under `-- rows: tasks`, `-- rows: tasks from 0007 to 0012`. */
function fromSql(path: string, text: string): ProveRows {
  const sections: SqlRows[] = [];
  let open: { readonly head: Omit<SqlRows, "text">; readonly lines: string[] } | undefined;
  const close = (): void => {
    if (open !== undefined) sections.push({ ...open.head, text: open.lines.join("\n") });
  };
  for (const [index, line] of text.split("\n").entries()) {
    const head = ROWS_LINE.exec(line)?.[1]?.trimEnd();
    if (head === undefined) {
      open?.lines.push(line);
      continue;
    }
    close();
    const [, table, from, to] = ROWS.exec(head) ?? [];
    if (table === undefined) throw notUnderstood(path, index + 1);
    open = { head: { table, from, to }, lines: [] };
  }
  close();
  return async ({ table, version, query }) => {
    for (const section of sections) {
      const fits =
        section.table === table &&
        (section.from === undefined || compareVersions(section.from, version) <= 0) &&
        (section.to === undefined || compareVersions(version, section.to) <= 0);
      if (fits) await query(section.text);
    }
  };
}

function notUnderstood(path: string, line: number): MigrationError {
  return new MigrationError("MIGRATION_INVALID", `${path}:${line}: a -- rows: line nobody understands`, {
    file: path,
    line,
    hint: "Write -- rows: TABLE, or -- rows: TABLE from VERSION to VERSION, and statements below it.",
  });
}

/** Calls `proveRows` as `fillTables` asks for rows. Without parameters a text may hold several statements. */
export function supplierOf(proveRows: ProveRows, version: string) {
  return async (table: string, connection: Connection): Promise<void> => {
    await proveRows({
      table,
      version,
      query: async (text, values = []) => {
        if (values.length > 0) return (await connection.query({ text, values })).rows;
        return (await connection.script(text)).at(-1)?.rows ?? [];
      },
    });
  };
}
