/**
 * How long the compiler takes over a large schema: writes one of 200 tables with calls of every repository into a
 * temporary folder, and checks it against Plinth's declarations, as an application would.
 *
 *   node --import tsx scripts/check-type-speed.ts [tables]
 *
 * Prints the compiler's own figures, for the schema alone and with its calls. Ends with an error where one does not check,
 * or where the schema takes more than five seconds. Needs a machine that does nothing else.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { largeSchema, largeUse } from "./large-schema.ts";

const TABLES_DEFAULT = 200;
const SECONDS_LIMIT = 5;

/** Seconds on the clock. */
function checkTime(tsc: string, folder: string, file: string): number {
  const started = performance.now();
  const { status, stdout } = spawnSync(tsc, ["-p", join(folder, `${file}.json`), "--extendedDiagnostics"], {
    encoding: "utf8",
  });
  process.stdout.write(`${file}\n${stdout}`);
  if (status !== 0) throw new Error(`the schema of ${tables} tables does not check`);
  return (performance.now() - started) / 1_000;
}

const root = resolve(import.meta.dirname, "..");
const tables = Number(process.argv[2] ?? TABLES_DEFAULT);
const folder = mkdtempSync(join(tmpdir(), "plinth-types-"));
try {
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  const tsc = join(root, "node_modules", ".bin", "tsc");
  const declarations = join(folder, "plinth");
  const build = ["-p", join(root, "tsconfig.build.json"), "--emitDeclarationOnly", "--outDir", declarations];
  spawnSync(tsc, build, { stdio: ["ignore", "ignore", "inherit"] });
  writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module" }));
  for (const file of ["schema", "use"])
    writeFileSync(join(folder, `${file}.json`), JSON.stringify(settings(declarations, file)));
  writeFileSync(join(folder, "schema.ts"), largeSchema(tables));
  writeFileSync(join(folder, "use.ts"), largeUse(tables));
  const [alone, used] = [checkTime(tsc, folder, "schema"), checkTime(tsc, folder, "use")];
  process.stdout.write(
    `${tables} tables: ${alone.toFixed(2)} s alone, ${used.toFixed(2)} s with seven calls of each\n`,
  );
  if (alone > SECONDS_LIMIT) process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true });
}

function settings(declarations: string, file: string): object {
  return {
    compilerOptions: {
      target: "es2023",
      lib: ["es2023"],
      module: "nodenext",
      types: ["node"],
      strict: true,
      noUncheckedIndexedAccess: true,
      exactOptionalPropertyTypes: true,
      skipLibCheck: true,
      noEmit: true,
      allowImportingTsExtensions: true,
      paths: { plinth: [`${declarations}/index.d.ts`], "plinth/*": [`${declarations}/*/index.d.ts`] },
    },
    files: [`${file}.ts`],
  };
}
