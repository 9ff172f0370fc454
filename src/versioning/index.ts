// `version`, counted by the database
export { versioningBehaviour } from "./versioning.ts";
