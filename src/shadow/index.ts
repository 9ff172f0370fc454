// A throw-away database to try things on
export { openShadow, type Shadow, type ShadowDatabase, type ShadowOptions } from "./shadow.ts";

// Databases that live as long as their owner's session
export { dropOrphans, dropOwned, dropUnlessUsed, openKeeper, withLock } from "./keeper.ts";
export { type OwnedName, ownedName, templateName } from "./names.ts";
export { createClone, createEmptyDatabase, dropDatabase, freeLock, takeLock } from "./queries.ts";
