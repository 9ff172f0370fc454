/** What the server called its refusal, if it was one. */
export function sqlstateOf(error: unknown): string | undefined {
  return error instanceof Error && "sqlstate" in error && typeof error.sqlstate === "string"
    ? error.sqlstate
    : undefined;
}
