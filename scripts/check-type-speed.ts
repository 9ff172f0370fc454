/**
 * What a large schema costs the compiler: writes one of 200 tables with calls of its repositories into a temporary folder, and
 * checks it against Plinth's declarations, as an application would.
 *
 *   node --import tsx scripts/check-type-speed.ts [tables]
 *
 * Prints a line for the schema alone, with a call of each table, and with seven. Ends with an error where one of them does not
 * check, or where the first two take more than five seconds. The seconds are the processor's, of one thread, which also
 * does the reading of files; types and instantiations are the same on every machine.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { largeSchema, largeUse } from "./large-schema.ts";

const TABLES_DEFAULT = 200;
const SECONDS_LIMIT = 5;

interface Cost {
  readonly cpuSeconds: number;
  readonly types: number;
  readonly instantiations: number;
}

const root = resolve(import.meta.dirname, "..");
const tsc = join(root, "node_modules", ".bin", "tsc");
const tables = Number(process.argv[2] ?? TABLES_DEFAULT);
const folder = mkdtempSync(join(tmpdir(), "plinth-types-"));
try {
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  const declarations = join(folder, "plinth");
  const build = ["-p", join(root, "tsconfig.build.json"), "--emitDeclarationOnly", "--outDir", declarations];
  spawnSync(tsc, build, { stdio: ["ignore", "ignore", "inherit"] });
  writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module" }));
  writeFileSync(join(folder, "schema.ts"), largeSchema(tables));
  const alone = check("the schema alone", declarations, "schema");
  writeFileSync(join(folder, "use.ts"), largeUse(tables, 1));
  const used = check(`with ${tables} calls`, declarations, "use");
  writeFileSync(join(folder, "use.ts"), largeUse(tables, 7));
  check(`with ${tables * 7} calls`, declarations, "use");
  if (Math.max(alone.cpuSeconds, used.cpuSeconds) > SECONDS_LIMIT) process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true });
}

function check(what: string, declarations: string, file: string): Cost {
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(settings(declarations, file)));
  const args = ["-p", folder, "--singleThreaded", "--extendedDiagnostics"];
  // Node tells no processor time of a child; the shell does.
  const script = '"$0" "$@"; status=$?; times; exit $status';
  const { status, stdout } = spawnSync("sh", ["-c", script, tsc, ...args], { encoding: "utf8" });
  if (status !== 0) throw new Error(`${tables} tables, ${what}: does not check\n${stdout}`);
  const times =
    stdout
      .trim()
      .split("\n")
      .at(-1)
      ?.matchAll(/(\d+)m([\d.]+)s/g) ?? [];
  const cpuSeconds = [...times].reduce((sum, [, m, s]) => sum + Number(m) * 60 + Number(s), 0);
  const figure = (name: string) => Number(stdout.match(new RegExp(`^${name}:\\s*(\\d+)`, "m"))?.[1]);
  const cost = { cpuSeconds, types: figure("Types"), instantiations: figure("Instantiations") };
  const counts = `${cost.types.toLocaleString("en")} types, ${cost.instantiations.toLocaleString("en")} instantiations`;
  process.stdout.write(`${tables} tables, ${what}: ${cpuSeconds.toFixed(2)} s CPU, ${counts}\n`);
  return cost;
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
