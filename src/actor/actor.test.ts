import { setTimeout as pause } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { createActorScope } from "./index.ts";

describe("run", () => {
  it("puts its actor in force inside, and nobody outside", async () => {
    const scope = createActorScope();
    expect(scope.current()).toBeUndefined();
    const seen = await scope.run({ userId: "u1" }, () => scope.current());
    expect(seen).toEqual({ userId: "u1" });
    expect(scope.current()).toBeUndefined();
  });

  it("adds an inner actor's facts to the outer one's, overriding equal ones, for the inner call only", async () => {
    const scope = createActorScope();
    const seen = await scope.run({ userId: "u1", tenantId: "t1" }, async () => {
      const inner = await scope.run({ userId: "u2", reason: "audit" }, () => scope.current());
      return [inner, scope.current()];
    });
    expect(seen).toEqual([
      { userId: "u2", tenantId: "t1", reason: "audit" },
      { userId: "u1", tenantId: "t1" },
    ]);
  });

  it("holds through awaits, timers and events of its own, and does not mix parallel calls", async () => {
    const scope = createActorScope();
    const seen = await Promise.all(
      Array.from({ length: 50 }, (_, i) =>
        scope.run({ userId: `u${i}` }, async () => {
          await pause(i % 7);
          const late = await new Promise((resolve) =>
            setTimeout(() => resolve(scope.current()?.userId), i % 5),
          );
          return [scope.current()?.userId, late];
        }),
      ),
    );
    seen.forEach((pair, i) => {
      expect(pair).toEqual([`u${i}`, `u${i}`]);
    });
  });

  it.each<[unknown, string]>([
    [{ userID: "u1" }, 'actor.userID: unknown fact "userID"; did you mean "userId"?'],
    [{ userId: 7 }, "actor.userId: must be a string"],
    [{ userId: { toString: () => "u1" } }, "actor.userId: must be a string"],
    [{ userId: "u\0" }, "actor.userId: must not contain NUL or a lone surrogate"],
    [{ reason: "\ud83d" }, "actor.reason: must not contain NUL or a lone surrogate"],
    [null, "actor: must be an object"],
  ])("refuses the actor %o, and does not run the work", async (actor, message) => {
    const scope = createActorScope();
    const work = () => expect.unreachable("it ran");
    await expect(scope.run(actor as never, work)).rejects.toMatchObject({ code: "INVALID_VALUE", message });
  });

  it("takes nothing away for a fact that is undefined", async () => {
    const scope = createActorScope();
    const seen = await scope.run({ userId: "u1" }, () =>
      scope.run({ userId: undefined } as never, () => scope.current()),
    );
    expect(seen).toEqual({ userId: "u1" });
  });

  it("awaits a lazy value inside, so that it runs on the actor's behalf", async () => {
    const scope = createActorScope();
    const lazy: PromiseLike<string | undefined> = {
      // As a Query does.
      then: (resolve, reject) => Promise.resolve(scope.current()?.userId).then(resolve, reject),
    };
    expect(await scope.run({ userId: "u1" }, () => lazy)).toBe("u1");
  });

  it("gives the actor frozen, and takes no part in the caller's object", async () => {
    const scope = createActorScope();
    const actor = { userId: "u1" };
    const seen = await scope.run(actor, () => {
      actor.userId = "changed";
      return scope.current();
    });
    expect(seen).toEqual({ userId: "u1" });
    expect(Object.isFrozen(seen)).toBe(true);
  });

  it("rejects with what its work throws, also when that throws at once", async () => {
    const scope = createActorScope();
    const failure = new Error("no");
    const throwing = () => {
      throw failure;
    };
    await expect(scope.run({}, throwing)).rejects.toBe(failure);
  });

  it("keeps the scopes of two databases apart", async () => {
    const [one, other] = [createActorScope(), createActorScope()];
    expect(await one.run({ userId: "u1" }, () => other.current())).toBeUndefined();
  });
});
