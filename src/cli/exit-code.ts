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

/** The exit code of an error's code. */
export function exitCodeOf(code: string): ExitCode {
  if (code === "CONFIG_INVALID" || code === "USAGE") return EXIT.usage;
  if (code === "SAFETY_REFUSED") return EXIT.refused;
  return CANNOT_CONNECT.has(code) ? EXIT.cannotConnect : EXIT.failed;
}
