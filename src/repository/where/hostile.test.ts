/** Whatever a caller passes to an operator, the SQL keeps its shape, and no error repeats it. */
import { describe, expect, it } from "vitest";
import { rejection } from "../../../test/support/rejection.ts";
import { openWorkbench } from "./workbench.fixture.ts";

const { things, tasks } = await openWorkbench();

const TEXTS = [
  "'; drop table workbench.things; --",
  '" or 1=1 --',
  "\\'; select pg_sleep(10); --",
  "$1",
  "$$; drop table workbench.things; $$",
  "*/ drop table workbench.things; /*",
  '{"a",NULL}',
  '{"',
  "{{{",
  "[1,2)",
  '"}',
  "\\",
  "\u02bc or true",
  "a\nb",
  "::text",
];

/** Every operator that takes a text, with the text in every place it takes one. */
const asked: Record<string, (text: string) => object> = {
  equals: (text) => ({ name: text }),
  between: (text) => ({ name: { between: [text, text] } }),
  startsWith: (text) => ({ name: { startsWith: text } }),
  endsWith: (text) => ({ name: { endsWith: text, mode: "insensitive" } }),
  matches: (text) => ({ name: { matches: text, config: "english" } }),
  "an array": (text) => ({ tags: [text, text] }),
  has: (text) => ({ tags: { has: text } }),
  hasEvery: (text) => ({ tags: { hasEvery: [text, text] } }),
  hasSome: (text) => ({ tags: { hasSome: [text] } }),
  containedBy: (text) => ({ tags: { containedBy: [text] } }),
  "contains of a document": (text) => ({ document: { contains: text } }),
  hasKey: (text) => ({ document: { hasKey: text } }),
  path: (text) => ({ document: { path: [text, text], equals: text } }),
  "gt at a path": (text) => ({ document: { path: ["a"], gt: text } }),
  "in at a path": (text) => ({ document: { path: ["a"], in: [text, { b: text }] } }),
  "contains at a path": (text) => ({ old: { path: [text], contains: [text] } }),
};

describe("an operator", () => {
  it.each(Object.entries(asked))("sends any text beside the SQL: %s", async (_name, where) => {
    const { text: sql } = things.count(where("benign")).toSQL();
    for (const text of TEXTS) {
      const query = things.count(where(text));
      expect(query.toSQL().text).toBe(sql);
      expect(await query).toBe(0);
    }
  });

  const types: unknown[] = [
    "secret-4711",
    4711,
    4711.5,
    4711n,
    true,
    null,
    undefined,
    Number.NaN,
    Symbol("secret-4711"),
    () => "secret-4711",
    new Date(4711),
    new Map([["secret-4711", 4711]]),
    Buffer.from("secret-4711"),
    ["secret-4711", 4711],
    [["secret-4711"]],
    { secret: "secret-4711" },
    { toPostgres: () => "secret-4711", toJSON: () => "secret-4711", toString: () => "secret-4711" },
    Object.create(null),
  ];
  const columns = ["name", "tags", "numbers", "document", "old", "host", "during", "place"];
  const operators = [
    ..."equals not in notIn gt gte lt lte between startsWith contains endsWith matches mode config".split(
      " ",
    ),
    ..."has hasEvery hasSome containedBy isEmpty hasKey overlaps path exists".split(" "),
    ..."constructor toString valueOf hasOwnProperty some is".split(" "),
  ];

  it.each(columns)(
    "takes a value of its type or refuses it with a path, and never repeats it: %s",
    (column) => {
      const names = [...operators, "__proto__"];
      for (const name of names) {
        for (const value of types) {
          const condition = Object.defineProperty({}, name, { value, enumerable: true, configurable: true });
          for (const where of [{ [column]: condition }, { [column]: { path: ["a"], ...condition } }]) {
            expectTaken(() => things.count(where as never).toSQL(), `where.${column}`, `${column} ${name}`);
          }
        }
      }
      for (const value of types) {
        expectTaken(() => things.count({ [column]: value } as never).toSQL(), `where.${column}`, column);
      }
    },
  );

  it("of a relation as well", () => {
    for (const relation of ["project", "labels"]) {
      for (const name of ["some", "none", "every", "is", "isNot", "constructor", "__proto__", "and"]) {
        for (const value of types) {
          const condition = Object.defineProperty({}, name, { value, enumerable: true, configurable: true });
          const where = { [relation]: condition };
          expectTaken(() => tasks.count(where as never).toSQL(), `where.${relation}`, `${relation} ${name}`);
        }
      }
    }
  });

  it("is refused by its name where nobody has it, also on the second call of its shape", async () => {
    for (const times of [1, 2]) {
      const error = await rejection(things.count(JSON.parse('{"name": {"__proto__": "x"}}')));
      expect([times, error.message]).toEqual([times, expect.stringContaining("where.name.__proto__")]);
    }
  });
});

/** The call has SQL, or is refused as a wrong query or value, with a path. */
function expectTaken(call: () => unknown, path: string, what: string): void {
  try {
    call();
  } catch (error) {
    expect(error, what).toMatchObject({ code: expect.stringMatching(/^INVALID_(QUERY|VALUE)$/) });
    const { message, stack, issues } = error as Error & { issues: { path: string; message: string }[] };
    expect(issues[0]?.path.startsWith(path), `${what}: ${issues[0]?.path}`).toBe(true);
    expect(`${message}${stack?.split("\n    at ")[0]}${JSON.stringify(issues)}`, what).not.toMatch(/4711/);
  }
}
