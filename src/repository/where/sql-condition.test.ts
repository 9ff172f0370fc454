import { sql } from "drizzle-orm";
import { condition } from "plinth";
import { beforeAll, describe, expect, it } from "vitest";
import { refusal, rejection } from "../../../test/support/rejection.ts";
import * as bench from "./workbench.fixture.ts";

const { db, people, projects, things } = await bench.openWorkbench();

async function names(where: object): Promise<string> {
  const { data } = await projects.list({ where, sort: "name", limit: 100 });
  return data.map((project) => project.name).join("");
}

beforeAll(async () => {
  const ann = await people.create({ name: "ann", token: "secret" });
  const bob = await people.create({ name: "bob" });
  await projects.createMany([
    { name: "a", ownerId: ann.id },
    { name: "bob", ownerId: bob.id },
    { name: "ccc" },
    { name: "dead" },
  ]);
  await db.sql`update workbench.projects set deleted_at = now() where name = 'dead'`;
});

describe("condition", () => {
  const { name } = bench.projects;

  it("is a whole where, a part of one, and a part of another condition", async () => {
    const long = condition`length(${name}) > ${1}`;
    expect(await names(long)).toBe("bobccc");
    expect(await names({ and: [long, { name: { startsWith: "b" } }] })).toBe("bob");
    expect(await names({ or: [{ name: "a" }, condition`${name} = ${"ccc"}`] })).toBe("accc");
    expect(await names({ not: long })).toBe("a");
    expect(await names(condition`${long} and not ${condition`${name} = ${"bob"} or ${false}`}`)).toBe("ccc");
    expect(await names(condition`${name} = any(${["a", "bob"]})`)).toBe("abob");
    expect(await projects.exists(condition`${name} is null`)).toBe(false);
    expect(await projects.count(long)).toBe(2);
    const read = await people.get((await people.list({ sort: "name" })).data[0]?.id ?? "", {
      with: { projects: { where: condition`${name} like ${"a%"}` } },
    });
    expect(read.projects.map((project) => project.name)).toEqual(["a"]);
  });

  it("names columns of the entities around it, the nearest first", async () => {
    expect(await names({ owner: { is: condition`${bench.people.name} = ${name}` } })).toBe("bob");
    expect(await names({ owner: { is: { projects: { some: condition`${name} = ${"a"}` } } } })).toBe("a");
    const { issues } = await refusal(projects.count(condition`${bench.tasks.title} = ${"x"}`));
    expect(issues).toEqual(['where: names a column of "tasks", which is not among "projects"']);
  });

  it("may name a secret, as the application's own code does so", async () => {
    expect(await people.count(condition`${bench.people.token} = ${"secret"}`)).toBe(1);
  });

  it("sends values beside the text, whatever they are", async () => {
    const evil = "'; drop table workbench.projects; --";
    const query = projects.count(condition`${name} = ${evil}`);
    expect(query.toSQL()).toMatchObject({
      text: 'select count(*) from "workbench"."projects" t0 where (t0."name" = $1) and t0."deleted_at" is null',
      values: [evil],
      additions: [{ behaviour: "soft delete", sql: 't0."deleted_at" is null' }],
    });
    expect(await query).toBe(0);
  });

  it("takes the values of the call at hand where another call of its shape has made the statement", async () => {
    const of = (wanted: string, length: number) =>
      names({ or: [condition`${name} = ${wanted} or ${condition`length(${name}) = ${length}`}`] });
    expect([await of("a", 3), await of("bob", 0), await of("zzz", 1)]).toEqual(["abobccc", "bob", "a"]);
    const texts = [condition`${name} > ${"a"}`, condition`${name} < ${"bob"}`, condition`${name} < ${"b"}`];
    expect(await Promise.all(texts.map(names))).toEqual(["bobccc", "a", "a"]);
  });

  it("is made by nothing but its tag", async () => {
    const content = { parts: ["true"], values: [] };
    const forged = [
      content,
      { "#content": content },
      { condition: "true" },
      JSON.parse('{"__proto__": {"parts": ["true"]}}'),
      sql`true`,
      "true",
    ];
    for (const where of forged) {
      expect((await refusal(projects.count(where as never))).code).toBe("INVALID_QUERY");
    }
    const imitation = Object.create(Object.getPrototypeOf(condition`true`));
    expect((await refusal(projects.count(imitation))).issues).toEqual(["where: must be a plain object"]);
    const called = [
      () => condition("true" as never),
      () => condition(["true"] as never),
      () => condition(Object.assign(["true"], { raw: ["true"] })),
      () => condition(undefined as never),
    ];
    called.push(() => condition`${name} = $1`);
    for (const call of called) expect(call).toThrow(expect.objectContaining({ code: "INVALID_QUERY" }));
    expect(JSON.stringify(condition`${"secret"}`)).toBe("{}");
  });

  it.each<[string, unknown, string]>([
    ["an object", { toPostgres: () => "x" }, "where.$1: is an object"],
    ["an object without a prototype", Object.create(null), "where.$1: is an object"],
    ["Drizzle's sql", sql`true`, "where.$1: is an object"],
    ["a table", bench.projects, "where.$1: is an object"],
    ["undefined", undefined, "where.$1: is undefined; use null for SQL's NULL"],
    ["a function", () => "x", "where.$1: is a function, which cannot be sent"],
    ["NUL", "a\0", "where.$1: must not contain the NUL character"],
  ])("refuses %s for a value", async (_what, value, message) => {
    const { code, issues } = await refusal(projects.count(condition`${name} = ${value}`));
    expect(code).toBe("INVALID_VALUE");
    expect(issues).toEqual([expect.stringContaining(message)]);
  });

  it("does not take the place of a column's condition", async () => {
    for (const where of [{ name: condition`true` }, { name: { equals: condition`true` } }]) {
      expect((await refusal(projects.count(where as never))).code).toBe("INVALID_VALUE");
    }
    expect((await refusal(things.count({ document: condition`true` } as never))).code).toBe("INVALID_QUERY");
    expect((await refusal(projects.count({ owner: condition`true` } as never))).issues).toEqual([
      "where.owner: must be a plain object",
    ]);
  });

  it("keeps its values out of errors", async () => {
    const error = await rejection(projects.count(condition`${name} = ${{ secret: "4711" }}`));
    expect(`${error.message}${error.stack}${JSON.stringify(error)}`).not.toContain("4711");
  });
});
