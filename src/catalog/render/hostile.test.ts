import { sql } from "drizzle-orm";
import { check, index, integer, pgPolicy, text, uniqueIndex } from "drizzle-orm/pg-core";
import { describe, expect, it } from "vitest";
import { declaredGrounds } from "../../../test/support/declared.ts";
import { appSchema, comment, entity, inOut, setOf } from "../../schema/index.ts";
import { dollarQuote } from "../../sql/index.ts";

const grounds = declaredGrounds();
/** Each name would end a quoted identifier, a literal or a statement if it were not quoted. */
const odd = (name: string): string => `${name} "x"; drop schema odd cascade; -- ' $$ \\`;

describe("hostile names and texts", () => {
  it("are quoted wherever they stand", async () => {
    const app = appSchema("odd");
    const type = app.enum(odd("enum"), [odd("one"), "'; drop table t; --"]);
    const domain = app.domain(odd("domain"), text().default(odd("default")), {
      checks: [check(odd("check"), sql`value <> ${odd("value")}`)],
    });
    const pair = app.compositeType(odd("pair"), { a: text(odd("part")), b: integer() });
    const counter = app.sequence(odd("sequence"));
    const t = entity(
      app,
      odd("table"),
      {
        id: text(odd("id")).primaryKey(),
        kind: type(odd("kind")).notNull().default(odd("one")),
        word: comment(domain(odd("word")), odd("comment")),
        pair: pair(odd("both")),
        n: integer(odd("n")).generatedAlwaysAsIdentity({ name: odd("own sequence") }),
      },
      {
        comment: odd("comment"),
        constraints: (c) => [
          comment(
            index(odd("index"))
              .on(c.word)
              .where(sql`${c.word} <> ${odd("where")}`),
            odd("comment"),
          ),
          check(odd("table check"), sql`${c.id} <> ${odd("check")}`),
          pgPolicy(odd("policy"), { to: odd("role").slice(0, 40), using: sql`${c.id} <> ${odd("using")}` }),
        ],
      },
    );
    const f = app.function(odd("function"), {
      arguments: {
        value: text(odd("argument")).default(odd("default")),
        pair: pair(odd("pair")).default({ a: "'", b: 1 }),
      },
      returns: setOf(t),
      language: "sql",
      body: sql`select * from ${t} where ${t.id} = ${odd("body")}`,
      comment: odd("comment"),
    });
    const p = app.procedure(odd("procedure"), {
      arguments: { both: inOut(text(odd("argument"))) },
      body: `begin perform '$$ $body$'; end`,
    });
    const onT = app.function(odd("on t"), { returns: "trigger", body: "begin return new; end" });
    const trigger = app.trigger(odd("trigger"), {
      on: t,
      timing: "after",
      events: ["update"],
      columns: ["word"],
      condition: (row) => sql`${row.new.word} <> ${odd("condition")}`,
      arguments: [odd("argument")],
      execute: onT,
      comment: odd("comment"),
    });
    const v = app.materializedView(odd("view")).as((qb) => qb.select({ id: t.id }).from(t), {
      indexes: (c) => [uniqueIndex(odd("view index")).on(c.id)],
      comment: odd("comment"),
    });
    const grant = app.grant({ on: f, to: odd("role").slice(0, 40), privileges: ["execute"] });
    const ground = await grounds.open({ t, f, p, counter, trigger, v, grant });
    expect(await ground.db.call(f, {})).toEqual([]);
    expect(await ground.db.call(p, { both: odd("given") })).toEqual({ both: odd("given") });
    const repo = ground.db.repository(t);
    const row = await repo.create({ id: "1", pair: { a: odd("a"), b: 1 } });
    expect(row).toMatchObject({ kind: odd("one"), word: odd("default"), pair: { a: odd("a"), b: 1 } });
    expect(await ground.takeAway()).toEqual([]);
  });

  it("leave a function's body as it was written, whatever it holds", async () => {
    const bodies = ["$$", "$", "$body$ $$ $body2$", "a $body", "x$", "'$$'", "\\", "--"];
    const app = appSchema("bodies");
    const functions = bodies.map((body, i) =>
      app.function(`f${i}`, {
        returns: text(),
        body: `begin -- ${body}\n return 'fine'; /* ${body} */ end -- ${body}`,
      }),
    );
    const ground = await grounds.open(Object.fromEntries(functions.map((one, i) => [`f${i}`, one])));
    for (const one of functions) {
      expect(await ground.db.call(one)).toBe("fine");
    }
  });

  it.each(["", "$", "$$", "a$", "$body", "$body$", "$$ $body$ $body2$", "$body$$$", "$$body$"])(
    "find a dollar quote for %j",
    (text) => {
      const quoted = dollarQuote(text);
      const tag = /^\$\w*\$/.exec(quoted)?.[0] ?? "";
      expect(quoted.indexOf(tag, tag.length)).toBe(quoted.length - tag.length);
      expect(quoted.slice(tag.length, -tag.length)).toBe(text);
    },
  );
});
