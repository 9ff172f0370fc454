import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type TestServer, testServer } from "../../test/support/server.ts";
import { type Connection, type ConnectionTarget, connect, parseTarget, retarget } from "../driver/index.ts";
import { createMigrator, type MigrationProgress, type Migrator, type MigratorOptions } from "./index.ts";

/** What a data migration of a test imports, as the folder is not in a project: the two files alone, which load fast. */
export const DATA_IMPORTS = ["data-migration", "update-batches"]
  .map((name) => fileURLToPath(new URL(`data/${name}.ts`, import.meta.url)))
  .map(
    (path, i) =>
      `import ${["{ dataMigration }", "{ deleteBatches, updateBatches }"][i]} from ${JSON.stringify(path)};\n`,
  )
  .join("");

/** A database of a test file's own, with a connection to look at it. */
export interface Workbench {
  readonly target: ConnectionTarget;
  readonly connection: Connection;
  /** The server all of it is on, with the right to make databases. */
  readonly serverUrl: string;
  /** A new schema and folder, so that tests of one file do not meet. */
  project(files?: Readonly<Record<string, string | Buffer>>): Project;
  close(): Promise<void>;
}

/** One application: a folder of migrations and a schema. */
export interface Project {
  readonly schemaName: string;
  readonly folder: string;
  readonly progress: readonly MigrationProgress[];
  /** Adds to `progress`. */
  note(event: MigrationProgress): void;
  write(fileName: string, text: string | Buffer): void;
  remove(fileName: string): void;
  migrator(options?: Partial<MigratorOptions>): Migrator;
  /** Starts a runner in a process of its own. */
  spawnRunner(command?: "up" | "down"): Runner;
  /** Cells of the rows, with `%s` for the schema. */
  rows(text: string): Promise<readonly (readonly (string | null)[])[]>;
  run(text: string): Promise<void>;
}

export interface Runner {
  readonly process: ChildProcess;
  /** Resolves when it begins with its n-th migration, counted from 0; never, if it does not get there. */
  began(count: number): Promise<void>;
  readonly ended: Promise<{ readonly code: number | null; readonly output: string }>;
}

export async function openWorkbench(): Promise<Workbench> {
  const server: TestServer = await testServer();
  const name = `migrations_${randomBytes(6).toString("hex")}`;
  const admin = await connect(parseTarget(server.url));
  await admin.script(`create database ${name}`);
  const target = retarget(parseTarget(server.url), { database: name });
  const connection = await connect(target);
  const folders: string[] = [];
  return {
    target,
    connection,
    serverUrl: server.url,
    project: (files = {}) => {
      const folder = mkdtempSync(join(tmpdir(), "plinth-migrations-"));
      folders.push(folder);
      const project = openProject(target, connection, folder);
      for (const [fileName, text] of Object.entries(files)) project.write(fileName, text);
      return project;
    },
    close: async () => {
      await connection.close();
      await admin.script(`drop database ${name} with (force)`);
      await admin.close();
      for (const folder of folders) rmSync(folder, { recursive: true, force: true });
      await server.stop();
    },
  };
}

function openProject(target: ConnectionTarget, connection: Connection, folder: string): Project {
  const schemaName = `app_${randomBytes(4).toString("hex")}`;
  const progress: MigrationProgress[] = [];
  const inSchema = (text: string): string => text.replaceAll("%s", schemaName);
  return {
    schemaName,
    folder,
    progress,
    note: (event) => void progress.push(event),
    write: (fileName, text) => writeFileSync(join(folder, fileName), text),
    remove: (fileName) => rmSync(join(folder, fileName)),
    migrator: (options = {}) =>
      createMigrator({
        target,
        schemaName,
        folder,
        isProduction: false,
        onProgress: (event) => progress.push(event),
        ...options,
      }),
    spawnRunner: (command = "up") => spawnRunner(target, schemaName, folder, command),
    rows: async (text) => (await connection.query({ text: inSchema(text), values: [] })).rows,
    run: async (text) => {
      await connection.script(inSchema(text));
    },
  };
}

function spawnRunner(target: ConnectionTarget, schemaName: string, folder: string, command: string): Runner {
  const script = fileURLToPath(new URL("runner-process.fixture.ts", import.meta.url));
  const url = `postgres://${target.user}@${target.host}:${target.port}/${target.database}`;
  const child = spawn(process.execPath, ["--import", "tsx", script, url, schemaName, folder, command], {
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  let begun = 0;
  const waiting: (() => void)[] = [];
  child.on("message", () => {
    begun += 1;
    for (const look of waiting) look();
  });
  const ended = new Promise<{ readonly code: number | null; readonly output: string }>((resolve) => {
    let output = "";
    child.stdout?.on("data", (chunk: Buffer) => (output += chunk.toString()));
    child.stderr?.on("data", (chunk: Buffer) => (output += chunk.toString()));
    child.once("close", (code) => resolve({ code, output }));
  });
  const began = (count: number): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (begun > count) resolve();
      };
      waiting.push(look);
      look();
    });
  return { process: child, began, ended };
}
