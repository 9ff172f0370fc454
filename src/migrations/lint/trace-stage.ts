import { readCatalog } from "../../catalog/index.ts";
import type { Connection } from "../../driver/index.ts";
import type { ShadowDatabase } from "../../shadow/index.ts";
import { quoteIdentifier } from "../../sql/index.ts";
import { fillTables } from "../rows/fill-tables.ts";
import { pinSession } from "../session.ts";
import { CATCH_UP, planLikeLargeTables } from "./trace-queries.ts";
import { knownRelations, type TraceGround } from "./trace-statement.ts";
import { openStepper, type Stepper } from "./trace-steps.ts";

/** Enough that a planner reads an index for one row and the table for many. */
const ROWS_PER_TABLE = 200;

const PINS = { lockTimeoutMs: 0, statementTimeoutMs: 0, noticesDeadClient: false };

/** One shadow database, the session that runs statements, and those that watch it. */
export interface Stage {
  readonly connection: Connection;
  /** Begins a section as the runner does, with a clean session. */
  begin(): Promise<void>;
  /** Fills the tables, and gives the ground for a section that begins now. */
  ground(): Promise<TraceGround>;
  /** Runs `work` on a copy, which is dropped afterwards. */
  onCopy<T>(work: (copy: Stage) => Promise<T>): Promise<T>;
  /** Ends its sessions and drops the database. */
  close(): Promise<void>;
}

/** A stage on a new, empty database with the schema. */
export async function openStage(database: ShadowDatabase, home: string): Promise<Stage> {
  const stage = new ShadowStage(database, home);
  try {
    await stage.open();
    await stage.connection.script(`create schema if not exists ${quoteIdentifier(home)}`);
    return stage;
  } catch (error) {
    await stage.close();
    throw error;
  }
}

class ShadowStage implements Stage {
  readonly #database: ShadowDatabase;
  readonly #home: string;
  #connection: Connection | undefined;
  #stepper: Promise<Stepper> | undefined;

  constructor(database: ShadowDatabase, home: string) {
    this.#database = database;
    this.#home = home;
  }

  get connection(): Connection {
    if (this.#connection === undefined) throw new Error("the stage is closed");
    return this.#connection;
  }

  /** Settings of a database are those of the sessions that begin afterwards. */
  async open(): Promise<void> {
    const before = await this.#database.connect();
    try {
      await before.script(planLikeLargeTables(this.#database.name));
    } finally {
      await before.close();
    }
    this.#connection = await this.#database.connect();
  }

  async begin(): Promise<void> {
    await this.connection.script(pinSession({ ...PINS, schemaName: this.#home }));
  }

  async ground(): Promise<TraceGround> {
    const [connection, home] = [this.connection, this.#home];
    const refill = () => fill(connection, home);
    await refill();
    const known = await knownRelations(connection, home);
    return { connection, home, known, refill, stepper: () => this.#openStepper() };
  }

  async onCopy<T>(work: (copy: Stage) => Promise<T>): Promise<T> {
    // Who copies a database must be alone with it.
    await this.#disconnect();
    const copy = new ShadowStage(await this.#database.clone(), this.#home);
    try {
      await this.open();
      await copy.open();
      return await work(copy);
    } finally {
      await copy.close();
    }
  }

  async close(): Promise<void> {
    await this.#disconnect();
    await this.#database.drop();
  }

  #openStepper(): Promise<Stepper> {
    this.#stepper ??= openStepper(() => this.#database.connect());
    return this.#stepper;
  }

  async #disconnect(): Promise<void> {
    const [stepper, connection] = [this.#stepper, this.#connection];
    this.#stepper = undefined;
    this.#connection = undefined;
    await (await stepper)?.close();
    await connection?.close();
  }
}

/** Every table gets rows, and the planner knows of them. */
async function fill(connection: Connection, home: string): Promise<void> {
  const catalog = await readCatalog(connection, home, { schemas: "all" });
  await fillTables(connection, catalog, { rowsPerTable: ROWS_PER_TABLE });
  await connection.script(CATCH_UP);
}
