import { ConfigError, unknownName } from "../errors/index.ts";

/** The isolation levels PostgreSQL has; `read uncommitted` is `read committed` there. */
export type IsolationLevel = "read committed" | "repeatable read" | "serializable";

/** How a transaction runs. */
export interface TransactionOptions {
  /** @default the server's `default_transaction_isolation`, normally read committed */
  readonly isolation?: IsolationLevel;
  /** The server refuses writes with `READ_ONLY`. @default false */
  readonly readOnly?: boolean;
  /** Aborting it cancels the running statement on the server and rolls back. */
  readonly signal?: AbortSignal;
}

const LEVELS: readonly string[] = ["read committed", "repeatable read", "serializable"];
const NAMES: readonly string[] = ["isolation", "readOnly", "signal"];

/** @throws {CONFIG_INVALID} naming an option or isolation level that does not exist, and the nearest that does. */
export function checkOptions(options: TransactionOptions): void {
  for (const name of Object.keys(options)) {
    if (!NAMES.includes(name)) throw new ConfigError(`transaction: ${unknownName("option", name, NAMES)}`);
  }
  const { isolation } = options;
  if (isolation !== undefined && !LEVELS.includes(isolation)) {
    throw new ConfigError(`transaction: ${unknownName("isolation level", String(isolation), LEVELS)}`);
  }
}

/** `BEGIN` with what was asked. Every word is from a fixed list: nothing of a caller gets into the text. */
export function beginStatement(options: TransactionOptions): string {
  checkOptions(options);
  const { isolation, readOnly } = options;
  const modes: string[] = [];
  if (isolation !== undefined) modes.push(`isolation level ${isolation}`);
  if (readOnly !== undefined) modes.push(readOnly ? "read only" : "read write");
  return modes.length === 0 ? "begin" : `begin ${modes.join(", ")}`;
}
