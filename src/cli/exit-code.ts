/** What a command's exit code says; the same for every command. */
export const EXIT = {
  ok: 0,
  failed: 1,
  /** Wrong arguments, or a wrong option in the config or environment. */
  usage: 2,
  /** A check found something, or something is pending: the gate of a pipeline. */
  findings: 3,
  refused: 4,
  cannotConnect: 5,
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

const CANNOT_CONNECT = new Set([
  "CONNECTION_FAILED",
  "CONNECTION_LOST",
  "AUTHENTICATION_FAILED",
  "DATABASE_MISSING",
  "SERVER_UNAVAILABLE",
  "TOO_MANY_CONNECTIONS",
  "POOLER_ERROR",
  "EMBEDDED_MISSING",
  "EMBEDDED_FAILED",
]);

/** What is said of a command's input: an unknown table, a key that is none. */
const WRONG_ARGUMENTS = new Set([
  "USAGE",
  "CONFIG_INVALID",
  "INVALID_VALUE",
  "INVALID_QUERY",
  "INVALID_CURSOR",
]);

/** The exit code of an error's code. */
export function exitCodeOf(code: string): ExitCode {
  if (WRONG_ARGUMENTS.has(code)) return EXIT.usage;
  if (code === "SAFETY_REFUSED") return EXIT.refused;
  return CANNOT_CONNECT.has(code) ? EXIT.cannotConnect : EXIT.failed;
}
