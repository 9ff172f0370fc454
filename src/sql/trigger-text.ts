import { dollarQuote } from "./dollar-quote.ts";
import { quoteIdentifier } from "./identifier.ts";

/** A statement that makes something, and one that takes it away again. Names are unqualified. */
export interface MadeByText {
  readonly create: string;
  readonly drop: string;
}

/** A function for triggers, in PL/pgSQL. `words` stand behind its language: `security definer`, `set … from current`. */
export function triggerFunctionText(name: string, body: string, words = ""): MadeByText {
  const quoted = quoteIdentifier(name);
  return {
    create: `create function ${quoted}() returns trigger language plpgsql${words} as ${dollarQuote(`\n${body}\n`)}`,
    drop: `drop function ${quoted}()`,
  };
}

/** A trigger, as `create trigger` says it. */
export interface TriggerParts {
  readonly name: string;
  readonly table: string;
  /** `before update`, `after insert or delete`, … */
  readonly when: string;
  /** With transition tables and a condition, where it has them. @default for each row */
  readonly level?: string | undefined;
  /** The function's name. */
  readonly execute: string;
}

export function triggerText({
  name,
  table,
  when,
  level = "for each row",
  execute,
}: TriggerParts): MadeByText {
  const [quoted, on] = [quoteIdentifier(name), quoteIdentifier(table)];
  return {
    create: `create trigger ${quoted} ${when} on ${on}\n  ${level} execute function ${quoteIdentifier(execute)}()`,
    drop: `drop trigger ${quoted} on ${on}`,
  };
}
