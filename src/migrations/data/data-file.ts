import { basename } from "node:path";
import { createModuleLoader, type ModuleLoader } from "../../config/index.ts";
import { isPlinthError, MigrationError } from "../../errors/index.ts";
import { badName, checksumOf, decodeText, type MigrationFile } from "../migration-file.ts";
import { type DataMigration, isDataMigration } from "./data-migration.ts";

/** `0007_fill_slugs.ts` */
const FILE_NAME = /^(\d{8}_\d{6}|\d{1,20})_([A-Za-z0-9][A-Za-z0-9_-]{0,199})\.ts$/;

/** Reads a data migration's file without running it: what it does, and whether it has a way back, only loading tells. */
export function parseDataFile(path: string, bytes: Uint8Array): MigrationFile {
  const fileName = basename(path);
  const match = FILE_NAME.exec(fileName);
  if (match?.[1] === undefined || match[2] === undefined) throw badName(fileName);
  const text = decodeText(fileName, bytes);
  return {
    version: match[1].replace("_", ""),
    name: match[2],
    fileName,
    up: { text: "", firstLine: 1, isTransactional: false },
    down: undefined,
    checksum: checksumOf(text),
    modulePath: path,
  };
}

/** Which text each loaded module came from. */
const loadedFrom = new WeakMap<DataMigration, string>();

/**
 * Imports a data migration and checks what it exports.
 *
 * @throws {MIGRATION_INVALID} when it cannot be loaded, or does not export a data migration by default.
 */
export async function loadDataMigration(file: MigrationFile, load?: ModuleLoader): Promise<DataMigration> {
  const { modulePath, fileName, checksum } = file;
  if (modulePath === undefined) throw invalid(fileName, "is no data migration", "Read the folder again.");
  const module = await (load ?? createModuleLoader())(modulePath, checksum).catch((error: unknown) => {
    throw cannotLoad(fileName, error);
  });
  const exported = module.default;
  if (!isDataMigration(exported)) {
    throw invalid(
      fileName,
      "does not export a data migration",
      'Write export default dataMigration({ up }), with dataMigration from "plinth/migrations".',
    );
  }
  const loaded = loadedFrom.get(exported) ?? checksum;
  loadedFrom.set(exported, loaded);
  // The loader keeps what it loaded first; the ledger would be told the checksum of a text that never ran.
  if (loaded !== checksum) {
    throw invalid(fileName, "was edited after this process had loaded it", "Run it in a new process.");
  }
  return exported;
}

function cannotLoad(fileName: string, error: unknown): MigrationError {
  const reason = isPlinthError(error)
    ? error.summary
    : error instanceof Error
      ? error.message.split("\n", 1)[0]
      : "";
  return new MigrationError("MIGRATION_INVALID", `${fileName} cannot be used: ${reason}`, {
    file: fileName,
    hint: "Nothing was sent to the server. Correct the file and run the command again.",
    cause: error,
  });
}

function invalid(fileName: string, problem: string, hint: string): MigrationError {
  return new MigrationError("MIGRATION_INVALID", `${fileName} ${problem}`, { file: fileName, hint });
}
