import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { chosenPostgres } from "../../test/support/chosen-postgres.ts";
import { startPostgres, type ThrowAwayPostgres } from "../../test/support/postgres.ts";
import { connect, retarget } from "../driver/index.ts";
import { type Ground, openGround } from "./ground.fixture.ts";

/** One that asks for passwords, of everybody but the tests' own superuser. */
let server: ThrowAwayPostgres;

beforeAll(async () => {
  server = await startPostgres({
    version: chosenPostgres(),
    hba: ["host all postgres 127.0.0.1/32 trust", "host all all 127.0.0.1/32 scram-sha-256"],
  });
});

afterAll(async () => {
  await server.remove();
});

async function aGround(): Promise<Ground> {
  const ground = await openGround({ url: server.url });
  onTestFinished(() => ground.close());
  return ground;
}

describe("passwords", () => {
  const given = (password: string) => ({ app: { password, source: "DATABASE_ROLES_APP_PASSWORD" } });

  it("are set from what is given, sent as what PostgreSQL keeps of them, and shown nowhere", async () => {
    const ground = await aGround();
    const password = `s3cret ' \\ "$`;
    const { statements } = await ground.sync({ passwords: given(password) });
    expect(statements.at(-1)).toBe(
      `-- alter role "${ground.names.app}" password …, which DATABASE_ROLES_APP_PASSWORD holds; not shown`,
    );
    expect(statements.join()).not.toMatch(/s3cret|SCRAM/);
    const app = await connect(retarget(ground.target, { user: ground.names.app, password }));
    await app.close();
    expect((await ground.sync({ passwords: given(password) })).statements).toEqual([]);
    expect((await ground.sync({ passwords: given("another") })).statements).toHaveLength(1);
    await expect(
      connect(retarget(ground.target, { user: ground.names.app, password })),
    ).rejects.toMatchObject({ code: "AUTHENTICATION_FAILED" });
  });

  it("are none without one: nobody gets in by password", async () => {
    const ground = await aGround();
    await ground.sync();
    for (const password of ["", "x", ground.names.app]) {
      await expect(
        connect(retarget(ground.target, { user: ground.names.app, password })),
      ).rejects.toMatchObject({ code: "AUTHENTICATION_FAILED" });
    }
  });

  it("are refused with other characters than all programs agree on, without being repeated", async () => {
    const ground = await aGround();
    const failure: unknown = await ground
      .sync({ passwords: given("пароль") })
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: "CONFIG_INVALID", path: "DATABASE_ROLES_APP_PASSWORD" });
    expect(String(failure)).not.toContain("пароль");
    expect((await ground.check()).map(({ rule }) => rule)).toContain("role-missing");
  });
});
