/**
 * What a history is told once it has its triggers: from here on every change is recorded. The clock's moment and not the
 * transaction's, because who changed rows unrecorded had ended before the triggers had their lock, and so had begun by then.
 *
 * It takes version 0, which no change has: the numbers of changes are left to the changes.
 *
 * @param history its name as SQL writes it
 */
export function historyBeginText(history: string): string {
  return `insert into ${history} (version, at, operation, row_key) overriding system value\n  values (0, clock_timestamp(), 'begin', '')`;
}

const BEGIN =
  /^insert into .+ \(version, at, operation, row_key\) overriding system value\s+values \(0, clock_timestamp\(\), 'begin', ''\);?$/;

/** Whether a statement is that one. */
export function isHistoryBegin(statement: string): boolean {
  return BEGIN.test(statement.trim());
}
