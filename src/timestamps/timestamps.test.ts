import { afterEach, describe, expect, it, vi } from "vitest";
import { person, workshops } from "../../test/support/workshop.ts";

const open = workshops();

afterEach(() => vi.useRealTimers());

describe("timestamps", () => {
  it("touches updatedAt on every change, and createdAt on none", async () => {
    const { repo } = await open();
    const ann = await repo.people.create(person());
    expect(ann.updatedAt).toEqual(ann.createdAt);
    const changed = await repo.people.update(ann.id, { name: "B" });
    expect(changed.updatedAt.getTime()).toBeGreaterThan(ann.updatedAt.getTime());
    expect(changed.createdAt).toEqual(ann.createdAt);
  });

  it("touches updatedAt for any client, also for one that writes the column itself", async () => {
    const { repo, client } = await open();
    const ann = await repo.people.create(person());
    const psql = await client();
    await psql.run(`update people set name = 'psql' where id = '${ann.id}'`);
    const first = await repo.people.get(ann.id);
    expect(first.updatedAt.getTime()).toBeGreaterThan(ann.updatedAt.getTime());
    await psql.run(`update people set updated_at = '2001-01-01' where id = '${ann.id}'`);
    const second = await repo.people.get(ann.id);
    expect(second.updatedAt.getTime()).toBeGreaterThan(first.updatedAt.getTime());
  });

  it("goes by the database's clock, not the application's", async () => {
    const { repo } = await open();
    vi.useFakeTimers({ toFake: ["Date"], now: new Date("2001-02-03T04:05:06Z") });
    const ann = await repo.people.create(person());
    const changed = await repo.people.update(ann.id, { name: "B" });
    const dead = await repo.people.delete(ann.id);
    const years = [ann.createdAt, ann.updatedAt, changed.updatedAt, dead.deletedAt].map((at) =>
      at?.getFullYear(),
    );
    expect(new Date().getFullYear()).toBe(2001);
    for (const year of years) expect(year).toBeGreaterThan(2020);
  });
});
