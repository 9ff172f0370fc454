import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { ConfigError, PlinthError } from "../errors/index.ts";
import { foldersUpFrom } from "./project-folder.ts";

/**
 * Imports a module of the application by absolute path, TypeScript too. A second call gives the same one, unless
 * `version` says that the file has changed; where the platform cannot load it again it gives the old one.
 */
export type ModuleLoader = (file: string, version?: string) => Promise<Readonly<Record<string, unknown>>>;

/**
 * Node 20 cannot import TypeScript, so jiti does it for the built package. Where Plinth itself runs from its
 * sources something else loads TypeScript already, and going past it would make a second copy of Plinth whose
 * entities the first one does not know.
 */
export function createModuleLoader(): ModuleLoader {
  const importModule = import.meta.url.endsWith(".ts") ? importNatively : importWithJiti();
  return async (file, version) => {
    if (!existsSync(file))
      throw new ConfigError(`${file} does not exist; correct plinth.config.ts`, { path: file });
    try {
      return await importModule(file, version);
    } catch (error) {
      if (error instanceof PlinthError) throw error;
      const reason =
        error instanceof Error ? error.message.split("\n", 1)[0] : "it threw something that is no error";
      throw new ConfigError(`${file} cannot be loaded: ${reason}`, { path: file, cause: error });
    }
  };
}

function importNatively(file: string, version?: string): Promise<Readonly<Record<string, unknown>>> {
  const { href } = pathToFileURL(file);
  return import(version === undefined ? href : `${href}?v=${version}`);
}

function importWithJiti(): ModuleLoader {
  let jiti: Promise<{ readonly import: ModuleLoader }> | undefined;
  return async (file) => {
    // One instance, so that a seed and the config see the same copy of the schema module.
    jiti ??= import("jiti").then(({ createJiti }) => {
      const fsCache = cacheFolder(file);
      const instance = createJiti(import.meta.url, { fsCache, interopDefault: false });
      const light = createJiti(import.meta.url, { fsCache, interopDefault: false, alias: LIGHT_ALIAS });
      return {
        import: (path) =>
          (isPlainConfig(path) ? light : instance).import<Readonly<Record<string, unknown>>>(path),
      };
    });
    return (await jiti).import(file);
  };
}

/**
 * Where transpiled modules are kept, which spares every command 150 ms: beside the project's packages, and never in the
 * shared temporary folder, where another user could plant one.
 */
function cacheFolder(file: string): string | false {
  const home = foldersUpFrom(dirname(file)).find((folder) => existsSync(join(folder, "node_modules")));
  return home === undefined ? false : join(home, "node_modules", ".cache", "plinth");
}

/** This folder has `defineConfig` too. */
const LIGHT_ALIAS = { plinth: fileURLToPath(new URL("./index.js", import.meta.url)) };

const DEFINE_CONFIG = /^import \{ defineConfig \} from ["']plinth["'];?$/m;

/**
 * A config file whose only import is `defineConfig`: it need not load the whole of Plinth, with its driver and Drizzle,
 * which takes longer than most commands run.
 */
function isPlainConfig(file: string): boolean {
  if (!/plinth\.config\.m?[jt]s$/.test(file)) return false;
  const text = readFileSync(file, "utf8");
  const rest = text.replace(DEFINE_CONFIG, "");
  return rest !== text && !/\b(import|require|from)\b/.test(rest);
}
