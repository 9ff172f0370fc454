import { sql } from "drizzle-orm";
import { customType, index, text, uuid, vector } from "drizzle-orm/pg-core";
import { afterEach, describe, expect, it, vi } from "vitest";
import { declaredGrounds } from "../../../test/support/declared.ts";
import { BEHAVIOURS } from "../../behaviours.ts";
import { appSchema, describeSchema, entity, ulidKey } from "../../schema/index.ts";
import { renderSchema } from "../render.ts";

const grounds = declaredGrounds();
const render = (schema: Record<string, unknown>) => renderSchema(describeSchema(schema), BEHAVIOURS);
const citext = customType<{ data: string }>({ dataType: () => "citext" });

/** An application that uses four extensions. */
function shop() {
  const app = appSchema("shop");
  app.extension("pg_trgm");
  app.extension("uuid-ossp");
  app.extension("citext", { schema: "shop_extensions" });
  app.extension("pgcrypto", { schema: "shop_extensions" });
  const items = entity(
    app,
    "items",
    {
      id: uuid().primaryKey().default(sql`public.uuid_generate_v4()`),
      name: citext().notNull(),
      title: text(),
    },
    { constraints: (t) => [index().using("gist", t.title.op("gist_trgm_ops"))] },
  );
  return { app, items };
}

describe("app.extension", () => {
  afterEach(() => vi.unstubAllEnvs());

  it("goes to public, or to a schema that is made for it, and away again", async () => {
    const ground = await grounds.build(shop());
    const where = await ground.rows(
      "select extname, extnamespace::regnamespace::text from pg_extension where extname <> 'plpgsql' order by 1",
    );
    expect(where).toEqual([
      ["citext", "shop_extensions"],
      ["pg_trgm", "public"],
      ["pgcrypto", "shop_extensions"],
      ["uuid-ossp", "public"],
    ]);
    expect(await ground.takeAway()).toEqual([]);
    expect(await ground.rows("select from pg_namespace where nspname = 'shop_extensions'")).toEqual([]);
  });

  it("serves two copies of an application in one database", async () => {
    const ground = await grounds.build(shop());
    vi.stubEnv("DATABASE_SCHEMA", "shop_preview");
    const { up, down } = render(shop());
    const { connection } = ground;
    await connection.script(`create schema shop_preview; set search_path to shop_preview; ${up.join(";\n")}`);
    await connection.script("insert into items (name, title) values ('a', 'b')");
    // Somebody else still needs it, so the way back of one copy stops there.
    await expect(connection.script(down.join(";\n"))).rejects.toMatchObject({ sqlstate: "2BP01" });
  });

  it("may live in the application's own schema", async () => {
    const app = appSchema("own_schema");
    const trigrams = app.extension("pg_trgm", { schema: app, version: "1.6" });
    const t = entity(
      app,
      "t",
      { id: ulidKey(), title: text() },
      {
        constraints: (c) => [index().using("gin", c.title.op("gin_trgm_ops"))],
      },
    );
    const ground = await grounds.build({ trigrams, t });
    expect(ground.sql.up[0]).toBe(`create extension if not exists "pg_trgm" version '1.6'`);
    expect(await ground.takeAway()).toEqual([]);
  });

  it("qualifies the types and operator classes that Drizzle has builders for", () => {
    const app = appSchema("vectors");
    const extension = app.extension("vector");
    const columns = () => ({
      id: ulidKey(),
      at: vector({ dimensions: 3 }),
      many: vector({ dimensions: 3 }).array(),
    });
    const t = entity(app, "t", columns(), {
      constraints: (c) => [index("t_at").using("hnsw", c.at.op("vector_cosine_ops"))],
    });
    const { up } = render({ extension, t });
    expect(up[1]).toContain('"at" "public".vector(3)');
    expect(up[1]).toContain('"many" "public".vector(3)[]');
    expect(up[2]).toBe('create index "t_at" on "t" using hnsw ("at" "public".vector_cosine_ops)');
    const undeclared = entity(app, "t", columns());
    expect(render({ undeclared }).up[0]).toContain('"at" vector(3)');
  });
});
