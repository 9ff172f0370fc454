// On whose behalf a unit of work runs
export { type ActorScope, createActorScope } from "./actor.ts";
