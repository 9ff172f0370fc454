import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { ROOT, read } from "./tree.ts";

/** What the contract tests read of package.json. */
export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
  readonly bin: Readonly<Record<string, string>>;
  readonly scripts: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}

export const manifest: Manifest = JSON.parse(read("package.json"));

/** A folder in which somebody installed the packed package beside its dependencies. */
export interface Consumer {
  readonly folder: string;
  /** The files of the tarball. */
  readonly packed: readonly string[];
  /** Runs `node` there and returns its stdout. @throws with its stderr when it fails. */
  node(parameters: readonly string[], environment?: Readonly<Record<string, string>>): string;
  /** What the type checker says of `files`, or nothing. Strict, as a careful user has it. */
  typeErrors(files: readonly string[]): string;
  write(path: string, text: string): void;
  remove(): void;
}

/** Packs the package as `npm publish` would, and installs the tarball in a new folder. */
export function installPacked(): Consumer {
  if (!existsSync(join(ROOT, "dist/index.js")))
    throw new Error("there is no dist/: run `npm run build` first");
  const folder = mkdtempSync(join(tmpdir(), "plinth-consumer-"));
  const report = execFileSync("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", folder], {
    cwd: ROOT,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [tarball]: { filename: string; files: { path: string }[] }[] = JSON.parse(report);
  const installed = join(folder, "node_modules", manifest.name);
  mkdirSync(installed, { recursive: true });
  execFileSync("tar", [
    "-xzf",
    join(folder, tarball?.filename ?? ""),
    "-C",
    installed,
    "--strip-components=1",
  ]);
  const beside = [
    "tsx",
    "@types/node",
    ...Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies }),
  ];
  for (const name of beside) {
    const link = join(folder, "node_modules", name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(ROOT, "node_modules", name), link);
  }

  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  };
  const node: Consumer["node"] = (parameters, environment = {}) =>
    execFileSync(process.execPath, parameters, {
      cwd: folder,
      encoding: "utf8",
      env: { PATH: process.env.PATH, HOME: process.env.HOME, ...environment },
      stdio: ["ignore", "pipe", "pipe"],
    });
  write("package.json", JSON.stringify({ name: "consumer", private: true, type: "module" }));
  return {
    folder,
    packed: tarball?.files.map(({ path }) => path) ?? [],
    node,
    write,
    typeErrors: (files) => {
      const options = { strict: true, noEmit: true, module: "nodenext", target: "es2023", types: ["node"] };
      // Other packages' declarations are theirs; ours are checked by what `files` use of them.
      const compilerOptions = { ...options, skipLibCheck: true, allowImportingTsExtensions: true };
      write("tsconfig.json", JSON.stringify({ compilerOptions, files }));
      try {
        node([join(ROOT, "node_modules/typescript/bin/tsc"), "-p", "."]);
        return "";
      } catch (error) {
        return error instanceof Error && "stdout" in error ? String(error.stdout) : String(error);
      }
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
