import type { Shadow } from "../../shadow/index.ts";
import type { MigrationFile } from "../migration-file.ts";
import { type ParsedStatement, parseSql, rolesIn } from "../parse-sql.ts";
import type { Stage } from "./trace-stage.ts";
import { failedOutcome } from "./trace-statement.ts";
import { type TransactionRules, traceKindOf, transactionsOf } from "./trace-transaction.ts";

/**
 * Runs the up of a file that nobody asks about, without measuring. What fails is left out, as is what outlives the
 * database, and what other tools' files say about transactions: static names the failure where it happens.
 */
export async function passFile(
  shadow: Shadow,
  stage: Stage,
  file: MigrationFile,
  splitsPhases: TransactionRules["splitsPhases"],
): Promise<void> {
  const { statements } = await parseSql(file.up.text);
  await shadow.ensureRoles(statements.flatMap(({ tree }) => rolesIn(tree)));
  await stage.begin();
  const rules = { isTransactional: file.up.isTransactional, splitsPhases };
  for (const transaction of transactionsOf(statements, rules)) await passTransaction(stage, transaction);
}

async function passTransaction({ connection }: Stage, statements: readonly ParsedStatement[]): Promise<void> {
  const isOutside = statements.some(({ tree }) => traceKindOf(tree) === "outside");
  const texts = statements.filter(({ tree }) => isRun(traceKindOf(tree))).map(({ text }) => text);
  try {
    if (!isOutside) await connection.script("begin");
    for (const text of texts) await connection.script(text);
    if (!isOutside) await connection.script("commit");
  } catch (error) {
    failedOutcome(error);
    if (!isOutside) await connection.script("rollback");
  }
}

function isRun(kind: ReturnType<typeof traceKindOf>): boolean {
  return kind === "transaction" || kind === "outside" || kind === "setup";
}
