import { afterAll, aroundEach, beforeAll, describe, expect, expectTypeOf, it } from "vitest";
import type { Repository } from "../repository/index.ts";
import type { Row } from "../schema/index.ts";
import { type Factory, factory, type TestDatabase, testDatabase, withRollback } from "./index.ts";
import * as schema from "./shop.fixture.ts";

type Shop = typeof schema;

let database: TestDatabase<Shop>;
let users: Repository<Shop, Shop["users"]>;
let projects: Repository<Shop, Shop["projects"]>;
beforeAll(async () => {
  database = await testDatabase({ schema });
  users = database.db.repository(schema.users);
  projects = database.db.repository(schema.projects);
});
afterAll(() => database.close());
aroundEach((runTest) => withRollback(database.db, runTest));

const userFactory = () => factory(users, (n) => ({ email: `user${n}@example.com`, fullName: `User ${n}` }));

const projectFactory = (makeUser = userFactory()) =>
  factory(projects, (n) => ({
    name: `Project ${n}`,
    description: () => `The ${n}th`,
    ownerId: async () => (await makeUser()).id,
  }));

describe("factory", () => {
  it("makes rows that differ where they must", async () => {
    const makeUser = userFactory();
    const rows = [await makeUser(), await makeUser()];
    expect(rows.map((row) => row.email)).toEqual(["user1@example.com", "user2@example.com"]);
    expect(await users.count()).toBe(2);
  });

  it("lets a test say what matters to it", async () => {
    expect(await userFactory()({ fullName: "Ann" })).toMatchObject({
      email: "user1@example.com",
      fullName: "Ann",
    });
  });

  it("makes a parent only when none is given", async () => {
    const makeProject = projectFactory();
    const own = await makeProject();
    expect(own).toMatchObject({ name: "Project 1", description: "The 1th" });
    expect((await users.get(own.ownerId)).email).toBe("user1@example.com");
    await makeProject({ ownerId: own.ownerId, description: null });
    expect(await users.count()).toBe(1);
  });

  it("makes many in one statement, alike or each its own", async () => {
    const makeUser = userFactory();
    expect(await makeUser.many(3, { fullName: "Ann" })).toMatchObject([
      { email: "user1@example.com", fullName: "Ann" },
      { email: "user2@example.com", fullName: "Ann" },
      { email: "user3@example.com", fullName: "Ann" },
    ]);
    const numbered = await makeUser.many(2, (position) => ({ fullName: `Bob ${position}` }));
    expect(numbered.map((row) => row.fullName)).toEqual(["Bob 0", "Bob 1"]);
    expect(await makeUser.many(0)).toEqual([]);
  });

  it("builds what create would be given, and makes its parents only", async () => {
    const input = await projectFactory().build({ name: "Sent over HTTP" });
    expect(input).toEqual({ name: "Sent over HTTP", description: "The 1th", ownerId: expect.any(String) });
    expect([await projects.count(), await users.count()]).toEqual([0, 1]);
  });

  it("is typed by the repository", async () => {
    expectTypeOf(userFactory).returns.toExtend<
      Factory<{ email: string; fullName: string }, Row<Shop["users"]>>
    >();
    const makeUser = userFactory();
    // @ts-expect-error a column that does not exist
    await expect(makeUser({ fulName: "Ann" })).rejects.toMatchObject({ code: "INVALID_VALUE" });
    // @ts-expect-error a required column without a default
    await expect(factory(users, () => ({ fullName: "Ann" }))()).rejects.toMatchObject({
      code: "INVALID_VALUE",
    });
    // @ts-expect-error a value of another type
    await expect(makeUser({ fullName: 1 })).rejects.toMatchObject({ code: "INVALID_VALUE" });
  });
});
