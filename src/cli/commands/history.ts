import { type Command, InvalidArgumentError } from "commander";
import type { HistoryPreparation, HistoryUpkeep } from "../../history/index.ts";
import { type CommandContext, type CommandHost, type CommandResult, runAction } from "../action.ts";
import { announceTarget, openProject, withTarget } from "../open-project.ts";
import { type ShowFlags, showRow } from "./history-show.ts";

interface PruneFlags {
  readonly olderThan: number;
  readonly dryRun?: boolean;
}

interface PrepareFlags {
  readonly months: number;
  readonly dryRun?: boolean;
}

/** Adds `history show|prepare|prune`. */
export function addHistoryCommands(program: Command, host: CommandHost): void {
  const history = program.command("history").description("what rows were, and who changed them");
  history
    .command("show <table> <id>", { isDefault: true })
    .description("the changes of one row, the newest first; of a key in several columns: its parts as JSON")
    .option("--limit <count>", "how many changes", count(1_000), 20)
    .option("--after <cursor>", "go on below this version")
    .option("--tenant <id>", "whose row it is, of a table that has a tenant")
    .action((table: string, id: string, flags: ShowFlags, command: Command) =>
      runAction(host, command, (context) => showRow(context, table, id, flags)),
    );
  history
    .command("prepare")
    .description("make the partitions of this month and the next ones")
    .option("--months <count>", "how many, this one among them", count(120), 3)
    .option("--dry-run", "print the exact SQL and run nothing")
    .action((flags: PrepareFlags, command: Command) =>
      runAction(host, command, (context) => prepare(context, flags)),
    );
  history
    .command("prune")
    .description("delete what is older than an age, and make the partitions of the next months")
    .requiredOption("--older-than <days>", "such as 400d", days)
    .option("--dry-run", "print the exact SQL and run nothing")
    .action((flags: PruneFlags, command: Command) =>
      runAction(host, command, (context) => prune(context, flags)),
    );
}

async function prepare(
  context: CommandContext,
  { months, dryRun = false }: PrepareFlags,
): Promise<CommandResult> {
  const { prepareHistory } = await import("../../history/index.ts");
  const tables = await onHistories(context, dryRun, (upkeep) => prepareHistory({ ...upkeep, months }));
  return { data: { tables }, text: textOf(dryRun, tables, tables.flatMap(preparationLines)) };
}

async function prune(
  context: CommandContext,
  { olderThan, dryRun = false }: PruneFlags,
): Promise<CommandResult> {
  const { prepareHistory, pruneHistory } = await import("../../history/index.ts");
  const before = new Date(Date.now() - olderThan * 86_400_000);
  const [pruned, prepared] = await onHistories(context, dryRun, async (upkeep) => [
    await pruneHistory({ ...upkeep, before }),
    await prepareHistory(upkeep),
  ]);
  const lines = [
    ...pruned.flatMap(({ table, dropped, deletedRows }) => [
      ...dropped.map((name) => `dropped ${name} of ${table}`),
      ...(deletedRows === 0 ? [] : [`deleted ${deletedRows} rows of ${table}`]),
    ]),
    ...prepared.flatMap(preparationLines),
  ];
  const text = textOf(dryRun, [...pruned, ...prepared], lines);
  return { data: { before: before.toISOString(), pruned, prepared }, text };
}

function preparationLines({ table, made, notedBegin }: HistoryPreparation): readonly string[] {
  return [
    ...made.map((name) => `made ${name} of ${table}`),
    ...(notedBegin ? [`noted that ${table} begins now: nothing said when it did`] : []),
  ];
}

function textOf(
  dryRun: boolean,
  done: readonly { readonly statements: readonly string[] }[],
  lines: readonly string[],
): string {
  const statements = done.flatMap((one) => one.statements.map((statement) => `${statement};`));
  const shown = dryRun ? statements : lines;
  return shown.length === 0 ? "nothing to do\n" : `${shown.join("\n")}\n`;
}

/** On a session of its own: a deletion may take longer than a request may. */
async function onHistories<T>(
  context: CommandContext,
  dryRun: boolean,
  work: (upkeep: HistoryUpkeep) => Promise<T>,
): Promise<T> {
  const project = await openProject(context);
  const schemaName = await project.readSchemaName();
  const { connect, describeTarget, retarget } = await import("../../driver/index.ts");
  return withTarget(project, async ({ target }) => {
    if (!dryRun) announceTarget(context, describeTarget(target), schemaName);
    const session = { ...target.session, applicationName: "plinth history", statementTimeoutMs: 0 };
    const connection = await connect(retarget(target, { session }));
    try {
      return await work({ connection, schemaName, dryRun, signal: context.signal });
    } finally {
      await connection.close();
    }
  });
}

function days(text: string): number {
  const [, number] = /^([1-9]\d{0,4})d$/.exec(text) ?? [];
  if (number !== undefined) return Number(number);
  throw new InvalidArgumentError("It must be a number of days, such as 400d.");
}

function count(limit: number): (text: string) => number {
  return (text) => {
    const number = Number(text);
    if (/^\d{1,5}$/.test(text) && number >= 1 && number <= limit) return number;
    throw new InvalidArgumentError(`It must be a whole number from 1 to ${limit}.`);
  };
}
