import type { Hints } from "./hints.ts";
import { textMatching } from "./pattern.ts";
import type { Random } from "./random.ts";

/** Longest text that is tried because a condition speaks of a length. */
const TEXT_LENGTH_LIMIT = 2_000;
const PATTERN_TRIES = 8;
const NUMBERS_LIMIT = 24;

/** Texts worth trying for a base type because conditions speak of these constants. Not all are values of the type. */
export function valuesNear(type: string, category: string, hints: Hints, random: Random): readonly string[] {
  if (category === "N") return numbersNear(hints, /^int\d$|^oid$/.test(type));
  if (category === "D") return [...hints.texts, ...hints.texts.flatMap(daysAround)];
  if (type === "json" || type === "jsonb") return jsonNear(hints);
  if (category === "S") return textsNear(hints, random);
  return hints.texts;
}

function textsNear(
  { texts, numbers, patterns, likes, isConditional }: Hints,
  random: Random,
): readonly string[] {
  const lengths = numbers
    .map(Number)
    .filter((length) => Number.isInteger(length) && length <= TEXT_LENGTH_LIMIT);
  const around = [...new Set(lengths.flatMap((length) => [length - 1, length, length + 1]))].filter(
    (one) => one >= 0,
  );
  const matching = patterns.flatMap((pattern) => [
    ...Array.from({ length: PATTERN_TRIES }, () => textMatching(pattern, random) ?? []).flat(),
    // `length(hash) = 64 and hash ~ '^[0-9a-f]+$'`
    ...lengths.flatMap((length) => textMatching(pattern, random, length)?.slice(0, length) ?? []),
  ]);
  const asked = [
    ...texts,
    ...matching,
    ...likes.flatMap(textsLike),
    ...around.map((length) => "x".repeat(length)),
  ];
  return isConditional ? [...asked, ...numbers, ...COMMON_FORMS] : [];
}

/** What functions in checks tend to look for. */
const COMMON_FORMS = [
  "user1@example.com",
  "https://example.com/1",
  "0123456789abcdef0123456789abcdef",
  "00000000-0000-4000-8000-000000000001",
  "2024-01-31",
  "12:30",
  "12345",
  "1.2.3",
  "EUR",
  "en-US",
  "de",
  "+4915112345678",
  "10.0.0.1",
  "#aabbcc",
  "some-slug",
];

/** `%` as nothing and as something; a backslash takes the meaning away. */
function textsLike(like: string): readonly string[] {
  const written = (any: string, one: string): string =>
    like.replaceAll(
      /\\(.)|([%_])/gs,
      (_, escaped: string | undefined, wild: string) => escaped ?? (wild === "%" ? any : one),
    );
  return [written("", "x"), written("x", "x"), written("ab 7", "7")];
}

/** The constants, a little less, a little more, and what lies between two of them. The server writes -5 as `'-5'::integer`. */
function numbersNear({ texts, numbers }: Hints, isWhole: boolean): readonly string[] {
  const written = [...numbers, ...texts].filter((text) => /^-?\d{1,30}(\.\d{1,15})?$/.test(text));
  const constants = written.slice(0, NUMBERS_LIMIT);
  const around = constants.flatMap((constant) =>
    constant.includes(".")
      ? [-1, -0.01, 0.01, 1].map((step) => String(Number((Number(constant) + step).toFixed(4))))
      : [-1n, 1n, 10n].map((step) => String(BigInt(constant) + step)),
  );
  const sorted = constants.map(Number).sort((a, b) => a - b);
  const between = sorted.flatMap((low, index) => {
    const high = sorted[index + 1];
    return high === undefined ? [] : [String((low + high) / 2)];
  });
  const all = [...constants, ...around, ...between];
  return isWhole ? all.map((text) => (text.includes(".") ? String(Math.round(Number(text))) : text)) : all;
}

function daysAround(text: string): readonly string[] {
  const day = /^\d{4}-\d\d-\d\d/.exec(text)?.[0];
  const time = Date.parse(day ?? "");
  if (day === undefined || Number.isNaN(time)) return [];
  return [-1, 1, 30].map((days) => new Date(time + days * 86_400_000).toISOString().slice(0, 10));
}

/** Every text of the condition as a key, with values of several kinds: enough for `?`, `->>` and `jsonb_typeof`. */
function jsonNear({ texts, numbers }: Hints): readonly string[] {
  const keys = texts.filter((text) => text !== "");
  const numeric = numbers.map(Number).filter(Number.isFinite);
  const fill = (value: unknown): string =>
    JSON.stringify(Object.fromEntries(keys.map((key) => [key, value])));
  const kinds: readonly unknown[] = ["text", 1, true, [], {}, null];
  return [
    ...(keys.length === 0 ? [] : [...kinds, ...texts, ...numeric].map(fill)),
    ...kinds.map((kind) => JSON.stringify(kind)),
    ...numeric.map((number) =>
      JSON.stringify(Array.from({ length: Math.min(Math.abs(number), 20) }, () => 1)),
    ),
  ];
}
