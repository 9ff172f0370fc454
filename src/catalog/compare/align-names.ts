import { isGeneratedSequenceName } from "../generated-names.ts";
import type {
  Catalog,
  CatalogColumn,
  CatalogObject,
  ConstraintObject,
  IndexObject,
  SequenceObject,
} from "../model.ts";
import { describeObject } from "./describe.ts";
import { nameIn } from "./entries.ts";

type Named = ConstraintObject | IndexObject | SequenceObject;

/**
 * The same catalog with the names of `reference`, wherever a generated name is all that differs: constraints and
 * indexes of the same table and definition, and the sequences of `serial` columns. A name the server or Drizzle made
 * up says nothing, and differs from one history of the same schema to another.
 */
export function alignNames(catalog: Catalog, reference: Catalog): Catalog {
  const renamed = findRenamed(catalog, reference);
  if (renamed.size === 0) return catalog;
  const idOf = (id: string): string => renamed.get(id)?.id ?? id;
  const objects = catalog.objects.map((object) => renamedObject(object, renamed.get(object.id), idOf));
  return { ...catalog, objects };
}

/** Who takes whose name, by id. */
function findRenamed(catalog: Catalog, reference: Catalog): ReadonlyMap<string, Named> {
  const pairs = new Map([...pairParts(catalog, reference), ...pairSequences(catalog, reference)]);
  const held = new Set(catalog.objects.map(({ id }) => id));
  // A name that something else keeps cannot be taken. Giving one up may leave the next without its own.
  for (let isStable = false; !isStable; ) {
    isStable = true;
    for (const [id, other] of pairs) {
      if (!held.has(other.id) || pairs.has(other.id)) continue;
      pairs.delete(id);
      isStable = false;
    }
  }
  return pairs;
}

/**
 * What is the same by name and definition is out of the question; of the rest, one whose name is generated on either
 * side is the one of the same table and definition.
 */
function pairParts(catalog: Catalog, reference: Catalog): ReadonlyMap<string, Named> {
  const [mine, theirs] = [partsOf(catalog), partsOf(reference)];
  const candidates = new Map<string, Part[]>();
  for (const [id, { object, text }] of theirs) {
    if (mine.get(id)?.text !== text) candidates.set(text, [...(candidates.get(text) ?? []), object]);
  }
  const pairs = new Map<string, Named>();
  for (const [id, { object, text }] of mine) {
    if (theirs.get(id)?.text === text) continue;
    const fitting = candidates.get(text) ?? [];
    const index = fitting.findIndex((other) => other.isNameGenerated || object.isNameGenerated);
    const [other] = index < 0 ? [] : fitting.splice(index, 1);
    if (other !== undefined) pairs.set(id, other);
  }
  return pairs;
}

type Part = ConstraintObject | IndexObject;

/** By id, each with what it is, without its name. */
function partsOf({
  objects,
}: Catalog): ReadonlyMap<string, { readonly object: Part; readonly text: string }> {
  return new Map(
    objects.filter(isPart).map((object) => [object.id, { object, text: anonymousText(object) }]),
  );
}

function isPart(object: CatalogObject): object is Part {
  return object.kind === "constraint" || object.kind === "index";
}

function anonymousText(object: Part): string {
  const text = describeObject(object);
  return `${object.kind} ${object.table} ${object.kind === "index" ? text.replace(INDEX_NAME, "$1 ON ") : text}`;
}

const INDEX_NAME = /^(CREATE (?:UNIQUE )?INDEX) (?:"(?:[^"]|"")*"|[^ "]+) ON /;

function pairSequences(catalog: Catalog, reference: Catalog): ReadonlyMap<string, Named> {
  const owned = new Map(reference.objects.filter(isSerial).map((sequence) => [sequence.ownedBy, sequence]));
  const pairs = new Map<string, Named>();
  for (const sequence of catalog.objects.filter(isSerial)) {
    const other = owned.get(sequence.ownedBy);
    if (other === undefined || other.id === sequence.id || other.schema !== sequence.schema) continue;
    if (hasGeneratedName(sequence) || hasGeneratedName(other)) pairs.set(sequence.id, other);
  }
  return pairs;
}

function isSerial(object: CatalogObject): object is SequenceObject {
  return object.kind === "sequence" && object.ownedBy !== undefined;
}

function hasGeneratedName({ name, ownedBy = "" }: SequenceObject): boolean {
  return isGeneratedSequenceName(name, nameIn(ownedBy, "column"));
}

function renamedObject(
  object: CatalogObject,
  other: Named | undefined,
  idOf: (id: string) => string,
): CatalogObject {
  const dependsOn = object.dependsOn.map(idOf).sort();
  const { id, name } = other ?? object;
  switch (object.kind) {
    case "table":
      return {
        ...object,
        dependsOn,
        replicaIdentity: renamedIdentity(object.id, object.replicaIdentity, idOf),
        columns: object.columns.map((column) => renamedColumn(column, idOf)),
      };
    case "index": {
      const attachedTo = object.attachedTo && idOf(object.attachedTo);
      const path = nameIn(id, "index");
      const quoted = path.slice(path.length - quotedLength(path));
      const definition =
        other === undefined
          ? object.definition
          : object.definition.replace(INDEX_NAME, (_all, head: string) => `${head} ${quoted} ON `);
      return {
        ...object,
        id,
        name,
        isNameGenerated: isGenerated(other, object),
        dependsOn,
        attachedTo,
        definition,
      };
    }
    case "constraint":
      return { ...object, id, name, isNameGenerated: isGenerated(other, object), dependsOn };
    default:
      return { ...object, id, name, dependsOn };
  }
}

function isGenerated(other: Named | undefined, object: Part): boolean {
  return other !== undefined && "isNameGenerated" in other ? other.isNameGenerated : object.isNameGenerated;
}

/** The last part of `audit."Odd name"`, with its quotes. */
function quotedLength(path: string): number {
  return /(?:"(?:[^"]|"")*"|[^".]+)$/.exec(path)?.[0].length ?? path.length;
}

/** `index tasks_pkey` may be the index of a constraint. */
function renamedIdentity(tableId: string, identity: string, idOf: (id: string) => string): string {
  if (!identity.startsWith("index ")) return identity;
  const name = nameIn(identity, "index");
  const table = nameIn(tableId, "table");
  const schema = table.slice(0, table.length - quotedLength(table));
  const [constraint, index] = [`constraint ${table}.${name}`, `index ${schema}${name}`];
  const renamed = idOf(constraint);
  const found =
    renamed === constraint
      ? idOf(index).slice(`index ${schema}`.length)
      : renamed.slice(`constraint ${table}.`.length);
  return `index ${found}`;
}

/** The default of a `serial` column speaks of its sequence by name. */
function renamedColumn(column: CatalogColumn, idOf: (id: string) => string): CatalogColumn {
  const dependsOn = column.dependsOn.map(idOf).sort();
  const [, name] = /^nextval\('((?:[^']|'')+)'::regclass\)$/.exec(column.default ?? "") ?? [];
  if (name === undefined) return { ...column, dependsOn };
  const path = nameIn(idOf(`sequence ${name.replaceAll("''", "'")}`), "sequence");
  return { ...column, dependsOn, default: `nextval('${path.replaceAll("'", "''")}'::regclass)` };
}
