import { afterAll, beforeAll, onTestFinished } from "vitest";
import { BEHAVIOURS } from "../../src/behaviours.ts";
import { renderSchema } from "../../src/catalog/index.ts";
import {
  type CreateDatabaseOptions,
  createDatabase,
  type Database,
  type DatabaseWarning,
} from "../../src/database.ts";
import { type Connection, connect, parseTarget } from "../../src/driver/index.ts";
import { describeSchema } from "../../src/schema/index.ts";
import { quoteIdentifier } from "../../src/sql/index.ts";
import { isPooledRun, throughPooler } from "./pooler.ts";
import { expectQuiet } from "./quiet.ts";
import { type TestServer, testServer } from "./server.ts";
import * as schema from "./workshop-schema.ts";

/** A database of its own for one test, opened through Plinth, watched and closed at the end. */
export interface Workshop {
  readonly db: Database<typeof schema>;
  readonly repo: ReturnType<typeof repositories>;
  readonly url: string;
  readonly warnings: DatabaseWarning[];
  /** The common assertions after a fault; see `expectQuiet`. */
  quiet(): Promise<void>;
  /** A session without Plinth's rules, as psql has: one more client. */
  client(): Promise<Client>;
}

/** What another program does: plain SQL, no repository, no actor. */
export interface Client {
  readonly processId: number;
  /** The rows of the last statement. */
  run(text: string): Promise<readonly (readonly (string | null)[])[]>;
}

/** Options of the opened database; `url` is of `directly`, and `via` puts something (a proxy) between it and the server. */
export type WorkshopOptions = Omit<Partial<CreateDatabaseOptions<typeof schema>>, "schema"> & {
  readonly via?: (url: string) => string;
};

let made = 0;

/** Call it at the top of a test file; the answer opens a database for one test. */
export function workshops(): (options?: WorkshopOptions) => Promise<Workshop> {
  let server: TestServer;
  let admin: Connection;
  const template = `workshop_${process.pid}_template`;

  beforeAll(async () => {
    server = await testServer();
    admin = await connect(parseTarget(server.url));
    await admin.script(`drop database if exists ${template}`);
    await admin.script(`create database ${template}`);
    const connection = await connect(parseTarget(onDatabase(server.url, template)));
    await createSchema(connection, "workshop");
    await connection.close();
  });
  afterAll(async () => {
    await admin.script(`drop database if exists ${template} with (force)`);
    await admin.close();
    await server.stop();
  });

  return async ({ via, url: directUrl, ...options } = {}) => {
    const name = `workshop_${process.pid}_${++made}`;
    await admin.script(`create database ${name} template ${template}`);
    const url = onDatabase(server.url, name);
    const warnings: DatabaseWarning[] = [];
    const db = await createDatabase({
      schema,
      onWarning: (warning) => {
        // Of the run's own pooler everybody knows.
        if (!isPooledRun() || warning.code !== "POOL_NO_SESSION_SETTINGS") warnings.push(warning);
      },
      ...options,
      session: { applicationName: name, ...options.session },
      url: via?.(url) ?? (directUrl === undefined ? throughPooler(url) : url),
    });
    onTestFinished(async () => {
      await db.close({ deadlineMs: 100 });
      await admin.script(`drop database if exists ${name} with (force)`);
    });
    return {
      db,
      repo: repositories(db),
      url,
      warnings,
      quiet: () => expectQuiet(db.pool, url, name),
      client: () => openClient(url),
    };
  };
}

/** Makes the tables and triggers of the workshop in a schema of that name. */
export async function createSchema(connection: Connection, name: string): Promise<void> {
  const { up } = renderSchema(describeSchema(schema), BEHAVIOURS);
  const quoted = quoteIdentifier(name);
  await connection.script(`create schema ${quoted};\nset search_path to ${quoted};\n${up.join(";\n")}`);
}

/** The same server, another database. */
export function onDatabase(url: string, database: string): string {
  const changed = new URL(url);
  changed.pathname = `/${database}`;
  return changed.href;
}

function repositories(db: Database<typeof schema>) {
  return {
    people: db.repository(schema.people),
    projects: db.repository(schema.projects),
    tasks: db.repository(schema.tasks),
    comments: db.repository(schema.comments),
    labels: db.repository(schema.labels),
    members: db.repository(schema.members),
    folders: db.repository(schema.folders),
    samples: db.repository(schema.samples),
  };
}

async function openClient(url: string): Promise<Client> {
  const connection = await connect(parseTarget(url));
  await connection.script("set search_path to workshop");
  onTestFinished(() => connection.destroy());
  return {
    processId: connection.processId,
    run: async (text) => (await connection.script(text)).at(-1)?.rows ?? [],
  };
}

let people = 0;

/** Values of a new person nobody else has. */
export function person(overrides: { readonly email?: string; readonly name?: string } = {}) {
  return { email: `person${++people}@example.test`, name: "Ann", ...overrides };
}

/** A project with an owner, as most tests need one. */
export async function aProject({ repo }: Pick<Workshop, "repo">) {
  const owner = await repo.people.create(person());
  const project = await repo.projects.create({ ownerId: owner.id, name: "Bridge" });
  return { owner, project };
}
