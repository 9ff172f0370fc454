import type { Shadow } from "../../shadow/index.ts";
import type { MigrationFolder } from "../formats/model.ts";
import type { MigrationFile } from "../migration-file.ts";
import { type KnownOutcome, lintSection } from "./lint-section.ts";
import { madeByStatements } from "./made-by-up.ts";
import type { LintFinding, LintReport, LintStatement } from "./model.ts";
import type { Tool } from "./rules/subject.ts";
import { type LintSection, readSection } from "./section.ts";
import { isOurTransaction, isWrapped, transactionsOf } from "./trace-transaction.ts";
import type { Walk } from "./walk.ts";

/** The newest version whose effects are known. */
export const DIALECT_VERSION_LATEST = 18;

/** What is linted, and how. */
export interface LintOptions {
  /** As `readMigrationFolder` gives it. Files that are not reported are gone through all the same: others stand on them. */
  readonly folder: MigrationFolder;
  /** `fileName` of the files to report on. @default all */
  readonly only?: readonly string[] | undefined;
  /** The schema that names without one mean, and whose names reports leave bare. @default "public" */
  readonly schemaName?: string | undefined;
  /** Where the files are replayed. @default nowhere: the text alone is judged, and what it does not tell is unknown */
  readonly shadow?: Shadow | undefined;
  /** `trace` runs every statement on tables with rows and reads its effects off the server. @default "static" */
  readonly mode?: "static" | "trace" | undefined;
  /** Major version that effects are told for: 15 to 18. @default the shadow server's, else 18 */
  readonly dialectVersion?: number | undefined;
}

/**
 * Tells for each statement of migrations which lock it takes on which relation, whether it rewrites or reads tables, what
 * a running application would see, and how to say it safely.
 *
 * Costs one to two milliseconds a statement with a shadow server, which gets a new database that is dropped at the end; a
 * tenth of that without; about ten in mode `trace`. Nothing is ever thrown for what the files hold: what cannot be parsed
 * or run is a finding.
 *
 * @example
 * ```ts
 * const folder = await readMigrationFolder("migrations");
 * const { statements, findings } = await lintMigrations({ folder, shadow });
 * const gate = findings.some(({ level }) => level === "error");
 * ```
 * @see https://www.postgresql.org/docs/current/explicit-locking.html#LOCKING-TABLES
 */
export async function lintMigrations(options: LintOptions): Promise<LintReport> {
  const { folder, shadow, mode = "static", schemaName = "public" } = options;
  const serverVersion = options.dialectVersion ?? shadow?.serverVersion ?? DIALECT_VERSION_LATEST;
  const traced =
    mode === "trace" && shadow !== undefined ? await trace(options, shadow, schemaName) : undefined;
  const walk = await openWalk(shadow, schemaName, serverVersion);
  const tool = { format: folder.format, splitsPhases: folder.splitsPhases };
  const only = options.only === undefined ? undefined : new Set(options.only);
  const statements: LintStatement[] = [];
  const findings: LintFinding[] = [];
  const tell = (report: Pick<LintReport, "statements" | "findings">): void => {
    statements.push(...report.statements);
    findings.push(...report.findings);
  };
  try {
    for (const file of lastNeeded(folder.files, only)) {
      const isReported = only?.has(file.fileName) !== false || only.has(file.down?.fileName ?? "");
      if (!isReported) await pass(file, tool, walk, tell);
      else await lintFile(file, { tool, walk, traced, tell });
    }
  } finally {
    await walk.close();
  }
  return { mode: traced === undefined ? "static" : "trace", serverVersion, statements, findings };
}

/** Files after the last one that is reported change nothing. */
function lastNeeded(
  files: readonly MigrationFile[],
  only: ReadonlySet<string> | undefined,
): readonly MigrationFile[] {
  if (only === undefined) return files;
  const last = files.findLastIndex(
    ({ fileName, down }) => only.has(fileName) || only.has(down?.fileName ?? ""),
  );
  return files.slice(0, last + 1);
}

async function openWalk(shadow: Shadow | undefined, home: string, serverVersion: number): Promise<Walk> {
  if (shadow === undefined) {
    const { openTextWalk } = await import("./text/text-walk.ts");
    return openTextWalk(home, serverVersion);
  }
  const { openLiveWalk } = await import("./live/live-walk.ts");
  return openLiveWalk(shadow, home, serverVersion);
}

type Outcomes = ReadonlyMap<string, KnownOutcome>;

async function trace({ folder, only }: LintOptions, shadow: Shadow, schemaName: string): Promise<Outcomes> {
  const { traceEffects } = await import("./trace.ts");
  const files = folder.files.map((file) => ({ file, isReported: only?.includes(file.fileName) !== false }));
  return traceEffects({ shadow, files, schemaName, splitsPhases: folder.splitsPhases });
}

interface FileGround {
  readonly tool: Tool;
  readonly walk: Walk;
  readonly traced: Outcomes | undefined;
  readonly tell: (report: Pick<LintReport, "statements" | "findings">) => void;
}

async function lintFile(file: MigrationFile, { tool, walk, traced, tell }: FileGround): Promise<void> {
  // A program says nothing that could be read.
  if (file.modulePath !== undefined) return;
  const outcomeOf = ({ direction }: LintSection, index: number): KnownOutcome | undefined =>
    traced?.get(`${file.fileName} ${direction} ${index}`);
  const up = await readSection(file, file.up, "up");
  const hasDown = file.down !== undefined;
  tell(await lintSection(up, { walk, tool, outcomeOf, hasDown, madeByUp: new Set() }));
  if (file.down === undefined) return;
  const down = await readSection(file, file.down, "down");
  const madeByUp = madeByStatements(up.statements.map(({ tree }) => tree));
  tell(await lintSection(down, { walk, tool, outcomeOf, hasDown, madeByUp }));
}

/** Goes past a file nobody asks about. That it fails is told: what stands on it is judged on sand. */
async function pass(file: MigrationFile, tool: Tool, walk: Walk, tell: FileGround["tell"]): Promise<void> {
  if (file.modulePath !== undefined) return;
  const section = await readSection(file, file.up, "up");
  await walk.begin("up");
  const rules = { isTransactional: file.up.isTransactional, splitsPhases: tool.splitsPhases };
  let seen = 0;
  for (const transaction of transactionsOf(section.statements, rules)) {
    for (const [at, statement] of transaction.entries()) {
      const failure = await walk.step(statement, { isLast: at === transaction.length - 1 });
      const line = section.statements[seen]?.line ?? file.up.firstLine;
      seen += 1;
      if (failure === undefined || isOurTransaction(failure, statement, isWrapped(transaction, rules)))
        continue;
      const object = `${file.fileName}:${line}`;
      const why = `${failure.message}; what comes after it is judged as if it were not there`;
      const fix = "-- correct it first: later files stand on this one";
      tell({
        statements: [],
        findings: [{ rule: "run/fails", level: "error", object, why, fix, file: file.fileName, line }],
      });
    }
  }
  await walk.end();
}
