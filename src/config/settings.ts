import { ConfigError, unknownName } from "../errors/index.ts";
import type { BooleanRule, IntegerRule, OptionRule, TextRule } from "./options.ts";

/** Environment variables, as in `process.env`. An empty one counts as absent, as in libpq. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Where one group of options is looked up: `explicit` wins over the environment, which wins over `file`. */
export interface SettingSources {
  /** `pool`, `session`, …, or empty for the top: the first part of the option's path. */
  readonly group: string;
  readonly explicit: unknown;
  readonly environment: Environment;
  readonly file: unknown;
}

/** A value with the name its owner knows it by. */
interface Found {
  readonly value: unknown;
  readonly name: string;
}

/** Reads options of one group. Every problem is one line that names the option, what it may be, and how to fix it. */
export interface Settings {
  integer(name: string, rule: IntegerRule): number;
  boolean(name: string, rule: BooleanRule): boolean;
  text(name: string, rule: TextRule): string;
  optional(name: string, rule: OptionRule): { readonly text: string; readonly name: string } | undefined;
  optionalBoolean(name: string, rule: OptionRule): boolean | undefined;
}

/**
 * Opens one group of options, and refuses names nobody reads.
 *
 * @throws {CONFIG_INVALID} when the group is no object or holds an unknown name.
 */
export function openSettings(sources: SettingSources, known: readonly string[]): Settings {
  const explicit = objectOf(sources.group, sources.explicit, known);
  const file = objectOf(sources.group, sources.file, known);
  const find = (name: string, rule: OptionRule): Found | undefined => {
    const path = sources.group === "" ? name : `${sources.group}.${name}`;
    if (explicit[name] !== undefined) return { value: explicit[name], name: path };
    const variable = sources.environment[rule.variable];
    if (variable !== undefined && variable !== "") return { value: variable, name: rule.variable };
    return file[name] === undefined ? undefined : { value: file[name], name: path };
  };
  return {
    integer: (name, rule) => {
      const found = find(name, rule);
      return found === undefined ? rule.default : integerOf(found, rule);
    },
    boolean: (name, rule) => {
      const found = find(name, rule);
      return found === undefined ? rule.default : booleanOf(found, rule);
    },
    text: (name, rule) => {
      const found = find(name, rule);
      return found === undefined ? rule.default : textOf(found, rule);
    },
    optional: (name, rule) => {
      const found = find(name, rule);
      return found === undefined ? undefined : { text: textOf(found, rule), name: found.name };
    },
    optionalBoolean: (name, rule) => {
      const found = find(name, rule);
      return found === undefined ? undefined : booleanOf(found, rule);
    },
  };
}

/**
 * Refuses a key nobody reads, with the nearest name, so that a misspelt option is never ignored.
 *
 * @throws {CONFIG_INVALID}
 */
export function refuseUnknownKeys(group: string, value: object, known: readonly string[]): void {
  const path = (name: string): string => (group === "" ? name : `${group}.${name}`);
  for (const key of Object.keys(value)) {
    if (known.includes(key)) continue;
    throw new ConfigError(unknownName("option", path(key), known.map(path)), { path: path(key) });
  }
}

/** The error of an option with a wrong value: `path` is the option or variable its owner wrote. */
export function invalidOption(name: string, problem: string): ConfigError {
  return new ConfigError(`${name} ${problem}`, { path: name });
}

function objectOf(
  group: string,
  value: unknown,
  known: readonly string[],
): Readonly<Record<string, unknown>> {
  if (value === undefined) return {};
  if (!isRecord(value)) throw invalidOption(group, "must be an object of options");
  refuseUnknownKeys(group, value, known);
  return value;
}

/** A plain object, as a config file holds. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function integerOf(found: Found, rule: IntegerRule): number {
  const { value } = found;
  const number = typeof value === "string" && /^-?\d{1,15}$/.test(value) ? Number(value) : value;
  if (
    typeof number === "number" &&
    Number.isInteger(number) &&
    number >= rule.minimum &&
    number <= rule.maximum
  ) {
    return number;
  }
  throw invalidOption(
    found.name,
    `must be a whole number from ${rule.minimum} to ${rule.maximum} (${rule.meaning}), not ${shown(value)}; ` +
      `leave it out for ${rule.default}`,
  );
}

function booleanOf(found: Found, rule: OptionRule): boolean {
  if (found.value === true || found.value === "true") return true;
  if (found.value === false || found.value === "false") return false;
  throw invalidOption(found.name, `must be true or false (${rule.meaning}), not ${shown(found.value)}`);
}

function textOf(found: Found, rule: OptionRule): string {
  if (typeof found.value === "string" && found.value !== "" && !found.value.includes("\0"))
    return found.value;
  throw invalidOption(found.name, `must be a text that is not empty (${rule.meaning})`);
}

/** Repeats a mistyped number, and nothing else: a password pasted into the wrong variable must not be printed. */
function shown(value: unknown): string {
  if (typeof value === "number") return String(value);
  if (typeof value === "string" && /^[+-]?\d{1,12}([.,]\d{1,6})?[a-zA-Z%]{0,2}$/.test(value))
    return JSON.stringify(value);
  return typeof value === "string"
    ? "the text it holds"
    : `a value of type ${value === null ? "null" : typeof value}`;
}
