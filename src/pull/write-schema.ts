import type { Catalog, CatalogObject, TableObject } from "../catalog/index.ts";
import type { PullContext } from "./context.ts";
import { addEntity } from "./entities.ts";
import { type Dialect, FILE_NAMES, openFile } from "./file.ts";
import { addGrants } from "./grants.ts";
import { quoted } from "./literal.ts";
import { type Lookup, lookInto, needsOf } from "./lookup.ts";
import type { PullFinding } from "./model.ts";
import { camelCase, createNamer, RESERVED_WORDS, TABLE_PROPERTIES } from "./names.ts";
import { findOmissions, type Omissions } from "./omissions.ts";
import type { Recognised } from "./recognise.ts";
import { addRelations } from "./relations.ts";
import { addRoutine } from "./routines.ts";
import { addTrigger } from "./triggers.ts";
import { addComposite, addDomain, addEnum, addExtension, addSequence } from "./values.ts";
import { addView } from "./views.ts";

/** A schema file, and what it does not say. */
export interface WrittenSchema {
  readonly text: string;
  readonly entities: number;
  readonly findings: readonly PullFinding[];
  /** What the findings speak of, as a comparison of catalogs calls it. */
  readonly covered: ReadonlySet<string>;
  /** Ids of what is in the file, or made by what is in it. */
  readonly declared: ReadonlySet<string>;
}

/** Writes a catalog as declarations. Pure: the same catalog gives the same text. */
export function writeSchema(catalog: Catalog, recognised: Recognised, dialect: Dialect): WrittenSchema {
  const lookup = lookInto(catalog);
  const omissions = findOmissions(lookup, recognised);
  const declared = catalog.objects.filter(({ id }) => !omissions.ids.has(id));
  const namer = createNamer([...RESERVED_WORDS, ...FILE_NAMES]);
  const findings: PullFinding[] = [...omissions.findings];
  const covered = new Set(findings.map(({ object }) => object));
  const context: PullContext = {
    lookup,
    constants: constantsOf(declared, namer.take),
    file: openFile(dialect, (type) => namer.take(camelCase(type), "Type")),
    propertiesOf: propertiesIn(lookup),
    omitted: omissions.ids,
    behaviours: recognised.behaviours,
    report: (finding, covers = []) => {
      findings.push(finding);
      for (const id of [finding.object, ...covers]) covered.add(id);
    },
  };
  const entities = addAll(context, declared, omissions, namer.take);
  const options = catalog.home === "public" ? ", { adopted: true }" : "";
  return {
    text: context.file.render(bannerOf(catalog), `appSchema(${quoted(catalog.home)}${options})`),
    entities,
    findings: distinct(findings),
    covered,
    declared: new Set([...declared.map(({ id }) => id), ...omissions.made]),
  };
}

function bannerOf({ serverVersion }: Catalog): string {
  return `// Written by plinth schema pull from a database on PostgreSQL ${serverVersion}. From here on it is yours to edit.`;
}

function addAll(
  context: PullContext,
  declared: readonly CatalogObject[],
  { routines, triggers }: Omissions,
  take: (wanted: string, ending?: string) => string,
): number {
  const tables = declared.filter(isEntityTable);
  for (const object of inOrder(declared)) {
    switch (object.kind) {
      case "extension":
        addExtension(context, object);
        break;
      case "enum":
        addEnum(context, object);
        break;
      case "domain":
        addDomain(context, object);
        break;
      case "composite type":
        addComposite(context, object);
        break;
      case "sequence":
        addSequence(context, object);
        break;
      case "table":
        if (isEntityTable(object)) addEntity(context, object);
        break;
      case "view":
      case "materialized view":
        addView(context, object);
        break;
      case "function":
      case "procedure": {
        const read = routines.get(object.id);
        if (read !== undefined) addRoutine(context, object, read);
        break;
      }
      case "trigger": {
        const read = triggers.get(object.id);
        if (read !== undefined && !object.isInherited) addTrigger(context, object, read);
        break;
      }
      default:
        break;
    }
  }
  const named = (wanted: string): string => take(wanted);
  for (const table of tables) addRelations(context, table, tables, named);
  for (const object of declared) addGrants(context, object, named);
  return tables.length;
}

function isEntityTable(object: CatalogObject): object is TableObject {
  return object.kind === "table" && object.partitionOf === undefined;
}

const RANKS: Readonly<Record<string, number>> = {
  extension: 0,
  enum: 1,
  domain: 2,
  "composite type": 2,
  sequence: 3,
  table: 4,
  view: 5,
  "materialized view": 5,
  function: 6,
  procedure: 6,
  trigger: 7,
};

/** By kind, and what others need before them: constants are declared before they are used. */
function inOrder(objects: readonly CatalogObject[]): readonly CatalogObject[] {
  const byId = new Map(objects.map((object) => [object.id, object]));
  const done = new Set<CatalogObject>();
  const open = new Set<CatalogObject>();
  const visit = (object: CatalogObject): void => {
    if (done.has(object) || open.has(object)) return;
    open.add(object);
    for (const id of needsOf(object)) {
      const needed = byId.get(id);
      if (needed !== undefined && RANKS[needed.kind] === RANKS[object.kind]) visit(needed);
    }
    done.add(object);
  };
  const ranked = objects.filter(({ kind }) => RANKS[kind] !== undefined);
  for (const object of ranked.toSorted((a, b) => (RANKS[a.kind] ?? 0) - (RANKS[b.kind] ?? 0))) visit(object);
  return [...done].toSorted((a, b) => (RANKS[a.kind] ?? 0) - (RANKS[b.kind] ?? 0));
}

/** Tables have the first choice, as they are what is written most. */
const ENDINGS: readonly (readonly [kinds: readonly string[], ending: string])[] = [
  [["table"], "Table"],
  [["view", "materialized view"], "View"],
  [["enum", "domain", "composite type"], "Type"],
  [["function", "procedure"], "Function"],
  [["trigger"], "Trigger"],
  [["sequence"], "Sequence"],
  [["extension"], "Extension"],
];

function constantsOf(
  declared: readonly CatalogObject[],
  take: (wanted: string, ending?: string) => string,
): ReadonlyMap<string, string> {
  const constants = new Map<string, string>();
  for (const [kinds, ending] of ENDINGS) {
    for (const object of declared) {
      if (!kinds.includes(object.kind) || (object.kind === "table" && !isEntityTable(object))) continue;
      constants.set(object.id, take(camelCase(wantedName(object)), ending));
    }
  }
  return constants;
}

/** Triggers of two tables may have one name. */
function wantedName(object: CatalogObject): string {
  if (object.kind !== "trigger") return object.name;
  const table = object.table.slice(object.table.indexOf(" ") + 1).replaceAll('"', "");
  return object.name.startsWith(table) ? object.name : `${table}_${object.name}`;
}

function propertiesIn(lookup: Lookup): PullContext["propertiesOf"] {
  const known = new Map<string, ReadonlyMap<string, string>>();
  return (id) => {
    const found = known.get(id);
    if (found !== undefined) return found;
    const owner = lookup.byId.get(id);
    const namer = createNamer(TABLE_PROPERTIES);
    const columns = owner !== undefined && "columns" in owner ? owner.columns : [];
    const properties = new Map(
      columns.flatMap((column) =>
        typeof column === "object" ? [[column.name, namer.take(camelCase(column.name))] as const] : [],
      ),
    );
    known.set(id, properties);
    return properties;
  };
}

function distinct(findings: readonly PullFinding[]): readonly PullFinding[] {
  return [...new Map(findings.map((finding) => [`${finding.object} ${finding.why}`, finding])).values()];
}
