/** What functions and blocks do, where their text says it. */
import type { DoStmt, Node } from "libpg-query";
import type { CatalogView, FunctionFacts, RelationName } from "../catalog-view.ts";
import { nameIn, qualified } from "../names.ts";
import type { EffectSet } from "./effect-set.ts";
import { callsIn, sequencesIn } from "./expressions.ts";
import { type BodyParts, readBlock, readBody } from "./plpgsql.ts";

/** Works out a text of SQL inside a function: given from outside, because every statement may stand in one. */
export interface Routines {
  readonly textEffects: (text: string, effects: EffectSet, routines: Routines) => Promise<void>;
  readonly treeEffects: (tree: Node, text: string, effects: EffectSet, routines: Routines) => Promise<void>;
  /** Functions that are being looked into: one may call itself. */
  readonly open: ReadonlySet<string>;
}

const DEPTH_LIMIT = 16;

/** The functions a query calls. Those that are built in touch no table, but for sequences. */
export async function callEffects(
  tree: Node,
  view: CatalogView,
  effects: EffectSet,
  routines: Routines,
): Promise<void> {
  for (const name of sequencesIn(tree)) {
    const parts = name.split(".");
    const sequence = await view.find({ schema: parts.at(-2), name: parts.at(-1) ?? "" });
    if (sequence !== undefined) effects.lock(sequence, "RowExclusiveLock");
  }
  for (const call of callsIn(tree)) {
    await routineEffects(nameIn(call.funcname), (call.args ?? []).length, view, effects, routines);
  }
}

/** One function or procedure by its name. */
export async function routineEffects(
  name: RelationName,
  arity: number,
  view: CatalogView,
  effects: EffectSet,
  routines: Routines,
): Promise<void> {
  const key = qualified(name);
  if (routines.open.has(key)) return;
  const overloads = await view.functions(name, arity);
  if (overloads === undefined) return effects.unknown(`what the function ${key} does is not known`);
  const open = new Set([...routines.open, key]);
  if (open.size > DEPTH_LIMIT)
    return effects.unknown(`functions call each other more than ${DEPTH_LIMIT} deep`);
  for (const overload of overloads) {
    if (!overload.isBuiltIn) await definitionEffects(key, overload, effects, { ...routines, open });
  }
}

/** Names of functions in C that are known to run DDL or statements elsewhere. */
const DOES_MORE =
  /(?:^|\.)(?:dblink|create_|drop_|alter_|add_|remove_|move_|convert_|undistribute_|truncate_|run_)/;

async function definitionEffects(
  name: string,
  { language, definition, volatility }: FunctionFacts,
  effects: EffectSet,
  routines: Routines,
): Promise<void> {
  if (language === "c" || language === "internal") {
    const isSuspect = volatility === "volatile" && DOES_MORE.test(name);
    return isSuspect ? effects.unknown(`what the function ${name} does is written in C`) : undefined;
  }
  const isReadable = language === "sql" || language === "plpgsql";
  const parts = isReadable && definition !== undefined ? await readBody(language, definition) : undefined;
  if (parts === undefined) return effects.unknown(`what the function ${name} does cannot be read`);
  await partEffects(parts, effects, routines);
  for (const reason of parts.unknowns) effects.unknown(`${reason} in the function ${name}`);
}

/** A `do` block: what its statements do, as if every branch ran. */
export async function blockEffects(statement: DoStmt, effects: EffectSet, routines: Routines): Promise<void> {
  const option = (name: string): string | undefined => {
    for (const argument of statement.args ?? []) {
      if (!("DefElem" in argument) || argument.DefElem.defname !== name) continue;
      const { arg } = argument.DefElem;
      if (arg !== undefined && "String" in arg) return arg.String.sval ?? "";
    }
    return undefined;
  };
  const language = (option("language") ?? "plpgsql").toLowerCase();
  const parts = language === "plpgsql" ? await readBlock(option("as") ?? "") : undefined;
  if (parts === undefined) return effects.unknown("what the block does cannot be read");
  await partEffects(parts, effects, routines);
  for (const reason of parts.unknowns) effects.unknown(`${reason} in the block`);
}

async function partEffects(parts: BodyParts, effects: EffectSet, routines: Routines): Promise<void> {
  for (const text of parts.texts) await routines.textEffects(text, effects, routines);
  for (const tree of parts.trees) await routines.treeEffects(tree, "", effects, routines);
}
