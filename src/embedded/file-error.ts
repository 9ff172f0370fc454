/** Whether a file operation failed with one of these codes (`ENOENT`, `EEXIST`, …). */
export function isFileError(error: unknown, ...codes: readonly string[]): boolean {
  return (
    error instanceof Error && "code" in error && typeof error.code === "string" && codes.includes(error.code)
  );
}
