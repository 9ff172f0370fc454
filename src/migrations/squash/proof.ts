import { type Catalog, compareCatalogs, readCatalog } from "../../catalog/index.ts";
import type { Connection } from "../../driver/index.ts";
import { MigrationError } from "../../errors/index.ts";
import type { Shadow, ShadowDatabase } from "../../shadow/index.ts";
import type { MigrationFile } from "../migration-file.ts";
import { replayFile } from "../replay.ts";
import {
  contentsDiffer,
  downDiffers,
  positionDiffers,
  type SquashFinding,
  squashDiffers,
  squashFails,
} from "./findings.ts";
import { readPositions, type SequencePosition } from "./positions.ts";
import { type Carried, type Contents, equalRows, readContents } from "./reference-rows.ts";

/** What the replaced migrations make of an empty database. */
export interface Origin {
  readonly database: ShadowDatabase;
  readonly catalog: Catalog;
  readonly contents: Contents;
  readonly positions: readonly SequencePosition[];
}

/** What a squash is proven with. */
export interface SquashTrial {
  readonly shadow: Shadow;
  readonly schemaName: string;
  readonly file: MigrationFile;
  readonly origin: Origin;
  readonly carried: readonly Carried[];
  /** An empty database of its own, and its catalog. */
  readonly empty: ShadowDatabase;
  readonly emptyCatalog: Catalog;
  /** Migrations that stay, and run on top. */
  readonly later: readonly MigrationFile[];
}

/** Reads a whole database, every schema of it. */
export async function readAll(connection: Connection, schemaName: string): Promise<Catalog> {
  return readCatalog(connection, schemaName, { schemas: "all" });
}

/**
 * Proves that the squash makes what the migrations made: the catalog, the rows, the positions of sequences; that its way
 * back leads to nothing; and that what stays runs on top of it to the same end.
 */
export async function proveSquash(trial: SquashTrial): Promise<readonly SquashFinding[]> {
  const { file, empty } = trial;
  try {
    return await empty.use(async (connection) => {
      const run = (direction: "up" | "down"): Promise<void> =>
        replayFile({ ...trial, connection }, file, direction);
      await run("up");
      const differences = await compareWithOrigin(trial, connection);
      if (differences.length > 0) return differences;
      const down = await proveDown(trial, connection, () => run("down"));
      // A way back that is left out left this database in a state nobody asked for.
      if (down.length > 0) return down;
      if (file.down !== undefined) await run("up");
      return proveLater(trial, connection);
    });
  } catch (error) {
    if (!(error instanceof MigrationError)) throw error;
    return [squashFails(file.fileName, "the squash does not run", error)];
  }
}

async function compareWithOrigin(
  { schemaName, origin, carried }: SquashTrial,
  connection: Connection,
): Promise<readonly SquashFinding[]> {
  const catalog = await readAll(connection, schemaName);
  const differences = compareCatalogs(origin.catalog, catalog).map((one) =>
    squashDiffers("after the squash", one),
  );
  if (differences.length > 0) return differences;
  const contents = await readContents(connection, catalog);
  const labels = new Set([...origin.contents.keys(), ...contents.keys()]);
  const rows = [...labels].filter((label) => {
    const one = carried.find(({ content }) => content.label === label);
    return one?.columns === undefined || !equalRows(one.content, contents.get(label), one.columns);
  });
  const key = ({ sequence, value, isCalled }: SequencePosition): string => `${sequence} ${value} ${isCalled}`;
  const [expected, actual] = [origin.positions, await readPositions(connection, catalog)].map(
    (positions) => new Map(positions.map((position) => [key(position), position.sequence])),
  );
  const moved = [...(expected ?? []), ...(actual ?? [])].filter(
    ([position]) => expected?.has(position) !== actual?.has(position),
  );
  return [...rows.map(contentsDiffer), ...[...new Set(moved.map(([, name]) => name))].map(positionDiffers)];
}

async function proveDown(
  { schemaName, file, emptyCatalog }: SquashTrial,
  connection: Connection,
  down: () => Promise<void>,
): Promise<readonly SquashFinding[]> {
  if (file.down === undefined) return [];
  try {
    await down();
  } catch (error) {
    if (!(error instanceof MigrationError)) throw error;
    return [downDiffers(error.summary, file.fileName)];
  }
  const [left] = compareCatalogs(emptyCatalog, await readAll(connection, schemaName));
  return left === undefined ? [] : [downDiffers(`${left.kind} ${left.name} is not as it was`, file.fileName)];
}

/** What stays may lean on what no catalog shows, such as the order of columns. */
async function proveLater(trial: SquashTrial, connection: Connection): Promise<readonly SquashFinding[]> {
  const { schemaName, origin, later } = trial;
  if (later.length === 0) return [];
  try {
    for (const file of later) await replayFile({ ...trial, connection }, file, "up");
  } catch (error) {
    if (!(error instanceof MigrationError)) throw error;
    return [squashFails(error.file ?? "", "on top of the squash it does not run", error)];
  }
  const squashed = await readAll(connection, schemaName);
  const whole = await origin.database.use(async (session) => {
    for (const file of later) await replayFile({ ...trial, connection: session }, file, "up");
    return readAll(session, schemaName);
  });
  return compareCatalogs(whole, squashed).map((one) => squashDiffers("at the end of the folder", one));
}
