/** The depot in a database, and the ways to it. */
import { createDatabase, type Database } from "plinth";
import { testDatabase } from "plinth/testing";
import { connect, parseTarget } from "../../../src/driver/index.ts";
import { startPgBouncer, type ThrowAwayPgBouncer } from "../pgbouncer.ts";
import { died } from "./deaths.ts";
import { ENTITIES, type EntityName, MODEL, type Row } from "./model.ts";
import { DYING, INITIAL, TOKEN } from "./rows.ts";
import * as schema from "./schema.ts";
import { newWorld, type Visibility, type World } from "./world.ts";

const { regions, sites, permits, readings, notes, labels, siteLabels, hosts } = schema;
const TABLES = { regions, sites, permits, readings, notes, labels, siteLabels, hosts };

/** How statements get to the server. */
export type Way = "plinth" | "pg" | "pgbouncer";

/** A repository without the types of one entity: what is asked of it is random. */
export interface AnyRepository {
  list(options: object): PromiseLike<{ readonly data: readonly Row[]; readonly meta: Row }>;
  stream(options: object): AsyncIterable<Row>;
  find(key: unknown, options: object): PromiseLike<unknown>;
  findBy(unique: object, options: object): PromiseLike<unknown>;
  findMany(keys: readonly unknown[], options: object): PromiseLike<readonly unknown[]>;
  count(where: unknown): PromiseLike<number>;
  exists(where: unknown): PromiseLike<boolean>;
  aggregate(options: object): PromiseLike<unknown>;
  distinct(column: string, options: object): PromiseLike<readonly unknown[]>;
  create(input: Row, options: object): PromiseLike<unknown>;
  createMany(inputs: readonly Row[], options: object): PromiseLike<unknown>;
  update(key: unknown, patch: object, options: object): PromiseLike<unknown>;
  updateMany(filter: object, patch: object, options: object): PromiseLike<unknown>;
  upsert(input: Row, options: object): PromiseLike<unknown>;
  upsertMany(inputs: readonly Row[], options: object): PromiseLike<unknown>;
  increment(key: unknown, by: object, options: object): PromiseLike<unknown>;
  delete(key: unknown, options?: object): PromiseLike<unknown>;
  deleteMany(filter: object, options: object): PromiseLike<unknown>;
  restore(key: unknown, options: object): PromiseLike<unknown>;
}

export interface Depot {
  /** The rows that are in the database. */
  readonly world: World;
  readonly db: Database<typeof schema>;
  repository(entity: EntityName, visibility?: Visibility): AnyRepository;
  /** Puts back the rows it began with, by another connection. */
  restore(): Promise<void>;
  close(): Promise<void>;
}

/** A database of its own, filled, and reached one way. */
export async function openDepot(way: Way): Promise<Depot> {
  const own = await testDatabase({ schema });
  let pooler: ThrowAwayPgBouncer | undefined;
  if (way === "pgbouncer") pooler = await startPgBouncer(own.url, { poolSize: 3 });
  const db = await createDatabase({
    schema,
    url: pooler?.urlOf(own.url) ?? own.url,
    pool: { max: 4, min: 0, instances: 1 },
    session: { wire: way === "pg" ? "pg" : "plinth" },
  });
  const straight = await connect(parseTarget(own.url));
  const repository = (entity: EntityName, visibility: Visibility = "living"): AnyRepository => {
    const one: unknown = db.repository(TABLES[entity]);
    return seenBy(
      one as AnyRepository & Record<"withDeleted" | "onlyDeleted", () => AnyRepository>,
      visibility,
    );
  };
  const world = await fill(repository);
  await straight.script(KEEP);
  return {
    world,
    db,
    repository,
    restore: async () => {
      await straight.script(RESTORE);
    },
    async close() {
      await db.close();
      await straight.close();
      await pooler?.stop();
      await own.close();
    },
  };
}

function seenBy(
  repository: AnyRepository & Record<"withDeleted" | "onlyDeleted", () => AnyRepository>,
  visibility: Visibility,
): AnyRepository {
  if (visibility === "living") return repository;
  return visibility === "all" ? repository.withDeleted() : repository.onlyDeleted();
}

/** A key as calls take it. */
export function keyOf(entity: EntityName, row: Row): unknown {
  const { key } = MODEL[entity];
  const [only = ""] = key;
  return key.length === 1 ? row[only] : Object.fromEntries(key.map((part) => [part, row[part]]));
}

async function fill(repository: Depot["repository"]): Promise<World> {
  const world = newWorld();
  for (const entity of ENTITIES) {
    const { secret } = MODEL[entity];
    const rows = INITIAL[entity].map((row) => (secret === undefined ? row : { ...row, [secret]: TOKEN }));
    await repository(entity).createMany(rows, {});
  }
  for (const [entity, key] of DYING) {
    const { deletedAt } = Object(await repository(entity).delete(keyOf(entity, key)));
    died(world, entity, key, deletedAt);
  }
  return world;
}

const NAMES = ["regions", "sites", "permits", "readings", "notes", "labels", "site_labels", "hosts"];

const KEEP = `create schema kept;
${NAMES.map((table) => `create table kept.${table} as table depot.${table};`).join("\n")}`;

/** Without the triggers, which would ask what is restored why it is as it is. */
const RESTORE = `begin;
set local session_replication_role = replica;
truncate ${NAMES.map((table) => `depot.${table}`).join(", ")};
${NAMES.map((table) => `insert into depot.${table} table kept.${table};`).join("\n")}
commit`;
