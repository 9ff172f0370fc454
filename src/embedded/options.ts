import { realpath } from "node:fs/promises";
import { ConfigError } from "../errors/index.ts";

/** Which project the server belongs to, and how it treats its data. */
export interface EmbeddedOptions {
  /** The project's folder. The server and its data are its own: two folders never share a server. */
  readonly directory: string;
  /**
   * Whether a commit survives a crash of the machine. `false` switches `fsync`, `synchronous_commit` and
   * `full_page_writes` off: faster, and right for data that can be made again, such as a test's.
   *
   * @default true
   */
  readonly durable?: boolean | undefined;
  /**
   * A second server of the same project, apart from the default one in data, port and life: `"test"`, say.
   * Lower-case letters, digits and dashes, at most 32.
   *
   * @default the project's main server
   */
  readonly name?: string | undefined;
}

/** The options after the door: complete, real, frozen. */
export interface EmbeddedSettings {
  readonly directory: string;
  readonly durable: boolean;
  readonly name: string | undefined;
}

const NAME_SHAPE = /^[a-z][a-z0-9-]{0,31}$/;

/**
 * Checks the options and fills them in.
 *
 * @throws {CONFIG_INVALID} when the folder does not exist or the name has the wrong shape.
 */
export async function parseOptions(options: EmbeddedOptions): Promise<EmbeddedSettings> {
  const { directory, durable = true, name } = options;
  if (name !== undefined && !NAME_SHAPE.test(name)) {
    throw new ConfigError(
      "the embedded server's name must be lower-case letters, digits and dashes, at most 32",
      {
        path: "name",
      },
    );
  }
  try {
    // The real path: one project reached over two symbolic links is one project.
    return Object.freeze({ directory: await realpath(directory), durable, name });
  } catch (cause) {
    throw new ConfigError(`the project folder ${directory} does not exist or cannot be entered`, {
      path: "directory",
      cause,
    });
  }
}
