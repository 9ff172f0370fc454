import type { CatalogObject } from "../model.ts";
import { alterTable, tableSettings } from "./alter-table.ts";
import { changedAttributes } from "./attributes.ts";
import { beginHistories } from "./begin-history.ts";
import { addConstraint, alterConstraint, dropConstraint } from "./constraint.ts";
import { createTable, inlineConstraints } from "./create-table.ts";
import { dropTable } from "./drop-table.ts";
import { alterExtension, createExtension, createSchema, dropExtension, dropSchema } from "./extension.ts";
import { fillKeptColumns } from "./fill-kept.ts";
import type { Ground } from "./ground.ts";
import { alterIndex, createIndex, dropIndex } from "./index-steps.ts";
import { createOther, createStatistics, dropOther, dropStatistics } from "./other.ts";
import { alterPolicy, createPolicy, dropPolicy } from "./policy.ts";
import { retireTable } from "./retire-table.ts";
import { alterRoutine, createRoutine, dropRoutine } from "./routine.ts";
import { alterRule, createRule, dropRule } from "./rule.ts";
import { alterSequence, createSequence, dropSequence } from "./sequence.ts";
import { RANK, type Step } from "./step.ts";
import { alterTrigger, createTrigger, dropTrigger } from "./trigger.ts";
import { alterType, createType, dropType, retireType } from "./type-steps.ts";
import { alterView, createView, dropView } from "./view.ts";
import { warnOfWiderKeys } from "./wider-key.ts";

/** Everything that is to be done, in no order yet. */
export function stepsFor(ground: Ground): readonly Step[] {
  const inside = new Set(
    [...ground.to.objects.values()].flatMap((object) =>
      object.kind === "table" ? inlineConstraints(ground, object).map(({ id }) => id) : [],
    ),
  );
  const { from, to } = ground;
  warnOfWiderKeys(ground);
  const dropped = [...from.objects.values()].flatMap((object) => {
    const fate = ground.fateOf(object.id);
    return fate === "drop" || fate === "replace" ? drop(ground, object) : [];
  });
  const made = [...to.objects.values()].flatMap((object) => {
    const old = from.objects.get(object.id);
    switch (ground.fateOf(object.id)) {
      case "make":
      case "replace":
        return inside.has(object.id) ? [] : create(ground, object);
      case "retire":
        return old === undefined ? [] : retire(ground, old, object);
      case "alter":
        return old === undefined ? [] : alter(ground, old, object);
      default:
        return old === undefined ? [] : keep(ground, old, object);
    }
  });
  return [...dropped, ...made, ...fillKeptColumns(ground), ...beginHistories(ground)].filter(isWorthIt);
}

/** A step may have nothing to say and still keep others in order. */
function isWorthIt({ statements, drops, makes }: Step): boolean {
  return statements.length > 0 || (drops?.length ?? 0) + (makes?.length ?? 0) > 0;
}

function create(ground: Ground, object: CatalogObject): readonly Step[] {
  switch (object.kind) {
    case "schema":
      return createSchema(ground, object);
    case "extension":
      return createExtension(ground, object);
    case "enum":
    case "domain":
    case "composite type":
    case "range type":
    case "collation":
      return createType(ground, object);
    case "sequence":
      return createSequence(ground, object);
    case "table":
      return [...createTable(ground, object), ...tableSettings(ground, undefined, object)];
    case "constraint":
      return addConstraint(ground, object);
    case "index":
      return createIndex(ground, object);
    case "view":
    case "materialized view":
      return createView(ground, object);
    case "function":
    case "procedure":
    case "aggregate":
      return createRoutine(ground, object);
    case "trigger":
      return createTrigger(ground, object);
    case "policy":
      return createPolicy(ground, object);
    case "rule":
      return createRule(ground, object);
    case "statistics":
      return createStatistics(ground, object);
    default:
      return createOther(ground, object);
  }
}

function drop(ground: Ground, object: CatalogObject): readonly Step[] {
  switch (object.kind) {
    case "schema":
      return dropSchema(object);
    case "extension":
      return dropExtension(object);
    case "enum":
    case "domain":
    case "composite type":
    case "range type":
    case "collation":
      return [dropType(ground, object)];
    case "sequence":
      return dropSequence(ground, object);
    case "table":
      return dropTable(ground, object);
    case "constraint":
      return dropConstraint(ground, object);
    case "index":
      return dropIndex(ground, object);
    case "view":
    case "materialized view":
      return dropView(ground, object);
    case "function":
    case "procedure":
    case "aggregate":
      return dropRoutine(ground, object);
    case "trigger":
      return dropTrigger(ground, object);
    case "policy":
      return dropPolicy(ground, object);
    case "rule":
      return dropRule(ground, object);
    case "statistics":
      return dropStatistics(ground, object);
    default:
      return dropOther(ground, object);
  }
}

function alter(ground: Ground, from: CatalogObject, to: CatalogObject): readonly Step[] {
  if (from.kind === "extension" && to.kind === "extension") return alterExtension(ground, from, to);
  if (from.kind === "sequence" && to.kind === "sequence")
    return [...alterSequence(ground, from, to), ...attributes(ground, from, to)];
  if (from.kind === "constraint" && to.kind === "constraint") return alterConstraint(ground, from, to);
  if (from.kind === "index" && to.kind === "index") return alterIndex(ground, from, to);
  if (isView(from) && isView(to)) return alterView(ground, from, to);
  if (isRoutine(from) && isRoutine(to)) return alterRoutine(ground, from, to);
  if (from.kind === "trigger" && to.kind === "trigger") return alterTrigger(ground, from, to);
  if (from.kind === "policy" && to.kind === "policy") return alterPolicy(ground, from, to);
  if (from.kind === "rule" && to.kind === "rule") return alterRule(ground, from, to);
  return [...alterType(ground, from, to), ...attributes(ground, from, to)];
}

function isView(object: CatalogObject): object is Extract<CatalogObject, { readonly query: string }> {
  return "query" in object;
}

function isRoutine(object: CatalogObject): object is Extract<CatalogObject, { readonly returns: string }> {
  return "returns" in object;
}

function keep(ground: Ground, from: CatalogObject, to: CatalogObject): readonly Step[] {
  if (from.kind === "table" && to.kind === "table") return alterTable(ground, from, to);
  const isRefreshed = to.kind === "domain" && ground.decisions.refreshed.has(to.id);
  const own = from.kind === "sequence" && to.kind === "sequence" ? alterSequence(ground, from, to) : [];
  return [...(isRefreshed ? alterType(ground, from, to) : []), ...own, ...attributes(ground, from, to)];
}

function retire(ground: Ground, from: CatalogObject, to: CatalogObject): readonly Step[] {
  return from.kind === "table" && to.kind === "table"
    ? [...retireTable(ground, from, to), ...tableSettings(ground, undefined, to)]
    : retireType(ground, from, to);
}

function attributes(ground: Ground, from: CatalogObject, to: CatalogObject): readonly Step[] {
  const statements = changedAttributes(ground, from, to);
  return statements.length === 0 ? [] : [{ rank: RANK.attributes, statements, needs: [to.id] }];
}
