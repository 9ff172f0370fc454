import type { Connection } from "../../driver/index.ts";
import type { Shadow, ShadowDatabase } from "../../shadow/index.ts";
import { quoteIdentifier } from "../../sql/index.ts";
import type { MigrationFile } from "../migration-file.ts";
import { type ReplayGround, replayFile } from "../replay.ts";
import { pinSession } from "../session.ts";

/**
 * The database on which migrations are proven one after the other, with rows that live on from one to the next.
 *
 * A migration that does not lead back leaves it in a state nobody knows. Then it is thrown away, and a new one is
 * cloned from a second database that is kept empty of rows and a few migrations behind: a thousand faulty migrations
 * cost a clone each, not a replay of the whole chain.
 */
export interface Stage {
  readonly connection: Connection;
  /** Runs one direction, and brings the session back to how it began. @throws {MIGRATION_FAILED} {MIGRATION_INVALID} */
  run(file: MigrationFile, direction: "up" | "down"): Promise<void>;
  /** Asks the server to stop what runs on the stage; nothing, when nothing does. Never rejects. */
  cancel(): Promise<void>;
  /** A clean database, without rows, as of before `files[count]`. */
  rebuild(count: number): Promise<void>;
  close(): Promise<void>;
}

/** Opens a stage with the first `count` of the files applied. @throws what `replayFile` throws. */
export async function openStage(
  shadow: Shadow,
  files: readonly MigrationFile[],
  schemaName: string,
  count: number,
): Promise<Stage> {
  const behind: Behind = { database: await shadow.createDatabase(), count: -1 };
  let current: { readonly database: ShadowDatabase; readonly connection: Connection } | undefined;
  const discard = async (): Promise<void> => {
    const old = current;
    current = undefined;
    await old?.connection.close();
    await old?.database.drop();
  };
  const rebuild = async (until: number): Promise<void> => {
    await discard();
    await advance({ shadow, schemaName }, behind, files, until);
    const database = await behind.database.clone();
    current = { database, connection: await database.connect() };
    await pin(current.connection, schemaName);
  };
  const connectionNow = (): Connection => {
    if (current === undefined) throw new Error("the stage is closed");
    return current.connection;
  };
  const stage: Stage = {
    get connection() {
      return connectionNow();
    },
    run: async (file, direction) => {
      const connection = connectionNow();
      try {
        await replayFile({ shadow, connection, schemaName }, file, direction);
      } finally {
        if (connection.isOpen) await pin(connection, schemaName);
      }
    },
    rebuild,
    cancel: async () => {
      await current?.connection.cancel().catch(() => undefined);
    },
    close: async () => {
      await discard();
      await behind.database.drop();
    },
  };
  try {
    await rebuild(count);
    return stage;
  } catch (error) {
    await stage.close();
    throw error;
  }
}

interface Behind {
  readonly database: ShadowDatabase;
  /** Migrations that are applied; -1 before the schema is there. */
  count: number;
}

async function advance(
  ground: Omit<ReplayGround, "connection">,
  behind: Behind,
  files: readonly MigrationFile[],
  count: number,
): Promise<void> {
  if (behind.count >= count && behind.count >= 0) return;
  await behind.database.use(async (connection) => {
    if (behind.count < 0) {
      await connection.script(`create schema if not exists ${quoteIdentifier(ground.schemaName)}`);
    }
    for (const file of files.slice(Math.max(0, behind.count), count)) {
      await replayFile({ ...ground, connection }, file, "up");
    }
    behind.count = count;
  });
}

async function pin(connection: Connection, schemaName: string): Promise<void> {
  const pins = { schemaName, lockTimeoutMs: 0, statementTimeoutMs: 0, noticesDeadClient: false };
  // A temporary table ends with the session that a real run would have had for itself.
  await connection.script(`${pinSession(pins)};\ndiscard temp`);
}
