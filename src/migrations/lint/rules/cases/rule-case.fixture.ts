/** One rule of the linter: a file that it speaks of, one that it does not, and what becomes of its fix. */
import type { FolderFormat } from "../../../formats/model.ts";
import type { RuleId } from "../registry.ts";

/** How the second file of a folder stands in it. The first one holds the ground. */
export interface FileForm {
  /** Whose folder it is. @default "plinth" */
  readonly format?: FolderFormat;
  /** Behind `-- migrate:up`: ` transaction:false`. */
  readonly options?: string;
  /** The way back; `null`: there is none. @default "select 1" */
  readonly down?: string | null;
  /** The version effects are told for. @default the server's */
  readonly version?: number;
}

/** A migration: its statements, or its text where they are not all there is. */
export interface CaseFile extends FileForm {
  readonly up: string;
}

/** What is pasted for the statement that was found fault with. Each text of a list is a way of its own. */
export type Paste = (fix: string, statement: string) => string | readonly string[];

export interface RuleCase {
  readonly rule: RuleId;
  /** What sets it apart from other cases of the rule. */
  readonly when: string;
  /** Runs before the file. */
  readonly ground: string;
  readonly fires: CaseFile;
  readonly near: CaseFile;
  /** `advice`: the fix is comments alone, because what is right depends on what nobody but its reader knows. */
  readonly fix: "advice" | Paste;
  /** What the fix presumes: statements of files before its own. */
  readonly before: readonly string[];
  /** How the file with the fix stands in the folder. */
  readonly fixForm: FileForm;
  /** First major version whose grammar has the statements. */
  readonly since: number;
}

export interface CaseOptions {
  readonly when?: string;
  readonly fix?: "advice" | Paste;
  readonly before?: readonly string[];
  readonly fixForm?: FileForm;
  readonly since?: number;
}

/** A rule on a ground, with a statement that it speaks of and a near miss. The fix is pasted as it is. */
export function ruleCase(
  rule: RuleId,
  ground: string,
  fires: string | CaseFile,
  near: string | CaseFile,
  options: CaseOptions = {},
): RuleCase {
  const { when = "", fix = asItIs, before = [], fixForm = {}, since = 15 } = options;
  return { rule, when, ground, fires: fileOf(fires), near: fileOf(near), fix, before, fixForm, since };
}

function fileOf(file: string | CaseFile): CaseFile {
  return typeof file === "string" ? { up: file } : file;
}

/** What an allowance leaves open is its reason. */
const asItIs: Paste = (fix) => fix.replaceAll(/^(-- plinth:allow .*: )…$/gm, "$1the table is small");

/** Fills the gaps of a fix, which are for its reader, in their order. */
export function filled(...words: readonly string[]): Paste {
  return (fix) => {
    let at = 0;
    const text = fix.replaceAll("…", () => words[at++] ?? "…");
    if (at !== words.length || text.includes("…")) throw new Error(`${words.length} words for: ${fix}`);
    return text;
  };
}

/** Where the fix is a column, within a table. */
export const asColumn: Paste = (fix) => `create table shelves (shelf_id bigint primary key, ${fix}\n)`;

/** Where the fix comes behind the statement. */
export const behind: Paste = (fix, statement) => `${statement};\n${fix}`;

/** Where the fix comes above the statement. */
export const above: Paste = (fix, statement) => `${asItIs(fix, statement)}\n${statement}`;

/** The texts of the folder, ready to be read. */
export function filesOf(ground: string, files: readonly CaseFile[]): Readonly<Record<string, string>> {
  const all: readonly CaseFile[] = [{ up: ground }, ...files];
  return Object.fromEntries(all.map((file, at) => [fileName(at), textOf(file)]));
}

/** `0001_ground.sql`, `0002_change.sql`, … */
export function fileName(at: number): string {
  return `${String(at + 1).padStart(4, "0")}_${at === 0 ? "ground" : "change"}.sql`;
}

function textOf({ up, options = "", down = "select 1", format = "plinth" }: CaseFile): string {
  if (format === "plain") return `${up};\n`;
  const back = down === null ? "" : `-- migrate:down\n${down};\n`;
  return `-- migrate:up${options}\n${up};\n${back}`;
}
