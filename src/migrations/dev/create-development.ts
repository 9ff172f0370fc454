import { parseTarget } from "../../driver/index.ts";
import type { EmbeddedServer } from "../../embedded/index.ts";
import { type Development, type DevelopmentOptions, developmentOn } from "./development.ts";

/**
 * Makes the development database of an embedded server follow the schema: `plinth migrate dev`. It takes the server and
 * no URL, so that it cannot be pointed at any other.
 *
 * @example
 * ```ts
 * const server = await startEmbedded({ directory });
 * const development = createDevelopment({ server, shadow, schemaName: "tracker", folder });
 * await development.reshape({ declared }); // { statements: ["alter table tasks add column due_date date"], losses: [] }
 * ```
 */
export function createDevelopment(
  options: DevelopmentOptions & { readonly server: EmbeddedServer },
): Development {
  const { server, ...rest } = options;
  return developmentOn(parseTarget(server.url), rest);
}
