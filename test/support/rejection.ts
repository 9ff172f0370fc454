import { InputError, PlinthError } from "plinth";

/** The `PlinthError` that a call rejects with; fails the test when it does not. */
export async function rejection(call: PromiseLike<unknown>): Promise<PlinthError> {
  const error = await Promise.resolve(call).then(
    () => new Error("it did not reject"),
    (reason: unknown) => reason,
  );
  if (error instanceof PlinthError) return error;
  throw error;
}

/** `code: path: message` of everything wrong with a call's input. */
export async function refusal(call: PromiseLike<unknown>): Promise<{ code: string; issues: string[] }> {
  const error = await rejection(call);
  const issues =
    error instanceof InputError
      ? error.issues.map(({ path, message }) => `${path}: ${message}`)
      : [error.message];
  return { code: error.code, issues };
}
