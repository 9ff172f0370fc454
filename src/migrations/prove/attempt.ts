import { type Catalog, type CatalogDifference, compareCatalogs, readCatalog } from "../../catalog/index.ts";
import { isConnectionError, MigrationError } from "../../errors/index.ts";
import { interrupted } from "../interruption.ts";
import type { MigrationFile } from "../migration-file.ts";
import { type FilledTables, fillTables } from "../rows/fill-tables.ts";
import { countRows, printRows, type RowPrints } from "./row-print.ts";
import type { Stage } from "./stage.ts";
import { type ProveRows, supplierOf } from "./supply.ts";

/** What every attempt of a proof works with. */
export interface ProofGround {
  readonly stage: Stage;
  readonly files: readonly MigrationFile[];
  readonly schemaName: string;
  readonly rowsPerTable: number;
  readonly seed: string;
  readonly proveRows: ProveRows | undefined;
  readonly signal: AbortSignal | undefined;
  /** Tables that could not be filled, and so are not tried again before something changes them. */
  readonly emptyTables: Set<string>;
}

/** A migration, and the state it starts from. The rows of that state are on the stage. */
export interface Trial {
  readonly file: MigrationFile;
  readonly before: Catalog;
  /** Rows are added between `up` and `down`, as an application would. */
  readonly fillsBetween: boolean;
}

/** How far up, down, up came. */
export type Attempt =
  | { readonly end: "up"; readonly error: MigrationError; readonly up: undefined }
  | { readonly end: "down"; readonly error: MigrationError; readonly up: AppliedUp }
  | {
      readonly end: "up-again";
      readonly error: MigrationError;
      readonly up: AppliedUp;
      readonly back: WayBack;
    }
  | { readonly end: "done"; readonly up: AppliedUp; readonly back: WayBack | undefined };

/** The state after `up`. */
export interface AppliedUp {
  readonly catalog: Catalog;
  readonly differences: readonly CatalogDifference[];
  readonly filled: FilledTables | undefined;
}

/** What `down` and the second `up` led to. */
export interface WayBack {
  readonly down: readonly CatalogDifference[];
  /** Empty, too, where the second `up` failed. */
  readonly again: readonly CatalogDifference[];
  readonly before: RowPrints;
  readonly after: RowPrints;
  /** Rows inserted between `up` and `down`, by table. */
  readonly added: ReadonlyMap<string, number>;
}

/** Runs up, down and up on the stage; only up where there is no way back. Throws when the server is lost. */
export async function attempt(ground: ProofGround, trial: Trial): Promise<Attempt> {
  const { stage } = ground;
  const { file, before } = trial;
  const prints = file.down === undefined ? undefined : await printRows(stage.connection, before);
  const upError = await failureOf(ground, stage.run(file, "up"));
  if (upError !== undefined) return { end: "up", error: upError, up: undefined };
  const catalog = await read(ground);
  const differences = compareCatalogs(before, catalog);
  const hasDown = prints !== undefined;
  const { filled, added } = await fillBetween(
    ground,
    trial,
    catalog,
    differences,
    hasDown && trial.fillsBetween,
  );
  const up: AppliedUp = { catalog, differences, filled };
  if (!hasDown) return { end: "done", up, back: undefined };

  const downError = await failureOf(ground, stage.run(file, "down"));
  if (downError !== undefined) return { end: "down", error: downError, up };
  const undone = await read(ground);
  const after = await printRows(stage.connection, undone);
  const down = compareCatalogs(before, undone);

  const back: WayBack = { down, again: [], before: prints, after, added };
  const againError = await failureOf(ground, stage.run(file, "up"));
  if (againError !== undefined) return { end: "up-again", error: againError, up, back };
  const again = compareCatalogs(catalog, await read(ground));
  return { end: "done", up, back: { ...back, again } };
}

export async function read({ stage, schemaName }: ProofGround): Promise<Catalog> {
  return readCatalog(stage.connection, schemaName, { schemas: "all" });
}

interface Between {
  readonly filled: FilledTables | undefined;
  readonly added: ReadonlyMap<string, number>;
}

async function fillBetween(
  ground: ProofGround,
  { file }: Trial,
  catalog: Catalog,
  differences: readonly CatalogDifference[],
  isWanted: boolean,
): Promise<Between> {
  if (!isWanted || differences.length === 0) return { filled: undefined, added: new Map() };
  const { connection } = ground.stage;
  const had = await countRows(connection, catalog);
  const filled = await fill(ground, catalog, file.version, differences);
  const now = await countRows(connection, catalog);
  return { filled, added: new Map([...now].map(([table, count]) => [table, count - (had.get(table) ?? 0)])) };
}

/** Fills what has no rows, and gives tables with new columns rows that have values in them. */
export async function fill(
  { stage, rowsPerTable, seed, proveRows, emptyTables }: ProofGround,
  catalog: Catalog,
  version: string,
  differences: readonly CatalogDifference[],
): Promise<FilledTables> {
  const columns = differences.flatMap(({ kind, name, right }) =>
    kind === "column" && right !== undefined ? [name] : [],
  );
  const touched = catalog.objects.flatMap((object) =>
    object.kind === "table" && object.columns.some(({ id }) => columns.includes(id.slice("column ".length)))
      ? [object.id.slice("table ".length)]
      : [],
  );
  return fillTables(stage.connection, catalog, {
    rowsPerTable,
    seed,
    renewed: new Set(touched),
    passedOver: new Set([...emptyTables].filter((table) => !mayFillNow(table, differences))),
    supply: proveRows === undefined ? undefined : supplierOf(proveRows, version),
  });
}

/** Kinds a check or a default may stand on without naming them in the table. */
const FAR_KINDS = new Set(["domain", "enum", "composite type", "range type", "function"]);

function mayFillNow(table: string, differences: readonly CatalogDifference[]): boolean {
  return differences.some(
    ({ kind, name }) => FAR_KINDS.has(kind) || name === table || name.startsWith(`${table}.`),
  );
}

/** A refused statement, or a file that cannot be run, is what a proof looks for; a lost server is not. */
export async function failureOf(
  { signal }: ProofGround,
  work: Promise<void>,
): Promise<MigrationError | undefined> {
  try {
    await work;
    return undefined;
  } catch (error) {
    if (signal?.aborted === true) throw interrupted("a migration was proven");
    if (error instanceof MigrationError && !isConnectionError(error.cause)) return error;
    throw error;
  }
}
