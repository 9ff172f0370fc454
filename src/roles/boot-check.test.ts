import { sql } from "drizzle-orm";
import { pgPolicy, text } from "drizzle-orm/pg-core";
import { createDatabase } from "plinth";
import { appSchema, entity, ulidKey } from "plinth/schema";
import { describe, expect, it, onTestFinished } from "vitest";
import { describeSchema } from "../schema/index.ts";
import { quoteIdentifier } from "../sql/index.ts";
import { type Ground, openGround } from "./ground.fixture.ts";
import { securedTables } from "./index.ts";

function schemaOf(schemaName: string) {
  const app = appSchema(schemaName);
  const notes = entity(
    app,
    "notes",
    { id: ulidKey(), owner: text().notNull() },
    {
      constraints: (t) => [pgPolicy("own", { using: sql`${t.owner} = current_setting('app.tenant', true)` })],
    },
  );
  return { notes, plain: entity(app, "plain", { id: ulidKey() }) };
}

async function aGround() {
  const ground = await openGround();
  onTestFinished(() => ground.close());
  await ground.sync();
  const home = quoteIdentifier(ground.schemaName);
  await ground.admin.script(`create table ${home}.notes (id text primary key, owner text not null);
    create table ${home}.plain (id text primary key);
    alter table ${home}.notes enable row level security;
    create policy own on ${home}.notes using (owner = current_setting('app.tenant', true))`);
  await ground.sync();
  return ground;
}

type Boot = "verify" | "lazy";

/** What becomes of a boot, and of a first call, as a role. */
async function opened(ground: Ground, name: string, boot: Boot, only?: "plain"): Promise<string> {
  const url = `postgres://${encodeURIComponent(name)}@${ground.target.host}:${ground.target.port}/${ground.database}`;
  const { notes, plain } = schemaOf(ground.schemaName);
  const schema = only === "plain" ? { plain } : { notes, plain };
  try {
    const db = await createDatabase({ schema, url, boot, pool: { max: 1 } });
    try {
      await db.repository(plain).count();
      return "open";
    } finally {
      await db.close();
    }
  } catch (error) {
    if (error instanceof Error && "code" in error) return `${error.code}: ${error.message}`;
    throw error;
  }
}

const ADVICE =
  "\n  Connect as the role that plinth roles sync makes for the application (…_app): put it into DATABASE_URL, and the owner's or migrator's into DATABASE_DIRECT_URL.";

describe.each(["verify", "lazy"] as const)("a database with policies, opened with boot: %s", (boot) => {
  it("opens for the app and the reader", async () => {
    const ground = await aGround();
    expect(await opened(ground, ground.names.app, boot)).toBe("open");
    expect(await opened(ground, ground.names.readOnly, boot)).toBe("open");
  });

  it("is refused to whom no policy holds for, in words that say why and what to do", async () => {
    const ground = await aGround();
    const { names, schemaName } = ground;
    const superuser = await ground.role("login superuser");
    const bypassing = await ground.role("login bypassrls");
    const becoming = await ground.role(`login noinherit in role ${bypassing}`);
    await ground.admin.script(`grant connect on database ${ground.database} to ${bypassing}, ${becoming}`);
    const told: readonly (readonly [string, string])[] = [
      [superuser, "is a superuser"],
      [bypassing, "has bypassrls"],
      [becoming, `may become ${bypassing}, for whom no policy holds`],
      [
        names.migrator,
        `has the rights of the owner of ${schemaName}.notes, whose policies are not forced on the owner`,
      ],
      [names.backup, "has bypassrls"],
    ];
    for (const [name, why] of told) {
      expect(await opened(ground, name, boot)).toBe(
        `ROLE_UNSAFE: the role ${name} ${why}, so row security would hide nothing from it${ADVICE}`,
      );
    }
  });

  it("opens for the owner where policies are forced", async () => {
    const ground = await aGround();
    await ground.admin.script(
      `alter table ${quoteIdentifier(ground.schemaName)}.notes force row level security`,
    );
    expect(await opened(ground, ground.names.migrator, boot)).toBe("open");
  });

  it("asks nothing of a schema without policies", async () => {
    const ground = await aGround();
    const superuser = await ground.role("login superuser");
    expect(await opened(ground, superuser, boot, "plain")).toBe("open");
  });
});

describe("securedTables", () => {
  it("are those with a policy, with row security, and of a tenant with their histories", () => {
    const { notes, plain } = schemaOf("s");
    const app = appSchema("s");
    const forgotten = entity(app, "forgotten", { id: ulidKey() }, { history: true });
    const described = describeSchema({ notes, plain, forgotten });
    expect(securedTables(described)).toEqual([{ schema: "s", name: "notes" }]);
    const entities = described.entities.map((one) =>
      one.name === "forgotten" ? Object.create(one, { tenant: { value: one.columns[0] } }) : one,
    );
    expect(securedTables({ ...described, entities })).toEqual([
      { schema: "s", name: "forgotten" },
      { schema: "s", name: "forgotten_history" },
      { schema: "s", name: "notes" },
    ]);
  });
});
