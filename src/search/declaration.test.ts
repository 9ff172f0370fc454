import { sql } from "drizzle-orm";
import { integer, text, uuid, varchar } from "drizzle-orm/pg-core";
import { appSchema, entity, type SearchRules, secret, ulidKey } from "plinth/schema";
import { describe, expect, it } from "vitest";
import { declaredGrounds } from "../../test/support/declared.ts";
import { BEHAVIOURS } from "../behaviours.ts";
import { renderSchema } from "../catalog/index.ts";
import { describeSchema } from "../schema/index.ts";

const grounds = declaredGrounds();

const columns = () => ({
  id: ulidKey(),
  title: text().notNull(),
  body: text(),
  code: varchar({ length: 40 }),
  hours: integer(),
  token: secret(text()),
  other: uuid(),
  loud: text().generatedAlwaysAs(sql`upper(title)`),
});

function schemaWith(search: unknown, { hasTrigrams = false } = {}) {
  const app = appSchema("shelf");
  if (hasTrigrams) app.extension("pg_trgm", { schema: "shelf_extensions" });
  return { app, items: entity(app, "items", columns(), { search: search as SearchRules<"title"> }) };
}

const rendered = (search: unknown, options = {}) =>
  renderSchema(describeSchema(schemaWith(search, options)), BEHAVIOURS).up;

describe("a declared search", () => {
  it("is a column that a trigger keeps and its index, weighted by the order of the columns", () => {
    const up = rendered({ columns: ["title", "body"] });
    expect(up[0]).toContain(`\n  "search_vector" tsvector,\n`);
    expect(up.join(";\n")).toContain(
      `setweight(to_tsvector('english', coalesce(new."title", '')), 'A') || setweight(to_tsvector('english', coalesce(new."body", '')), 'B');`,
    );
    expect(up).toContain(`create index "items_search_vector_idx" on "items" using gin ("search_vector")`);
    expect(up).toContain(`create trigger "zz_search_vector" before insert or update on "items"
  for each row execute function "items_search_vector"()`);
  });

  it("takes a configuration and weights", () => {
    const up = rendered({
      columns: ["title", "code"],
      config: "pg_catalog.simple",
      weights: { code: "A" },
    }).join(";\n");
    expect(up).toContain(`setweight(to_tsvector('pg_catalog.simple', coalesce(new."code", '')), 'A')`);
    expect(up).toContain(`coalesce(new."title", '')), 'A')`);
  });

  it("has trigram indexes where it says typos, by the extension's own schema", async () => {
    const ground = await grounds.build(
      schemaWith({ columns: ["title"], typos: true }, { hasTrigrams: true }),
    );
    const rows = await ground.rows("select indexdef from pg_indexes where indexname like '%trgm%'");
    expect(rows).toEqual([
      [
        expect.stringContaining(
          "items_title_trgm_idx ON shelf.items USING gin (title shelf_extensions.gin_trgm_ops)",
        ),
      ],
    ]);
    expect(await ground.takeAway()).toEqual([]);
  });

  it.each([
    [{}, 'search of "items" names no column'],
    [{ columns: [] }, "names no column"],
    [{ columns: ["title", "title"] }, "names a column twice"],
    [{ columns: ["titel"] }, 'unknown column "titel"; did you mean "title"?'],
    [{ columns: ["hours"] }, '"hours" is integer, and only text is searched'],
    [{ columns: ["other"] }, '"other" is uuid, and only text is searched'],
    [{ columns: ["token"] }, '"token" is secret'],
    [{ columns: ["loud"] }, '"loud" is generated, and has no value yet when its row is written'],
    [{ columns: ["__proto__"] }, 'unknown column "__proto__"'],
    [{ columns: ["title"], weights: { body: "A" } }, 'unknown column "body"'],
    [{ columns: ["title"], weights: { title: "E" } }, 'unknown weight "E"'],
    [{ columns: ["title"], config: "english'; drop table x" }, "is no name of a text search configuration"],
    [{ columns: ["title"], config: "" }, "is no name of a text search configuration"],
    [{ columns: ["title"], config: null }, "is no name of a text search configuration"],
    [{ columns: ["title"], langauge: "english" }, 'unknown option "langauge"'],
    [{ columns: ["title"], typos: true }, "needs the extension pg_trgm, and it is not declared"],
  ])("is refused: %j", (search, message) => {
    expect(() => rendered(search)).toThrow(
      expect.objectContaining({ code: "SCHEMA_INVALID", message: expect.stringContaining(message) }),
    );
  });

  it("is refused where the table has what it adds", () => {
    const app = appSchema("shelf");
    const own = { ...columns(), searchVector: text() };
    const items = entity(app, "items", own, { search: { columns: ["title"] } });
    expect(() => describeSchema({ app, items })).toThrow(/has a column "search_vector"/);
  });

  it("knows its columns by type", () => {
    const app = appSchema("shelf");
    // @ts-expect-error there is no such column
    entity(app, "a", columns(), { search: { columns: ["titel"] } });
    // @ts-expect-error a number is no text
    entity(app, "b", columns(), { search: { columns: ["hours"] } });
    // @ts-expect-error a secret is not searched
    entity(app, "c", columns(), { search: { columns: ["token"] } });
    // @ts-expect-error it has no weight where it is not searched
    entity(app, "d", columns(), { search: { columns: ["title"], weights: { body: "A" } } });
    // @ts-expect-error there is no such weight
    entity(app, "e", columns(), { search: { columns: ["title"], weights: { title: "E" } } });
    expect(entity(app, "f", columns(), { search: { columns: ["title", "body"] } })).toBeDefined();
  });
});
