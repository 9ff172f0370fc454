import type { ErrorCode } from "./codes.ts";

/** What every `PlinthError` may carry besides its message. */
export interface PlinthErrorOptions {
  /** What to do next, one sentence, ready to follow. */
  readonly hint?: string;
  readonly cause?: unknown;
}

/**
 * The base of everything Plinth throws. Branch on `code`, or on a predicate such as `isUniqueViolation`;
 * never on the text of the message.
 *
 * Messages, stacks and `cause` hold no parameter value, password or row content.
 *
 * @example
 * ```ts
 * try { await repo.users.create(input); }
 * catch (error) { if (isUniqueViolation(error)) return conflict(error.columns); throw error; }
 * ```
 */
export class PlinthError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string, options: PlinthErrorOptions = {}) {
    super(
      options.hint === undefined ? message : `${message}\n  ${options.hint}`,
      options.cause === undefined ? {} : { cause: options.cause },
    );
    this.name = new.target.name;
    this.code = code;
    this.hint = options.hint;
  }

  /** The message without its hint: what a log line or an HTTP answer shows. */
  get summary(): string {
    const end = this.hint === undefined ? undefined : this.message.length - this.hint.length - 3;
    return this.message.slice(0, end);
  }

  /** Safe to log: code and texts only, never a value. */
  toJSON(): { name: string; code: ErrorCode; message: string; hint: string | undefined } {
    return { name: this.name, code: this.code, message: this.summary, hint: this.hint };
  }
}

/**
 * Hides a property from logs, `JSON.stringify` and `util.inspect`, and leaves it readable to code that asks
 * for it by name. PostgreSQL's `detail` quotes row values, so it must never be printed by accident.
 */
export function hide(target: object, name: string, value: unknown): void {
  Object.defineProperty(target, name, { value, enumerable: false, configurable: true, writable: false });
}
