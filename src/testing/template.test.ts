import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Connection, type ConnectionTarget, connect, parseTarget } from "../driver/index.ts";
import { openKeeper } from "../shadow/index.ts";
import { type Bench, openBench } from "./bench.fixture.ts";
import type { Recipe } from "./recipe.ts";
import { cloneOf, ensureTemplate } from "./template.ts";

let bench: Bench;
let target: ConnectionTarget;
let keeper: Connection;
beforeAll(async () => {
  bench = await openBench();
  target = parseTarget(bench.url);
  keeper = await openKeeper(target);
});
afterAll(async () => {
  await keeper.close();
  await bench.close();
});

const recipe = (id: string, more: Partial<Recipe> = {}): Recipe => ({
  ingredients: async () => [id],
  apply: async () => {},
  ...more,
});

describe("ensureTemplate", () => {
  it("keeps the newest templates and drops the others", async () => {
    const oldest = await ensureTemplate(keeper, target, recipe("oldest"));
    for (let i = 0; i < 20; i++) await ensureTemplate(keeper, target, recipe(`branch ${i}`));
    const kept = await bench.databases(/^plinth_template_/);
    expect(kept).toHaveLength(20);
    expect(kept).not.toContain(oldest);
    // What was dropped is built again when it is asked for.
    expect(await ensureTemplate(keeper, target, recipe("oldest"))).toBe(oldest);
  });

  it("lets nobody connect to a template, which would keep it from being cloned", async () => {
    const name = await ensureTemplate(keeper, target, recipe("closed"));
    const url = new URL(bench.url);
    url.pathname = name;
    await expect(connect(parseTarget(url.href))).rejects.toMatchObject({ code: "OBJECT_STATE" });
  });

  it("builds again when the files change while they are applied", async () => {
    let version = 1;
    const name = await ensureTemplate(
      keeper,
      target,
      recipe("edited", {
        ingredients: async () => [`edited ${version}`],
        apply: async () => {
          version = 2;
        },
      }),
    );
    expect(name).toBe(await ensureTemplate(keeper, target, recipe("edited 2")));
    expect(await bench.databases(/^plinth_building_/)).toEqual([]);
  });

  it("gives up on files that never stop changing", async () => {
    let version = 0;
    const restless = recipe("restless", { ingredients: async () => [`restless ${version++}`] });
    await expect(ensureTemplate(keeper, target, restless)).rejects.toMatchObject({ code: "CONFIG_INVALID" });
  });
});

describe("cloneOf", () => {
  it("builds the template again when somebody dropped it in between", async () => {
    const name = await ensureTemplate(keeper, target, recipe("dropped"));
    let drops = 0;
    const late = beforeScript(keeper, async (text) => {
      if (text.includes(`template "${name}"`) && drops++ === 0)
        await bench.admin.script(`drop database ${name}`);
    });
    const clone = await cloneOf(late, target, recipe("dropped"));
    expect(drops).toBe(2);
    expect(await bench.databases(/^plinth_test_/)).toContain(clone.name);
  });
});

/** The same connection, with something that happens on the server just before each script. */
function beforeScript(connection: Connection, event: (text: string) => Promise<void>): Connection {
  return new Proxy(connection, {
    get(real, key) {
      const value: unknown = Reflect.get(real, key, real);
      if (key !== "script") return typeof value === "function" ? value.bind(real) : value;
      return async (text: string) => {
        await event(text);
        return real.script(text);
      };
    },
  });
}
