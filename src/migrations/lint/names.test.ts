import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type TestServer, testServer } from "../../../test/support/server.ts";
import { type Connection, connect, parseTarget } from "../../driver/index.ts";
import { isReservedWord, sqlName, unquoted } from "../../sql/index.ts";

let server: TestServer;
let connection: Connection;

beforeAll(async () => {
  server = await testServer();
  connection = await connect(parseTarget(server.url));
});
afterAll(async () => {
  await connection.close();
  await server.stop();
});

async function keywords(): Promise<readonly { readonly word: string; readonly category: string }[]> {
  const { rows } = await connection.query({
    text: "select word, catcode from pg_get_keywords()",
    values: [],
  });
  return rows.map(([word, category]) => ({ word: String(word), category: String(category) }));
}

/** What the server would write. */
async function quotedByServer(names: readonly string[]): Promise<readonly string[]> {
  const { rows } = await connection.query({
    text: `select quote_ident(value) from json_array_elements_text($1) with ordinality as name (value, place)
           order by place`,
    values: [JSON.stringify(names)],
  });
  return rows.map(([name]) => String(name));
}

// What the linter makes of a name is compared with what the server makes of it.
describe("sqlName", () => {
  it("quotes every word that the server quotes", async () => {
    const words = (await keywords()).filter(({ category }) => category !== "U").map(({ word }) => word);
    expect(words.length).toBeGreaterThan(140);
    expect(words.map(sqlName)).toEqual(words.map((word) => `"${word}"`));
  });

  it("writes other names as quote_ident does", async () => {
    const names = [
      "tasks",
      "due_date",
      "_a1",
      "a$b",
      "1st",
      "Tasks",
      "a b",
      'a"b',
      "über",
      "ünï",
      "date",
      "title",
    ];
    expect(names.map(sqlName)).toEqual(await quotedByServer(names));
  });

  it("leaves the words bare that may be names", async () => {
    const words = (await keywords()).filter(({ category }) => category === "U").map(({ word }) => word);
    // A later version's word is quoted for it as well.
    const later = words.filter((word) => sqlName(word) !== word);
    expect(words.length - later.length).toBeGreaterThan(300);
    for (const word of later) expect(isReservedWord(word)).toBe(false);
  });
});

describe("isReservedWord", () => {
  it("is true of what cannot name a column without quotes, on the server itself", async () => {
    for (const { word, category } of await keywords()) {
      if (category === "U") continue;
      const isRefused = await connection
        .script(`begin; create temp table t_${word} (${word} integer); rollback`)
        .then(() => false)
        .catch(async () => {
          if (connection.transactionStatus !== "idle") await connection.script("rollback");
          return true;
        });
      expect(`${word} ${isReservedWord(word)}`).toBe(`${word} ${isRefused}`);
    }
  });
});

describe("unquoted", () => {
  it.each([
    ["tasks", "tasks"],
    ['"Tasks"', "Tasks"],
    ['"a""b"', 'a"b'],
    ['""""', '"'],
  ])("reads %s", (written, name) => {
    expect(unquoted(written)).toBe(name);
    expect(unquoted(sqlName(name))).toBe(name);
  });
});
