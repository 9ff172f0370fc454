import { inspect } from "node:util";
import { eq, sql } from "drizzle-orm";
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { createDatabase } from "../../src/database.ts";
import { startProxy } from "../support/proxy.ts";
import { aProject, type Client, person, type Workshop, workshops } from "../support/workshop.ts";
import * as schema from "../support/workshop-schema.ts";

const open = workshops();

/** Nothing anybody could log may hold one of these. */
const MARKERS = { value: "m4rker-value", password: "m4rker-password", detail: "m4rker-detail" };

const warnings: Error[] = [];
const onWarning = (warning: Error) => warnings.push(warning);
beforeEach(() => {
  warnings.length = 0;
  process.on("warning", onWarning);
});
afterEach(() => process.off("warning", onWarning));

/** Everything a logger could print of an error, its causes and its enumerable properties included. */
function printed(error: unknown): string {
  const seen: string[] = [];
  for (let current: unknown = error; current instanceof Error; current = current.cause) {
    seen.push(current.message, current.stack ?? "", String(current), JSON.stringify(current));
    seen.push(
      JSON.stringify({ ...current }, (_, value: unknown) =>
        typeof value === "bigint" ? String(value) : value,
      ),
    );
  }
  const deep = inspect(error, { depth: 20, showHidden: false, getters: true, maxStringLength: null });
  return [...seen, deep].join("\n");
}

type Failure = (workshop: Workshop, ids: Ids, psql: Client) => PromiseLike<unknown>;
interface Ids {
  readonly person: string;
  readonly project: string;
}

const marked = (rest: { readonly email?: string } = {}) => ({ ...person(), name: MARKERS.value, ...rest });

const FAILURES: Readonly<Record<string, Failure>> = {
  "a taken key": ({ repo }) => repo.people.create(marked({ email: MARKERS.value })),
  "a taken key in createMany": ({ repo }) =>
    repo.people.createMany([marked(), marked({ email: MARKERS.value })]),
  "a taken key in a batch": ({ db, repo }) =>
    db.batch([repo.people.create(marked({ email: MARKERS.value }))]),
  "an unknown parent": ({ repo }) => repo.projects.create({ ownerId: MARKERS.value, name: "x" }),
  "a living child": ({ repo }, { person: id }) => repo.people.delete(id),
  "a check": ({ repo }) => repo.people.create({ ...person({ email: MARKERS.value }), name: " " }),
  "an unfit value": ({ repo }) => repo.people.create({ ...marked(), score: MARKERS.value } as never),
  "an unknown column": ({ repo }) => repo.people.create({ ...marked(), colour: MARKERS.value } as never),
  "a NUL": ({ repo }) => repo.people.create({ ...person(), name: `${MARKERS.value}\0` }),
  "an unfit enum": ({ repo }, { project }) =>
    repo.tasks.create({ projectId: project, title: "x", stage: MARKERS.value } as never),
  "a missing row": ({ repo }) => repo.people.get(MARKERS.value),
  "a forged cursor": ({ repo }) => repo.people.list({ after: MARKERS.value }),
  "an unfit filter": ({ repo }) => repo.people.list({ where: { score: MARKERS.value as never } }),
  "an unfit literal": ({ db }) => db.sql`select ${MARKERS.value}::int`,
  "a division": ({ db }) => db.sql`select length(${MARKERS.value}) / 0`,
  "a raised exception": ({ db }) => db.sql`select workshop.complain(${MARKERS.value})`,
  "a wrong statement": ({ db }) => db.sql`select ${MARKERS.value} from workshop.nothing`,
  "a json that is none": ({ db }) => db.sql`select ${`{${MARKERS.value}`}::jsonb`,
  "a swallowed error": ({ db, repo }) =>
    db.transaction(async () => {
      await repo.people.create(marked({ email: MARKERS.value })).catch(() => {});
    }),
  "drizzle's insert": ({ db }) =>
    db.drizzle.insert(schema.people).values({ id: "x", ...marked({ email: MARKERS.value }) }),
  "drizzle's select": ({ db }) =>
    db.drizzle.select().from(schema.people).where(eq(sql`1 / 0`, MARKERS.value)),
  "drizzle's transaction": ({ db }) =>
    db.drizzle.transaction(async (tx) => tx.execute(sql`select ${MARKERS.value}::date`)),
  "a canceled statement": ({ db }) =>
    db.sql`select pg_sleep(60), ${MARKERS.value}`.withSignal(AbortSignal.timeout(30)),
  "a lost session": ({ db }, _, psql) => {
    const running = db.sql`select pg_sleep(60), ${MARKERS.value}`;
    const kill = () =>
      psql.run(
        "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and query like '%pg_sleep(60)%' and pid <> pg_backend_pid()",
      );
    const timer = setInterval(() => void kill(), 50);
    return Promise.resolve(running).finally(() => clearInterval(timer));
  },
};

describe("what an error prints", () => {
  it.each(Object.entries(FAILURES))("holds no value after %s", async (_name, failure) => {
    const workshop = await open();
    const psql = await workshop.client();
    await psql.run(`create function complain(what text) returns int language plpgsql as $$
      begin raise exception 'no: %', what using detail = '${MARKERS.detail}', hint = what; end $$`);
    const { owner, project } = await aProject(workshop);
    await workshop.repo.people.create(person({ email: MARKERS.value }));
    const ids = { person: owner.id, project: project.id };
    const error: unknown = await Promise.resolve(failure(workshop, ids, psql)).then(
      () => undefined,
      (caught: unknown) => caught,
    );
    expect(error).toMatchObject({ code: expect.stringMatching(/^[A-Z_]+$/) });
    const text = [
      printed(error),
      ...workshop.warnings.map((warning) => inspect(warning, { depth: 10 })),
    ].join("\n");
    for (const marker of Object.values(MARKERS)) expect(text).not.toContain(marker);
    expect(warnings.map(printed).join("\n")).not.toContain("m4rker");
    await workshop.quiet();
  });

  it("leaves what the server said to code that asks for it by name", async () => {
    const { repo } = await open();
    await repo.people.create(person({ email: MARKERS.value }));
    const error: unknown = await repo.people
      .create(person({ email: MARKERS.value }))
      .catch((caught: unknown) => caught);
    expect(error instanceof Error && "detail" in error ? error.detail : "").toContain(MARKERS.value);
  });

  it("holds no password, whatever goes wrong with the connection", async () => {
    const { url } = await open();
    const proxy = await startProxy(url);
    onTestFinished(() => proxy.close());
    const secretUrl = (change: Partial<URL>) => {
      const target = new URL(url);
      target.password = MARKERS.password;
      return Object.assign(target, change).href;
    };
    const texts: string[] = [];
    const attempt = async (options: object) => {
      const error: unknown = await createDatabase({
        schema,
        session: { connectTimeoutMs: 500 },
        ...options,
      }).then(
        (db) => db.close().then(() => undefined),
        (caught: unknown) => caught,
      );
      texts.push(printed(error));
      return error;
    };
    const urls = [
      secretUrl({ port: "1" }),
      secretUrl({ hostname: "nowhere.invalid" }),
      secretUrl({ pathname: "/nowhere" }),
      secretUrl({ username: "nobody_at_all" }),
      secretUrl({ search: "?sslmode=require" }),
      secretUrl({ search: "?sslmode=maybe" }),
      secretUrl({ search: `?password=${MARKERS.password}&colour=red` }),
      `postgres://user:${MARKERS.password}@/`,
      `postgres://user:${MARKERS.password}@:`,
      `postgres://user:${MARKERS.password}%zz@host/db`,
      `http://user:${MARKERS.password}@host/db`,
      `user:${MARKERS.password}`,
    ];
    for (const bad of urls) expect(await attempt({ url: bad })).toBeInstanceOf(Error);
    proxy.faults.blackhole = true;
    expect(await attempt({ url: proxy.urlFor(secretUrl({})) })).toMatchObject({
      code: "CONNECTION_FAILED",
    });
    proxy.faults.blackhole = false;
    const db = await createDatabase({ schema, url: proxy.urlFor(secretUrl({})) });
    onTestFinished(() => db.close());
    const cut = db.sql`select pg_sleep(60)`.catch((error: unknown) => error);
    setTimeout(() => proxy.resetAll(), 50);
    texts.push(
      printed(await cut),
      inspect(db, { depth: 20, showHidden: true }),
      db.target,
      JSON.stringify(await db.health()),
    );
    expect(texts.join("\n")).not.toContain(MARKERS.password);
    expect(warnings.map(printed).join("\n")).not.toContain(MARKERS.password);
  });
});
