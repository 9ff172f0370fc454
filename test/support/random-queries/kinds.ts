/** Kinds of columns: values that rows and conditions share, so that they meet, and how PostgreSQL orders them. */
import {
  byAddress,
  byBigInt,
  byBytes,
  byDate,
  byDecimal,
  byInstantText,
  byInterval,
  byItems,
  byNumber,
  byPaddedText,
  byPlaceIn,
  byRange,
  byText,
  type Order,
} from "./orders.ts";

/** What may be asked of a column: which operators it has. */
export type Family = "plain" | "text" | "words" | "array" | "document" | "old" | "network" | "range";

export interface Kind {
  readonly family: Family;
  /** Each as PostgreSQL gives it back. */
  readonly values: readonly unknown[];
  /** Undefined where PostgreSQL cannot compare. */
  readonly order: Order | undefined;
  /** A list can be sorted by it. */
  readonly isSortable: boolean;
  /** Equal values are the same, so that it does not matter which of them a group shows. */
  readonly isExact: boolean;
  /** What its sums are; undefined where it has none. */
  readonly sum: "bigint" | "decimal" | "float" | undefined;
  /** It has a least and a greatest value in every release. */
  readonly isRanked: boolean;
  /** Other texts than these may be there. */
  readonly isFree: boolean;
  /** For `increment`, `add` and their like. */
  readonly number: "number" | "bigint" | "decimal" | undefined;
}

function kind(values: readonly unknown[], order: Order | undefined, more: Partial<Kind> = {}): Kind {
  return {
    family: "plain",
    values,
    order,
    isSortable: true,
    isExact: true,
    sum: undefined,
    isRanked: false,
    isFree: false,
    number: undefined,
    ...more,
  };
}

const TEXTS = [
  "",
  "a",
  "A",
  "b",
  "ab",
  "aB%",
  "a_b",
  "\\",
  "\\%",
  "%",
  "_",
  " a",
  "ä",
  "Ä",
  "ß",
  "日本",
  "😀",
  "\uffff",
  "é",
  "e\u0301",
  "'",
  '"',
  "{a,b}",
  "null",
  "a\nb",
  "\t",
];
const SENTENCES = [
  "",
  "red",
  "red fox",
  "fox red",
  "the quick red fox",
  "quick",
  "blue bird, red fox",
  "bird",
];
const STATES = ["open", "shut", "Öd"];
const GRADES = ["low", "high", "Best", "a worst"];
const WORDS = ["a", "b", "", "A", 'x"y', "a,b", "null", "\\", "é"];

const DOCUMENTS = [
  {},
  [],
  { a: 1 },
  { a: 2, b: "x" },
  { a: "1" },
  { a: null },
  { a: { b: [1, 2, { c: "é" }] } },
  { a: [1, "a", null] },
  { "": true, b: false },
  [1, 2, 1],
  ["a", "b"],
  [{ a: 1, b: 2 }, { a: "x" }],
  "a",
  0.5,
  -1e21,
  true,
  { b: 1, a: 1 },
  [[1, 2], []],
];

/** Column kinds by the names that the model gives them. */
export const KINDS = {
  text: kind(TEXTS, byText, { family: "text", isRanked: true, isFree: true }),
  name: kind(["a", "b", "c", "B", "ä"], byText, { family: "text", isRanked: true, isFree: true }),
  code: kind(["x", "y", "X", "", "x y", "%"], byText, { family: "text", isRanked: true, isFree: true }),
  summary: kind(SENTENCES, byText, { family: "words", isRanked: true }),
  fixed: kind(["    ", "a   ", "ab  ", "abcd", "é   ", "Ab  "], byPaddedText, {
    family: "text",
    isRanked: true,
  }),
  status: kind(STATES, byText, { family: "text", isRanked: true }),
  grade: kind(GRADES, byPlaceIn(GRADES), { isRanked: true }),
  flag: kind([true, false], byNumber),
  small: kind([-32_768, -1, 0, 1, 2, 32_767], byNumber, { sum: "bigint", isRanked: true, number: "number" }),
  int: kind([-2_147_483_648, -1, 0, 1, 2, 2_147_483_647], byNumber, {
    sum: "bigint",
    isRanked: true,
    number: "number",
  }),
  few: kind([0, 1, 2, 3], byNumber, { sum: "bigint", isRanked: true, number: "number" }),
  big: kind([-(2n ** 63n), -1n, 0n, 1n, 2n ** 53n, 2n ** 53n + 1n, 2n ** 63n - 1n], byBigInt, {
    sum: "decimal",
    isRanked: true,
    number: "bigint",
  }),
  safe: kind([-(2 ** 53) + 1, -1, 0, 1, 2 ** 53 - 1], byNumber, {
    sum: "decimal",
    isRanked: true,
    number: "number",
  }),
  exact: kind(
    [
      "0",
      "0.0",
      "1",
      "1.0",
      "-1.50",
      "1.5",
      "123456789012345678901234567890.123456789",
      "0.000000000000000000001",
      "NaN",
      "Infinity",
      "-Infinity",
    ],
    byDecimal,
    { isExact: false, sum: "decimal", isRanked: true, number: "decimal" },
  ),
  price: kind(["0.00", "0.01", "1.50", "-1.50", "9.99", "12345678901234567890123456.78"], byDecimal, {
    sum: "decimal",
    isRanked: true,
    number: "decimal",
  }),
  double: kind(
    [
      0,
      -0,
      0.1,
      0.30000000000000004,
      1.5,
      -1.5,
      5e-324,
      1.7976931348623157e308,
      Number.NaN,
      Infinity,
      -Infinity,
    ],
    byNumber,
    { isExact: false, isRanked: true },
  ),
  single: kind([0, -0, 0.1, 1.5, -1.5, 1e-45, 3.4028235e38, Number.NaN, Infinity, -Infinity], byNumber, {
    isExact: false,
    isRanked: true,
  }),
  /** Quarters add up exactly, in any order. */
  share: kind([0, 0.25, 0.5, -0.25, 1, 1024.75], byNumber, { sum: "float", isRanked: true }),
  uuid: kind(
    [
      "00000000-0000-0000-0000-000000000000",
      "0193506f-1111-7000-8000-00000000000a",
      "a0000000-0000-4000-8000-000000000001",
      "ffffffff-ffff-ffff-ffff-ffffffffffff",
    ],
    byText,
  ),
  instant: kind(
    [
      "1969-12-31T23:59:59.999Z",
      "2000-02-29T00:00:00.000Z",
      "2026-11-21T09:20:00.123Z",
      "9999-12-31T23:59:59.999Z",
    ].map((text) => new Date(text)),
    byDate,
    { isRanked: true },
  ),
  instantText: kind(
    [
      "2026-11-21 09:20:00+00",
      "2026-11-21 09:20:00.123456+00",
      "2026-11-21 09:20:00.123457+00",
      "2026-11-21 09:20:00.1235+00",
      "1900-01-01 00:00:00+00",
      "12026-01-01 00:00:00+00",
      "infinity",
      "-infinity",
    ],
    byInstantText,
    { isRanked: true },
  ),
  local: kind(
    [
      "2026-11-21 09:20:00",
      "2026-11-21 09:20:00.000001",
      "2026-03-29 02:30:00",
      "1900-01-01 00:00:00",
      "infinity",
      "-infinity",
    ],
    byInstantText,
    { isRanked: true },
  ),
  day: kind(["1582-10-15", "2000-02-29", "2026-11-21", "9999-12-31"], byText, { isRanked: true }),
  dayAsDate: kind(
    ["1969-12-31", "2000-02-29", "2026-11-21"].map((text) => new Date(text)),
    byDate,
    { isRanked: true },
  ),
  clock: kind(["00:00:00", "00:00:00.000001", "09:20:00", "23:59:59.999999", "24:00:00"], byText, {
    isRanked: true,
  }),
  span: kind(
    ["00:00:00", "1 mon", "30 days", "24:00:00", "1 day", "-03:00:00", "1 year 2 mons", "00:00:00.5"],
    byInterval,
    {
      isExact: false,
      isRanked: true,
    },
  ),
  bytes: kind(
    [[], [0], [0, 255], [92, 120], [255], [97, 98]].map((bytes) => Buffer.from(bytes)),
    byBytes,
    { isSortable: false },
  ),
  document: kind(DOCUMENTS, undefined, { family: "document", isSortable: false }),
  old: kind([{ a: 1 }, [1], "x", 0, { b: { a: [true] } }], undefined, { family: "old", isSortable: false }),
  tags: kind([[], ["a"], ["a", "b"], ["b", "a"], ["a", null], WORDS, [null]], byItems(byText), {
    family: "array",
  }),
  numbers: kind([[], [0], [1, 2], [2, 1], [1, null], [2_147_483_647, -1]], byItems(byNumber), {
    family: "array",
  }),
  grid: kind(
    [
      [],
      [[1, 2]],
      [
        [1, 2],
        [3, 4],
      ],
      [[1, 2, 3, 4]],
      [[1], [2]],
      [[null], [1]],
    ],
    byItems(byNumber),
    { family: "array" },
  ),
  host: kind(
    ["10.0.0.1", "10.0.0.1/8", "10.0.0.0/8", "192.168.1.5/24", "::1", "fe80::1/64", "0.0.0.0/0"],
    byAddress,
    { family: "network", isRanked: true },
  ),
  network: kind(
    ["10.0.0.0/8", "10.1.0.0/16", "192.168.1.0/24", "fe80::/64", "0.0.0.0/0", "::/0"],
    byAddress,
    {
      family: "network",
    },
  ),
  mac: kind(["00:00:00:00:00:00", "08:00:2b:01:02:03", "ff:ff:ff:ff:ff:ff"], byText),
  during: kind(["empty", "[1,5)", "[3,4)", "[1,2)", "(,3)", "[5,)", "(,)", "[-5,1)"], byRange, {
    family: "range",
    isSortable: false,
  }),
  /** Keys of rows. */
  id: kind([], byText, { family: "text", isRanked: true }),
} satisfies Record<string, Kind>;

export type KindName = keyof typeof KINDS;

/** What computed columns are, by the names that reads give them. */
export const COMPUTED = {
  theText: "text",
  theLength: "few",
  theFlag: "flag",
  theNumber: "int",
  theBig: "big",
  thePrice: "price",
  theInstant: "instantText",
  theDay: "day",
  theTags: "tags",
  theDocument: "document",
} as const satisfies Record<string, KindName>;

export type ComputedName = keyof typeof COMPUTED;

/** The words that `matches` looks for. */
export const SEARCHED = ["red", "fox", "quick", "blue", "the", "cat"];
/** What stands inside the texts, now and then. */
export const PIECES = ["", "a", "A", "b", "%", "_", "\\", "ä", "Ä", "😀", " ", "é", "1"];
/** Items of arrays. */
export const ITEMS: Readonly<Record<string, readonly unknown[]>> = {
  tags: WORDS,
  theTags: WORDS,
  numbers: [0, 1, 2, 2_147_483_647],
  grid: [1, 2, 3, 9],
};
