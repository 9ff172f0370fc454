/** An error as `--json` shows it. */
export interface Failure {
  readonly code: string;
  readonly message: string;
  readonly hint: string | null;
  /** Where the code is explained. */
  readonly docs: string;
}

/** Reads an error. Only Plinth's own carry a code and a hint; anything else is a defect of Plinth or of the project. */
export function failureOf(error: unknown): Failure {
  if (isCoded(error)) {
    return { code: error.code, message: error.summary, hint: error.hint ?? null, docs: docsOf(error.code) };
  }
  const message = error instanceof Error ? error.message : "something that is no error was thrown";
  return { code: "INTERNAL", message, hint: null, docs: docsOf("INTERNAL") };
}

/** The error of wrong arguments. */
export function usageFailure(message: string, hint: string): Failure {
  return { code: "USAGE", message, hint, docs: "docs/reference/cli.md" };
}

/** For a reader: one line where the message is one, else the message with the hint below. */
export function failureText(failure: Failure): string {
  const { message, hint } = failure;
  if (hint === null) return `error: ${message}`;
  if (message.includes("\n")) return `error: ${message}\n  ${hint}`;
  return `error: ${message}${/[.!?]$/.test(message) ? "" : "."} ${hint}`;
}

/** By shape and not by class: `--help` must not load the error classes, and a project may have its own copy. */
interface Coded extends Error {
  readonly code: string;
  readonly summary: string;
  readonly hint?: string | undefined;
}

function isCoded(error: unknown): error is Coded {
  return (
    error instanceof Error &&
    "code" in error &&
    typeof error.code === "string" &&
    "summary" in error &&
    typeof error.summary === "string"
  );
}

function docsOf(code: string): string {
  return code === "INTERNAL" ? "docs/reference/cli.md" : `docs/reference/errors.md#${code.toLowerCase()}`;
}
