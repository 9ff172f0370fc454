import { execFile, spawn } from "node:child_process";
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** What one run of the command line gave. */
export interface CliRun {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Plinth built and installed in a folder of its own, as an application has it: JavaScript, no loader. */
export interface Installation {
  readonly folder: string;
  /** Makes an application beside `node_modules`; gives its folder. */
  application(name: string, files: Readonly<Record<string, string>>): string;
  run(
    directory: string,
    arguments_: readonly string[],
    environment?: Readonly<Record<string, string>>,
  ): Promise<CliRun>;
  /** As `run`, but gives the process to the caller. */
  start(
    directory: string,
    arguments_: readonly string[],
    environment?: Readonly<Record<string, string>>,
  ): { readonly ended: Promise<CliRun>; kill(signal: NodeJS.Signals): void; readonly stderr: () => string };
  remove(): void;
}

/** Builds the package, and links the dependencies of this repository beside it. */
export async function installPlinth(): Promise<Installation> {
  const folder = mkdtempSync(join(tmpdir(), "plinth-installed-"));
  // Open to all, so that an embedded server run as root keeps its data inside, where `remove` finds them.
  chmodSync(folder, 0o755);
  const modules = join(folder, "node_modules");
  const installed = join(modules, "plinth");
  mkdirSync(installed, { recursive: true });
  for (const name of readdirSync(join(ROOT, "node_modules"))) {
    if (!name.startsWith(".")) symlinkSync(join(ROOT, "node_modules", name), join(modules, name));
  }
  cpSync(join(ROOT, "package.json"), join(installed, "package.json"));
  cpSync(join(ROOT, "bin"), join(installed, "bin"), { recursive: true });
  const compiler = join(ROOT, "node_modules/typescript/bin/tsc");
  const build = [compiler, "-p", join(ROOT, "tsconfig.build.json"), "--outDir", join(installed, "dist")];
  await promisify(execFile)(process.execPath, build).catch((error: unknown) => {
    rmSync(folder, { recursive: true, force: true });
    throw new Error("the package does not build; run npm run build to see why", { cause: error });
  });
  const start: Installation["start"] = (directory, arguments_, environment = {}) => {
    const { PATH = "", HOME = "" } = process.env;
    const child = spawn(process.execPath, [join(installed, "bin/plinth.js"), ...arguments_], {
      cwd: directory,
      env: { PATH, HOME, ...environment },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
    const ended = new Promise<CliRun>((resolve) => {
      child.once("close", (code) => resolve({ code, stdout, stderr }));
    });
    return { ended, kill: (signal) => child.kill(signal), stderr: () => stderr };
  };
  return {
    folder,
    application: (name, files) => {
      const application = join(folder, name);
      for (const [path, text] of Object.entries(files)) {
        mkdirSync(dirname(join(application, path)), { recursive: true });
        writeFileSync(join(application, path), text);
      }
      return application;
    },
    run: (...run) => start(...run).ended,
    start,
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
