import { readFileSync } from "node:fs";
import { type Connection, type ConnectionTarget, retarget } from "../driver/index.ts";
import { ConfigError, isPlinthError } from "../errors/index.ts";
import {
  createClone,
  createEmptyDatabase,
  dropOwned,
  dropUnlessUsed,
  freeLock,
  type OwnedName,
  ownedName,
  takeLock,
  templateName,
  withLock,
} from "../shadow/index.ts";
import { publishTemplate, selectDatabaseExists, selectOldTemplates, selectServer } from "./queries.ts";
import type { Recipe } from "./recipe.ts";

/** Templates kept per role and server: those of a few branches. Older ones are dropped when one is built. */
const TEMPLATES_LIMIT = 20;

/** A template can be dropped by another process, or its files edited, between two steps: then again. */
const ATTEMPTS_LIMIT = 3;

/** Gives a clone of the recipe's template, which is built first when there is none. The keeper owns the clone. */
export async function cloneOf(
  keeper: Connection,
  server: ConnectionTarget,
  recipe: Recipe,
): Promise<OwnedName> {
  const clone = ownedName("test");
  await takeLock(keeper, clone.lockKey);
  for (let attempt = 1; ; attempt++) {
    const template = await ensureTemplate(keeper, server, recipe);
    try {
      await createClone(keeper, clone.name, template);
      return clone;
    } catch (error) {
      const isDropped = isPlinthError(error) && error.code === "DATABASE_MISSING";
      if (!isDropped || attempt === ATTEMPTS_LIMIT) throw error;
    }
  }
}

/** The name of the recipe's template, built if need be: by one process, while the others wait for it. */
export async function ensureTemplate(
  keeper: Connection,
  server: ConnectionTarget,
  recipe: Recipe,
): Promise<string> {
  const facts = [plinthVersion(), ...(await selectServer(keeper))];
  for (let attempt = 1; ; attempt++) {
    const ingredients = [...facts, ...(await recipe.ingredients())];
    const template = templateName(ingredients);
    if (await selectDatabaseExists(keeper, template.name)) return template.name;
    const isBuilt = await withLock(keeper, template.lockKey, async () => {
      if (await selectDatabaseExists(keeper, template.name)) return true;
      return build(keeper, server, recipe, template.name, facts);
    });
    if (isBuilt) return template.name;
    if (attempt === ATTEMPTS_LIMIT) {
      throw new ConfigError("the migrations keep changing while they are applied", {
        hint: "Wait until nobody writes to the folder, and start the tests again.",
      });
    }
  }
}

/**
 * Builds under a name of its own and renames at the end: a builder that is killed leaves an orphan, never half a
 * template. False when the files changed meanwhile, so that the content is not what the name says.
 */
async function build(
  keeper: Connection,
  server: ConnectionTarget,
  recipe: Recipe,
  name: string,
  facts: readonly string[],
): Promise<boolean> {
  const building = ownedName("building");
  await takeLock(keeper, building.lockKey);
  try {
    await createEmptyDatabase(keeper, building.name).catch(explainRights);
    // A migration may take as long as it takes.
    await recipe.apply(retarget(server, { database: building.name, session: { statementTimeoutMs: 0 } }));
    const after = templateName([...facts, ...(await recipe.ingredients())]);
    if (after.name !== name) {
      await dropOwned(keeper, building);
      return false;
    }
    await publishTemplate(keeper, building.name, name);
    await freeLock(keeper, building.lockKey);
  } catch (error) {
    // Why it could not be built matters more; what cannot be dropped now is an orphan once the keeper has ended.
    await dropOwned(keeper, building).catch(() => undefined);
    throw error;
  }
  for (const old of await selectOldTemplates(keeper, TEMPLATES_LIMIT)) await dropUnlessUsed(keeper, old);
  return true;
}

function explainRights(error: unknown): never {
  if (!isPlinthError(error) || error.code !== "PERMISSION_DENIED") throw error;
  throw new ConfigError("the role of the test server may not create databases", {
    hint: "Run as a superuser: alter role … createdb. Or leave the URL out, and the embedded server is used.",
    cause: error,
  });
}

function plinthVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
  const version =
    typeof manifest === "object" && manifest !== null && "version" in manifest ? manifest.version : "";
  return String(version);
}
