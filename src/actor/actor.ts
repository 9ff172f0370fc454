import { AsyncLocalStorage } from "node:async_hooks";
import { InputError, type InputIssue, unknownName } from "../errors/index.ts";
import type { Actor } from "../sql/index.ts";

/** The actor of everything that runs inside a callback, carried by the async context. */
export interface ActorScope {
  /** The actor in force here, if any. */
  current(): Actor | undefined;
  /** Runs `work` on behalf of `actor`. An inner call adds to the outer one's facts and overrides equal ones. */
  run<T>(actor: Actor, work: () => T | PromiseLike<T>): Promise<T>;
}

/** One scope per database, so that two databases in one process do not share their actors. */
export function createActorScope(): ActorScope {
  const storage = new AsyncLocalStorage<Actor>();
  return {
    current: () => storage.getStore(),
    // A repository call is lazy: awaited out here, it would run on nobody's behalf.
    run: async (actor, work) =>
      storage.run(Object.freeze({ ...storage.getStore(), ...factsOf(actor) }), async () => await work()),
  };
}

const FACTS = ["userId", "tenantId", "reason", "requestId"];

/**
 * What was said of the actor. A misspelt fact would sign nobody's name in silence, and what is no sound text would
 * be stored as another name; undefined says nothing, and takes nothing away from an outer call.
 *
 * @throws {INVALID_VALUE} naming the fact, never its value.
 */
function factsOf(actor: Actor): Actor {
  if (typeof actor !== "object" || actor === null)
    throw refusal([{ path: "actor", message: "must be an object" }]);
  const given = Object.entries(actor).filter(([, value]) => value !== undefined);
  const issues = given.flatMap(([name, value]): InputIssue[] => {
    const complaint = FACTS.includes(name) ? complaintAbout(value) : unknownName("fact", name, FACTS);
    return complaint === undefined ? [] : [{ path: `actor.${name}`, message: complaint }];
  });
  if (issues.length > 0) throw refusal(issues);
  return Object.fromEntries(given);
}

function complaintAbout(value: unknown): string | undefined {
  if (typeof value !== "string") return "must be a string";
  if (value.includes("\0") || !value.isWellFormed()) return "must not contain NUL or a lone surrogate";
  return undefined;
}

function refusal(issues: readonly InputIssue[]): InputError {
  return new InputError("INVALID_VALUE", issues);
}
