// Run the project's server
export { type EmbeddedServer, startEmbedded } from "./embedded-server.ts";
export type { EmbeddedOptions } from "./options.ts";

// Look at it and steer it from outside: what `plinth db` does
export {
  type EmbeddedSelection,
  type EmbeddedStatus,
  type EmbeddedStop,
  embeddedStatus,
  pinEmbedded,
  stopEmbedded,
} from "./control.ts";

// Its other roles
export { embeddedRoleUrl } from "./role-url.ts";
