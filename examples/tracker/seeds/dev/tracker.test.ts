import { runSeeds } from "plinth";
import { testDatabase } from "plinth/testing";
import { describe, expect, it, onTestFinished } from "vitest";
import { MIGRATIONS, trackerOn } from "../../db.ts";
import { verifyPassword } from "../../password.ts";
import * as schema from "../../schema.ts";
import demo from "./tracker.ts";

const open = async () => {
  const { db, close } = await testDatabase({ schema, migrations: MIGRATIONS });
  onTestFinished(close);
  return trackerOn(db);
};

describe("the dev seed", () => {
  it("writes the same rows once, though run twice at once and once more", async () => {
    const { db, users, profiles, projects, members, tasks } = await open();
    const seed = () => runSeeds({ database: db, seeds: [demo], kind: "dev" });
    await Promise.all([seed(), seed()]);
    await seed();
    const counts = await Promise.all([users, profiles, projects, members, tasks].map((door) => door.count()));
    expect(counts).toEqual([1_000, 500, 200, 600, 50_000]);
    const user = await users.findBy({ email: "dev-0@tracker.example" }, { reveal: ["passwordHash"] });
    expect(user).toMatchObject({ id: "01KDVDNA001000000000000000", fullName: "Ana Ahmed" });
    expect(await verifyPassword("tracker-development", user?.passwordHash ?? "")).toBe(true);
  }, 60_000);

  it("does not bring back what a developer deleted", async () => {
    const { db, users, tasks } = await open();
    await runSeeds({ database: db, seeds: [demo], kind: "dev" });
    const [first] = (await tasks.list({ limit: 1 })).data;
    await tasks.delete(first?.id ?? "");
    await users.delete("01KDVDNA001000000000000001");
    await runSeeds({ database: db, seeds: [demo], kind: "dev" });
    expect(await tasks.count()).toBe(49_999);
    expect(await users.count()).toBe(999);
  }, 60_000);
});
