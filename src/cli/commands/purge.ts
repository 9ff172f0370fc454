import { type Command, InvalidArgumentError } from "commander";
import type { PurgedTable } from "../../soft-delete/index.ts";
import { type CommandContext, type CommandHost, type CommandResult, runAction } from "../action.ts";
import { announceTarget, openProject, withTarget } from "../open-project.ts";

interface PurgeFlags {
  readonly olderThan: number;
  readonly entity?: string;
  readonly batch: number;
  readonly dryRun?: boolean;
}

/** Adds `purge`. */
export function addPurgeCommand(program: Command, host: CommandHost): void {
  program
    .command("purge")
    .description("remove for good what has been deleted for a time")
    .requiredOption("--older-than <days>", "such as 90d", days)
    .option("--entity <table>", "one table only")
    .option("--batch <rows>", "rows looked at in one transaction", batchRows, 1_000)
    .option("--dry-run", "print how many rows there are and the exact SQL, and remove nothing")
    .action((flags: PurgeFlags, command: Command) =>
      runAction(host, command, (context) => purge(context, flags)),
    );
}

async function purge(context: CommandContext, flags: PurgeFlags): Promise<CommandResult> {
  const { olderThan, entity, batch, dryRun = false } = flags;
  const project = await openProject(context);
  const schemaName = await project.readSchemaName();
  const { describeSchema } = await import("../../schema/index.ts");
  const { entities } = describeSchema(await project.loadSchema());
  const { purgeDead } = await import("../../soft-delete/index.ts");
  const { connect, describeTarget, retarget } = await import("../../driver/index.ts");
  const tables = await withTarget(project, async ({ target }) => {
    if (!dryRun) announceTarget(context, describeTarget(target), schemaName);
    // A session of its own: a batch may take longer than a request may.
    const session = { ...target.session, applicationName: "plinth purge", statementTimeoutMs: 0 };
    const connection = await connect(retarget(target, { session }));
    try {
      return await purgeDead({
        connection,
        entities,
        olderThanDays: olderThan,
        table: entity,
        batchRows: batch,
        dryRun,
        signal: context.signal,
      });
    } finally {
      await connection.close();
    }
  });
  const text = tables.length === 0 ? "no table is soft-deleted\n" : tables.map(dryRun ? plan : line).join("");
  return { data: { tables }, text };
}

function line({ table, removedRows, keptRows }: PurgedTable): string {
  const kept = keptRows === 0 ? "" : `, kept ${keptRows} that others refer to or hold`;
  return `${table}: removed ${removedRows}${kept}\n`;
}

function plan({ table, removedRows, statement }: PurgedTable): string {
  return `-- ${table}: ${removedRows} old enough; run until nothing is left\n${statement};\n`;
}

function days(text: string): number {
  const [, number] = /^([1-9]\d{0,4})d$/.exec(text) ?? [];
  if (number !== undefined) return Number(number);
  throw new InvalidArgumentError("It must be a number of days, such as 90d.");
}

function batchRows(text: string): number {
  const number = Number(text);
  if (/^\d{1,6}$/.test(text) && number >= 1 && number <= 100_000) return number;
  throw new InvalidArgumentError("It must be a whole number from 1 to 100000.");
}
