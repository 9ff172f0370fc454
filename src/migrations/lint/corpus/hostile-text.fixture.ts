/** Statements of the corpus, torn apart and put together wrongly. */
import fc from "fast-check";
import { CORPUS } from "../corpus.fixture.ts";

type Text = fc.Arbitrary<string>;

/** Those that reach beyond their own database stay out. */
const STATEMENTS = CORPUS.map(({ sql }) => sql).filter(
  (sql) => !/\b(?:database|role|tablespace|system)\b/i.test(sql),
);

const statement: Text = fc.constantFrom(...STATEMENTS);

/** A place in a text of any length. */
const place = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });
const at = (text: string, where: number): number => Math.floor(where * (text.length + 1));

const insert = (text: string, where: number, word: string): string => {
  const from = at(text, where);
  return `${text.slice(0, from)}${word}${text.slice(from)}`;
};

const truncated: Text = fc.tuple(statement, place).map(([text, where]) => text.slice(0, at(text, where)));

const spliced: Text = fc
  .tuple(statement, statement, place, place)
  .map(([one, other, end, start]) => one.slice(0, at(one, end)) + other.slice(at(other, start)));

/** Signs that mean something to a lexer, and some that should not. */
const ODD_WORDS = [
  "'",
  '"',
  '""',
  "$$",
  "$a$",
  "$a$;$a$",
  "E'\\'",
  "e'",
  "U&'\\0441'",
  'U&"d\\0061t"',
  "B'01'",
  "x'",
  "--",
  "-- '\n",
  "/*",
  "*/",
  "/* ; */",
  "/* /* */",
  "--\r",
  "\r",
  "\r\n",
  "\n",
  "\t",
  "\f",
  "\v",
  "\u00a0",
  "\u2028",
  "\u200b",
  "\ufeff",
  "\u0001",
  "\ud83d\ude00",
  "\ud83d",
  "\ude00",
  "e\u0301",
  "\u202e",
  "ß",
  "İ",
  "ſ",
  "K",
  ";",
  ";;",
  "; ;",
  "(",
  ")",
  "((",
  "[",
  "]",
  "{",
  "}",
  "::",
  ":=",
  "=>",
  "..",
  ".",
  ",",
  "$1",
  "$0",
  "$",
  "@",
  "\\",
  "\\;",
  "\\g",
  "\\copy",
  "|",
  "|/",
  "+-",
  "-",
  "1e",
  "1e400",
  "0x",
  "0b2",
  "1_000",
  "99999999999999999999",
  " begin ",
  " end ",
  " commit; ",
  " as ",
  " if exists ",
  "-- migrate:down\n",
  "-- plinth:allow lock/index: x\n",
  "-- plinth:allow",
  "{{x}}",
  "%s",
  "__proto__",
  "constructor",
] as const;

const peppered: Text = fc
  .tuple(statement, fc.array(fc.tuple(place, fc.constantFrom(...ODD_WORDS)), { minLength: 1, maxLength: 4 }))
  .map(([text, words]) => words.reduce((whole, [where, word]) => insert(whole, where, word), text));

/** A word of the statement under a name that has to be quoted. */
const ODD_NAMES = [
  '"a""b"',
  '"ü 漢字 😀"',
  '"; drop table tasks; --"',
  '"select"',
  '"\'"',
  '"$$"',
  '"/*"',
  `"${"n".repeat(70)}"`,
];

const renamed: Text = fc
  .tuple(statement, fc.constantFrom(...ODD_NAMES))
  .map(([text, name]) => text.replaceAll(/\b(?:notes|tasks|events|body|title)\b/g, name));

const depth = fc.constantFrom(2, 50, 500, 4_000, 30_000);

const nested: Text = fc.oneof(
  depth.map((count) => `select ${"(".repeat(count)}1${")".repeat(count)}`),
  depth.map((count) => `alter table tasks add check ${"(".repeat(count)}id > 0${")".repeat(count)}`),
  depth.map((count) => `select 1${" + 1".repeat(count)}`),
  depth.map((count) => `alter table tasks add column note text default 'a'${" || 'a'".repeat(count)}`),
  depth.map((count) => `select ${"not ".repeat(count)}true`),
  depth.map((count) => `select ${"case when true then ".repeat(count)}1${" end".repeat(count)}`),
  depth.map((count) => `select ${"array[".repeat(count)}1${"]".repeat(count)}`),
  depth.map((count) => `select ${"lower(".repeat(count)}'a'${")".repeat(count)}`),
  depth.map((count) => `${"select * from (".repeat(count)}select 1${") as t".repeat(count)}`),
  depth.map((count) => `${"/* ".repeat(count)}${" */".repeat(count)} select 1`),
  depth.map((count) => `do $$ ${"begin ".repeat(count)} null; ${"end; ".repeat(count)} $$`),
  depth.map((count) => `select 1${" union select 1".repeat(count)}`),
  depth.map((count) => `select ${"$a".repeat(count)}`),
  depth.map((count) => `select 1 ${"-- x\n".repeat(count)}`),
  depth.map((count) => `${";".repeat(count)}select 1`),
);

/** The statement inside something else. */
const wrapped: Text = fc
  .tuple(
    statement,
    fc.constantFrom(
      (text: string) => `do $body$ begin ${text}; end $body$`,
      (text: string) => `do $$ begin execute '${text.replaceAll("'", "''")}'; end $$`,
      (text: string) => `create function f() returns void language sql as $$ ${text} $$`,
      (text: string) => `create procedure p() language plpgsql as $p$ begin ${text}; end $p$; call p()`,
      (text: string) => `explain ${text}`,
      (text: string) => `/* ${text} */ ${text} -- ${text}`,
      (text: string) => `begin; ${text}; rollback`,
      (text: string) => `prepare p as ${text}`,
      (text: string) => `\ufeff${text}`,
      (text: string) => text.toUpperCase(),
      (text: string) => text.replaceAll(" ", "\r\n"),
      (text: string) => text.replaceAll(" ", "/**/"),
      (text: string) => text.replaceAll(" ", " -- ;'\n "),
      (text: string) => `\n\n-- ünï; 'x\n/* \n */ ${text} ;\n ; \n`,
    ),
  )
  .map(([text, wrap]) => wrap(text));

const piece: Text = fc.oneof(
  { weight: 2, arbitrary: statement },
  truncated,
  spliced,
  { weight: 3, arbitrary: peppered },
  renamed,
  { weight: 2, arbitrary: wrapped },
);

const separator = fc.constantFrom(
  ";",
  ";\n",
  " ;\r\n",
  ";\n\n-- ; '\n",
  ";/* \n\n ; */",
  "\n;\n;\n",
  ";\u0020\t",
);

/** One to four pieces, most of them no SQL any more. */
export const hostileText: Text = fc.oneof(
  { weight: 1, arbitrary: nested },
  {
    weight: 9,
    arbitrary: fc
      .array(fc.tuple(piece, separator), { minLength: 1, maxLength: 4 })
      .map((parts) => parts.map(([text, end]) => text + end).join("")),
  },
);

const MEGABYTE = 1_048_576;
const fill = (unit: string): string => unit.repeat(Math.ceil(MEGABYTE / unit.length));

/** One line each. */
export const MEGABYTE_TEXTS: readonly (readonly [string, string])[] = [
  ["a string", `alter table tasks add column note text default '${fill("x")}'`],
  ["quotes", `select '${fill("''")}'`],
  ["an open string", `select '${fill("x")}`],
  ["a dollar quote", `do $$ begin perform '${fill("x")}'; end $$`],
  ["dollars", `select ${fill("$")}`],
  ["a comment behind", `create index on tasks (title) -- ${fill("x")}`],
  ["a comment in front", `/* ${fill("* ")} */ create index on tasks (title)`],
  ["blanks", `create index${fill(" ")}on tasks (title)`],
  ["a name", `create table ${fill("n")} (id bigint primary key)`],
  ["a quoted name", `alter table tasks rename column title to "${fill('""')}"`],
  ["values", `insert into projects (id, name) values ${fill(`(1, '${"x".repeat(50)}'), `)}(2, 'y')`],
  [
    "columns",
    `create table labels (id bigint primary key${Array.from({ length: 1_500 }, (_, n) => `, ${"c".repeat(50)}${n} text default 'x'`).join("")})`,
  ],
  ["a list", `delete from projects where id in (${fill("1234567, ")}2)`],
  ["statements", fill(`select '${"x".repeat(2_000)}';`)],
  ["semicolons", `${";".repeat(100_000)}${fill(" ")}select 1`],
  ["open parentheses", `select ${fill("(")}`],
  ["operators", `select 1 ${fill("+")} 1`],
  ["words", fill("create ")],
];
