import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { Jiti } from "jiti";
import { ConfigError, PlinthError } from "../errors/index.ts";
import { evaluatePlainConfig, readPlainConfig } from "./plain-config.ts";
import { foldersUpFrom } from "./project-folder.ts";

type LoadedModule = Readonly<Record<string, unknown>>;

/**
 * Imports a module of the application by absolute path, TypeScript too. A second call gives the same one, unless
 * `version` says that the file has changed; where the platform cannot load it again it gives the old one.
 */
export type ModuleLoader = (file: string, version?: string) => Promise<LoadedModule>;

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

function importNatively(file: string, version?: string): Promise<LoadedModule> {
  const { href } = pathToFileURL(file);
  return import(version === undefined ? href : `${href}?v=${version}`);
}

function importWithJiti(): ModuleLoader {
  const loaded = new Map<string, Promise<LoadedModule>>();
  let instances: Instances | undefined;
  const load = async (file: string): Promise<LoadedModule> => {
    const plain = readPlainConfig(file);
    const evaluated = plain && evaluatePlainConfig(plain);
    if (evaluated !== undefined) return evaluated;
    // One instance, so that a seed and the config see the same copy of the schema module.
    instances ??= createInstances(file);
    return (plain === undefined ? instances.whole : instances.light).import<LoadedModule>(file);
  };
  return (file) => {
    const module = loaded.get(file) ?? load(file);
    loaded.set(file, module);
    return module;
  };
}

interface Instances {
  readonly whole: Jiti;
  /** For a config that needs `defineConfig` and nothing else of Plinth's. */
  readonly light: Jiti;
}

/** By `require`: an import reads all of jiti for the names it exports, which takes longer than running it. */
function createInstances(file: string): Instances {
  const { createJiti }: typeof import("jiti") = createRequire(import.meta.url)("jiti");
  const options = { fsCache: cacheFolder(file), interopDefault: false };
  return {
    whole: createJiti(import.meta.url, options),
    light: createJiti(import.meta.url, { ...options, alias: LIGHT_ALIAS }),
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
