import type { SequenceOptions } from "../model.ts";

const BOUNDS: Readonly<Record<string, readonly [string, string]>> = {
  smallint: ["-32768", "32767"],
  integer: ["-2147483648", "2147483647"],
  bigint: ["-9223372036854775808", "9223372036854775807"],
};

/** What the server fills in for a sequence of that type. */
export function usualOptions(type: string, increment = "1"): SequenceOptions {
  const [lowest = "1", highest = "1"] = BOUNDS[type] ?? BOUNDS.bigint ?? [];
  const isFalling = increment.startsWith("-");
  const [minimum, maximum] = isFalling ? [lowest, "-1"] : ["1", highest];
  return {
    type,
    start: isFalling ? maximum : minimum,
    increment: "1",
    minimum,
    maximum,
    cache: "1",
    cycles: false,
  };
}

/** The options in which two sequences differ, the second one's. The type is not among them. */
export function sequenceOptions(from: SequenceOptions, to: SequenceOptions): string {
  return optionWords(from, to).join(" ");
}

export function optionWords(from: SequenceOptions, to: SequenceOptions): readonly string[] {
  const words: string[] = [];
  if (from.increment !== to.increment) words.push(`increment by ${to.increment}`);
  if (from.minimum !== to.minimum) words.push(`minvalue ${to.minimum}`);
  if (from.maximum !== to.maximum) words.push(`maxvalue ${to.maximum}`);
  if (from.start !== to.start) words.push(`start with ${to.start}`);
  if (from.cache !== to.cache) words.push(`cache ${to.cache}`);
  if (from.cycles !== to.cycles) words.push(to.cycles ? "cycle" : "no cycle");
  return words;
}

/**
 * A sequence has to stand within its bounds when they are drawn closer. `sequence` is an expression for its name; the
 * value it takes here is the next one it gives.
 */
export function movingInside(
  sequence: string,
  from: SequenceOptions,
  to: SequenceOptions,
): readonly string[] {
  if (isTurned(from, to)) return [];
  const next = `nextval(${sequence})`;
  if (!to.increment.startsWith("-")) {
    const isRaised = BigInt(to.minimum) > BigInt(from.minimum);
    return isRaised ? [`select setval(${sequence}, greatest(${next}, ${to.minimum}), false)`] : [];
  }
  const isLowered = BigInt(to.maximum) < BigInt(from.maximum);
  return isLowered ? [`select setval(${sequence}, least(${next}, ${to.maximum}), false)`] : [];
}

/** It counts the other way: where it stood means nothing. */
export function isTurned(from: SequenceOptions, to: SequenceOptions): boolean {
  return from.increment.startsWith("-") !== to.increment.startsWith("-");
}

/** Sets a sequence behind the last number in use, if it is one that the sequence could have given. */
export function continueAfter(
  sequence: string,
  options: SequenceOptions,
  column: string,
  table: string,
): string {
  const isFalling = options.increment.startsWith("-");
  const last = isFalling ? `min(${column})` : `max(${column})`;
  const usual = usualOptions(options.type, options.increment);
  const bounds = isFalling
    ? [
        `${last} <= ${options.maximum}`,
        ...(usual.minimum === options.minimum ? [] : [`${last} >= ${options.minimum}`]),
      ]
    : [
        `${last} >= ${options.minimum}`,
        ...(usual.maximum === options.maximum ? [] : [`${last} <= ${options.maximum}`]),
      ];
  return `select setval(${sequence}, ${last}) from ${table} having ${bounds.join(" and ")}`;
}
