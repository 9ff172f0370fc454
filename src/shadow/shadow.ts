import { type Connection, type ConnectionTarget, connect, parseTarget, retarget } from "../driver/index.ts";
import { ConfigError, isPlinthError } from "../errors/index.ts";
import { quoteIdentifier } from "../sql/index.ts";
import { dropOrphans, dropOwned, openKeeper } from "./keeper.ts";
import { ownedName } from "./names.ts";
import { createClone, createEmptyDatabase, switchOffJit, takeLock } from "./queries.ts";

/** Which server shadow databases are made on. */
export interface ShadowOptions {
  /** A server whose role may create databases. @default a second embedded server, apart from the one with your data */
  readonly url?: string | undefined;
  /** The folder the embedded server belongs to. */
  readonly directory: string;
}

/**
 * A server on which migrations are tried out, in databases nobody else uses. A process that is killed leaves
 * databases called `plinth_shadow_…` behind; the next one on that server drops them.
 */
export interface Shadow {
  /** The server's major version: 15 to 18. */
  readonly serverVersion: number;
  /** It is Plinth's own embedded server: roles may be made on it, and settings changed. */
  readonly isPrivate: boolean;
  /** An empty database. About 20 to 60 ms. */
  createDatabase(): Promise<ShadowDatabase>;
  /** Makes the roles that do not exist yet, without the right to log in. Does nothing on a server that is not private. */
  ensureRoles(names: readonly string[]): Promise<void>;
  /** Drops every database that is left, and ends the share in the server. Idempotent. */
  release(): Promise<void>;
}

/** One throw-away database. */
export interface ShadowDatabase {
  readonly name: string;
  readonly target: ConnectionTarget;
  /** A new session without time-outs, which its caller closes. */
  connect(): Promise<Connection>;
  /** Runs `work` on a session of its own, which ends with it. Gives or throws what `work` does. */
  use<T>(work: (connection: Connection) => Promise<T>): Promise<T>;
  /** A copy. Nobody may be connected to this one meanwhile. */
  clone(): Promise<ShadowDatabase>;
  drop(): Promise<void>;
}

/**
 * Opens the server for shadow databases. The embedded one starts in about a second the first time, in 50 to 80 ms
 * after that; one connection stays open.
 *
 * @throws {EMBEDDED_MISSING} {EMBEDDED_FAILED} when the embedded server is needed and cannot start.
 * @throws {CONFIG_INVALID} when the role of `url` may not create databases.
 */
export async function openShadow(options: ShadowOptions): Promise<Shadow> {
  const { url, directory } = options;
  const embedded = url === undefined ? await startShadowServer(directory) : undefined;
  const releaseServer = async (): Promise<void> => embedded?.release();
  try {
    const server = parseTarget(embedded?.url ?? url ?? "");
    const keeper = await openKeeper(server);
    await dropOrphans(keeper);
    const { rows } = await keeper.query({ text: "show server_version_num", values: [] });
    const serverVersion = Math.floor(Number(rows[0]?.[0]) / 10_000);
    return shadowOn({ keeper, server, serverVersion, isPrivate: embedded !== undefined, releaseServer });
  } catch (error) {
    await releaseServer();
    throw error;
  }
}

/** Loaded only where it is used: an installation may leave the embedded server out. */
async function startShadowServer(directory: string) {
  const { startEmbedded } = await import("../embedded/index.ts");
  return startEmbedded({ directory, durable: false, name: "shadow" });
}

interface Ground {
  readonly keeper: Connection;
  readonly server: ConnectionTarget;
  readonly serverVersion: number;
  readonly isPrivate: boolean;
  readonly releaseServer: () => Promise<void>;
}

function shadowOn(ground: Ground): Shadow {
  const { keeper, serverVersion, isPrivate } = ground;
  const databases = new Set<ShadowDatabase>();
  const create = async (template: string | undefined): Promise<ShadowDatabase> => {
    const database = await createShadowDatabase(ground, template, create, databases);
    databases.add(database);
    return database;
  };
  let released: Promise<void> | undefined;
  return Object.freeze({
    serverVersion,
    isPrivate,
    createDatabase: () => create(undefined),
    ensureRoles: async (names: readonly string[]) => {
      if (isPrivate) for (const name of names) await ensureRole(keeper, name);
    },
    release: () => {
      released ??= releaseAll(ground, databases);
      return released;
    },
  });
}

async function createShadowDatabase(
  { keeper, server }: Ground,
  template: string | undefined,
  create: (template: string) => Promise<ShadowDatabase>,
  databases: Set<ShadowDatabase>,
): Promise<ShadowDatabase> {
  const owned = ownedName("shadow");
  await takeLock(keeper, owned.lockKey);
  const made =
    template === undefined
      ? createEmptyDatabase(keeper, owned.name)
      : createClone(keeper, owned.name, template);
  await made.catch(explainRights);
  await switchOffJit(keeper, owned.name);
  const session = { statementTimeoutMs: 0, lockTimeoutMs: 0, idleInTransactionTimeoutMs: 0 };
  const target = retarget(server, { database: owned.name, session });
  const database: ShadowDatabase = Object.freeze({
    name: owned.name,
    target,
    connect: () => connect(target),
    use: <T>(work: (connection: Connection) => Promise<T>) => onSession(target, work),
    clone: () => create(owned.name),
    drop: async () => {
      if (!databases.delete(database)) return;
      await dropOwned(keeper, owned);
    },
  });
  return database;
}

async function onSession<T>(
  target: ConnectionTarget,
  work: (connection: Connection) => Promise<T>,
): Promise<T> {
  const connection = await connect(target);
  try {
    return await work(connection);
  } finally {
    await connection.close();
  }
}

async function releaseAll({ keeper, releaseServer }: Ground, databases: Set<ShadowDatabase>): Promise<void> {
  try {
    // When the session is gone its databases are orphans, which the next run drops.
    for (const database of [...databases]) if (keeper.isOpen) await database.drop();
    await keeper.close();
  } finally {
    await releaseServer();
  }
}

/** Two processes may make the same role at once; either is fine. */
async function ensureRole(keeper: Connection, name: string): Promise<void> {
  const { rows } = await keeper.query({ text: "select from pg_roles where rolname = $1", values: [name] });
  if (rows.length > 0) return;
  await keeper.script(`create role ${quoteIdentifier(name)} nologin`).catch((error: unknown) => {
    const isThere =
      isPlinthError(error) && "sqlstate" in error && /^(42710|23505)$/.test(String(error.sqlstate));
    if (!isThere) throw error;
  });
}

function explainRights(error: unknown): never {
  if (!isPlinthError(error) || error.code !== "PERMISSION_DENIED") throw error;
  throw new ConfigError("the role of the shadow server may not create databases", {
    hint: "Allow it: alter role … createdb. Or leave the URL out, and the embedded server is used.",
    cause: error,
  });
}
