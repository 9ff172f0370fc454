// What runs migrations, without what writes, lints and proves them: that is ten times as much code, and a deploy with
// nothing to do should not load it. Everybody else uses the face.
export { isReshaped } from "./dev/marker.ts";
export { describeBlocker } from "./lock-watch.ts";
export { createMigrator } from "./migrator.ts";
export { describeHolder } from "./runner-lock.ts";
