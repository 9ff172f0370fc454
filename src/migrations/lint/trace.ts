import type { Shadow } from "../../shadow/index.ts";
import type { MigrationFile, Section } from "../migration-file.ts";
import { parseSql, rolesIn } from "../parse-sql.ts";
import { passFile } from "./trace-pass.ts";
import { traceSection } from "./trace-section.ts";
import { openStage, type Stage } from "./trace-stage.ts";
import type { StatementOutcome } from "./trace-statement.ts";

/** What is traced, and where. */
export interface TraceOptions {
  readonly shadow: Shadow;
  /** By version, since each stands on the ones before it. Those that are not reported are run, not measured. */
  readonly files: readonly TracedFile[];
  /** The schema whose names are bare. */
  readonly schemaName: string;
  /** The runner cuts sections into phases, as Plinth's does; else all of a section shares one transaction. */
  readonly splitsPhases: boolean;
}

export interface TracedFile {
  readonly file: MigrationFile;
  readonly isReported: boolean;
}

/** What the server did with one statement, or why it did not do it. */
export type TracedStatement = StatementOutcome;

/** Names a statement: its file, its direction, and its place in the section from 0. */
export function traceKey(fileName: string, direction: "up" | "down", index: number): string {
  return `${fileName} ${direction} ${index}`;
}

/**
 * Effects as a shadow server shows them: each statement is run there, on tables with rows, and what it locked, wrote anew
 * and read is read off the server. Rows that stand in the way of a statement are made to fit, so a failure that is left
 * is one of the statement. A table nobody could fill is empty: reading it still shows, except behind an empty foreign key.
 *
 * About 10 ms a statement, and for each file rows for every table and a copy of the database for its down. What outlives
 * the shadow database, such as roles, is not touched; roles that statements name are made where the server is Plinth's
 * own. For statements outside a transaction the locks are exact where the role may lock system catalogs (a superuser);
 * else they are sampled.
 *
 * Nothing is thrown for what the files hold.
 *
 * @returns outcomes by `traceKey`, of every statement of the reported files that can be parsed.
 */
export async function traceEffects(options: TraceOptions): Promise<ReadonlyMap<string, TracedStatement>> {
  const { shadow, files, schemaName, splitsPhases } = options;
  const stage = await openStage(await shadow.createDatabase(), schemaName);
  const traced = new Map<string, TracedStatement>();
  const tell = (
    file: MigrationFile,
    direction: "up" | "down",
    outcomes: readonly StatementOutcome[],
  ): void => {
    for (const [index, outcome] of outcomes.entries())
      traced.set(traceKey(file.fileName, direction, index), outcome);
  };
  try {
    // Files after the last one that is reported change nothing.
    const end = files.findLastIndex(({ isReported }) => isReported) + 1;
    for (const { file, isReported } of files.slice(0, end)) {
      // A program changes rows, which are made up here anyway.
      if (file.modulePath !== undefined) continue;
      if (!isReported) {
        await passFile(shadow, stage, file, splitsPhases);
        continue;
      }
      tell(file, "up", await traceOn(stage, options, file.up));
      const { down } = file;
      if (down === undefined) continue;
      tell(file, "down", await stage.onCopy((copy) => traceOn(copy, options, down)));
    }
  } finally {
    await stage.close();
  }
  return traced;
}

async function traceOn(
  stage: Stage,
  { shadow, splitsPhases }: TraceOptions,
  section: Section,
): Promise<readonly StatementOutcome[]> {
  const { statements } = await parseSql(section.text);
  if (statements.length === 0) return [];
  await shadow.ensureRoles(statements.flatMap(({ tree }) => rolesIn(tree)));
  await stage.begin();
  return traceSection(await stage.ground(), statements, {
    isTransactional: section.isTransactional,
    splitsPhases,
  });
}
