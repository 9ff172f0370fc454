import type {
  CatalogObject,
  CompositeObject,
  ConstraintObject,
  DomainObject,
  EnumObject,
  PolicyObject,
  RoutineObject,
  SequenceObject,
  ViewObject,
} from "../model.ts";

/**
 * How an object becomes another one of the same id: it is the same, it can be changed in place, or it has to make
 * room for a new one. `isRedefined`: the change in place looks up anew everything the object refers to.
 */
export interface Change {
  readonly how: "same" | "alter" | "anew";
  readonly isRedefined: boolean;
}

const SAME: Change = { how: "same", isRedefined: false };
const ALTER: Change = { how: "alter", isRedefined: false };
const REDEFINE: Change = { how: "alter", isRedefined: true };
const ANEW: Change = { how: "anew", isRedefined: true };

/** Comments and rights are not looked at: they change in place on every kind. Columns are compared one by one. */
export function compareObjects(from: CatalogObject, to: CatalogObject): Change {
  if (isSame(from.kind, to.kind) === false) return ANEW;
  switch (to.kind) {
    case "schema":
      return SAME;
    case "extension":
      return from.kind === to.kind && from.version === to.version && from.home === to.home ? SAME : ALTER;
    case "enum":
      return from.kind === to.kind ? enumChange(from, to) : ANEW;
    case "domain":
      return from.kind === to.kind ? domainChange(from, to) : ANEW;
    case "composite type":
      return from.kind === to.kind ? compositeChange(from, to) : ANEW;
    case "sequence":
      return from.kind === to.kind ? sequenceChange(from, to) : ANEW;
    case "table":
      return from.kind === to.kind && from.partitionKey === to.partitionKey ? SAME : ANEW;
    case "constraint":
      return from.kind === to.kind ? constraintChange(from, to) : ANEW;
    case "index":
      if (from.kind !== to.kind || from.definition !== to.definition) return ANEW;
      if (!from.isValid && to.isValid) return ANEW;
      return to.attachedTo === undefined || to.attachedTo === from.attachedTo ? SAME : ALTER;
    case "view":
    case "materialized view":
      return from.kind === to.kind ? viewChange(from, to) : ANEW;
    case "function":
    case "procedure":
    case "aggregate":
      return from.kind === to.kind ? routineChange(from, to) : ANEW;
    case "trigger":
      if (from.kind !== to.kind) return ANEW;
      if (from.definition !== to.definition) {
        return /^create constraint/i.test(from.definition + to.definition) ? ANEW : REDEFINE;
      }
      return from.enabled === to.enabled ? SAME : ALTER;
    case "policy":
      return from.kind === to.kind ? policyChange(from, to) : ANEW;
    case "rule":
      return from.kind === to.kind && from.definition === to.definition ? SAME : REDEFINE;
    default:
      return "definition" in from && from.definition === to.definition ? SAME : ANEW;
  }
}

function isSame(one: unknown, other: unknown): boolean {
  return one === other || JSON.stringify(one) === JSON.stringify(other);
}

/** Values can only be added, anywhere. */
function enumChange(from: EnumObject, to: EnumObject): Change {
  if (isSame(from.values, to.values)) return SAME;
  const kept = to.values.filter((value) => from.values.includes(value));
  return isSame(kept, from.values) ? ALTER : ANEW;
}

function domainChange(from: DomainObject, to: DomainObject): Change {
  if (from.type !== to.type || from.collation !== to.collation) return ANEW;
  const isEqual =
    from.default === to.default && from.notNull === to.notNull && isSame(from.checks, to.checks);
  return isEqual ? SAME : ALTER;
}

/** Attributes can be dropped, and added at the end. */
function compositeChange(from: CompositeObject, to: CompositeObject): Change {
  if (isSame(from.attributes, to.attributes)) return SAME;
  const kept = from.attributes.filter((one) => to.attributes.some((other) => isSame(one, other)));
  const names = new Set(from.attributes.map(({ name }) => name));
  const added = to.attributes.filter((one) => !kept.some((other) => isSame(one, other)));
  const isGrown = isSame([...kept, ...added], to.attributes) && added.every(({ name }) => !names.has(name));
  return isGrown && kept.length > 0 ? ALTER : ANEW;
}

function sequenceChange(from: SequenceObject, to: SequenceObject): Change {
  const isEqual =
    isSame(from.options, to.options) && from.ownedBy === to.ownedBy && from.isUnlogged === to.isUnlogged;
  return isEqual ? SAME : ALTER;
}

const DEFERRABLE = /( NOT)? DEFERRABLE( INITIALLY (DEFERRED|IMMEDIATE))?$/i;

/** A constraint's definition without what `alter constraint` changes. */
export function withoutDeferral(definition: string): string {
  return definition.replace(DEFERRABLE, "");
}

function constraintChange(from: ConstraintObject, to: ConstraintObject): Change {
  // Its triggers work again once it is made again.
  if (from.isSuspended && !to.isSuspended) return ANEW;
  const isForeignKey = from.type === "foreign key" && to.type === "foreign key";
  if (from.definition !== to.definition) {
    const isDeferral =
      isForeignKey && withoutDeferral(from.definition) === withoutDeferral(to.definition) && from.isEnforced;
    if (!isDeferral || from.isEnforced !== to.isEnforced || (from.isValid && !to.isValid)) return ANEW;
    return ALTER;
  }
  if (from.isEnforced !== to.isEnforced) return isForeignKey && to.isValid === to.isEnforced ? ALTER : ANEW;
  if (from.isValid === to.isValid) return SAME;
  return to.isValid ? ALTER : ANEW;
}

/** `create or replace view` takes new columns at the end, nothing else about them. */
function viewChange(from: ViewObject, to: ViewObject): Change {
  const isQueryEqual = from.query === to.query;
  const shape = (view: ViewObject) => view.columns.map(({ name, type }) => [name, type]);
  if (isQueryEqual && isSame(shape(from), shape(to))) {
    return isSame(from.options, to.options) ? SAME : ALTER;
  }
  if (to.kind === "materialized view") return ANEW;
  return isSame(shape(from), shape(to).slice(0, from.columns.length)) ? REDEFINE : ANEW;
}

function routineChange(from: RoutineObject, to: RoutineObject): Change {
  if (from.definition === to.definition) return SAME;
  if (from.kind !== to.kind || from.returns !== to.returns) return ANEW;
  return canReplaceArguments(from.arguments, to.arguments) ? REDEFINE : ANEW;
}

/** Names stay, and what could be left out may still be left out. */
function canReplaceArguments(from: string, to: string): boolean {
  if (from === to) return true;
  const [before, after] = [splitArguments(from), splitArguments(to)];
  return (
    before.length === after.length &&
    before.every((argument, index) => {
      const other = after[index] ?? "";
      const hadDefault = argument !== withoutDefault(argument);
      return (
        withoutDefault(argument) === withoutDefault(other) && (!hadDefault || other !== withoutDefault(other))
      );
    })
  );
}

function withoutDefault(argument: string): string {
  return argument.replace(/ DEFAULT [\s\S]*$/i, "");
}

/** At commas outside of brackets and quotes. */
function splitArguments(text: string): readonly string[] {
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  const tokens = /'(?:[^']|'')*'|"(?:[^"]|"")*"|[()[\],]/g;
  for (const { 0: token, index } of text.matchAll(tokens)) {
    if (token === "(" || token === "[") depth++;
    else if (token === ")" || token === "]") depth--;
    else if (token === "," && depth === 0) {
      parts.push(text.slice(start, index).trim());
      start = index + 1;
    }
  }
  return [...parts, text.slice(start).trim()];
}

/** `alter policy` can change what it says, not take a part of it away. */
function policyChange(from: PolicyObject, to: PolicyObject): Change {
  const isEqual = isSame(from.roles, to.roles) && from.using === to.using && from.check === to.check;
  if (from.command !== to.command || from.isPermissive !== to.isPermissive) return ANEW;
  if (isEqual) return SAME;
  const losesPart =
    (from.using !== undefined && to.using === undefined) ||
    (from.check !== undefined && to.check === undefined);
  return losesPart ? ANEW : REDEFINE;
}
