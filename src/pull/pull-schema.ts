import { type Catalog, type CatalogDifference, type CatalogObject, readCatalog } from "../catalog/index.ts";
import type { Connection } from "../driver/index.ts";
import { SchemaError } from "../errors/index.ts";
import { appSchema, type Behaviour } from "../schema/index.ts";
import type { Shadow } from "../shadow/index.ts";
import { lookInto } from "./lookup.ts";
import type { PullFinding } from "./model.ts";
import { proveSchema } from "./prove.ts";
import { NOTHING_RECOGNISED, type Recognised, recognise } from "./recognise.ts";
import { type WrittenSchema, writeSchema } from "./write-schema.ts";

/** What is pulled, and what proves it. */
export interface PullOptions {
  readonly connection: Connection;
  /** The PostgreSQL schema whose objects are declared. */
  readonly schemaName: string;
  /** Where the file is tried. Of the database's major version, or texts may differ that mean the same. */
  readonly shadow: Shadow;
  /** Behaviours that may have been at work: `BEHAVIOURS` of the composition root. */
  readonly behaviours: readonly Behaviour[];
  /** Names of tables that belong to other tools, to be left out. @default none */
  readonly leaveOut?: readonly string[] | undefined;
}

/** A schema file as text. */
export interface PulledSchema {
  /** TypeScript, ready to be written to `schema.ts`. */
  readonly text: string;
  readonly entities: number;
  /** Everything the database has and the file does not say, or says otherwise. */
  readonly findings: readonly PullFinding[];
}

/**
 * Writes the schema file of an existing database: entities, relations and everything else there is a declaration for.
 * Column sets and behaviours (`timestamps()`, `oneOf()`, `softDelete`) are used where the database is exactly what they
 * make; that and all the rest is proven by building the file on a shadow database and comparing the two catalogs.
 * What cannot be declared, and what the proof finds, is in `findings`.
 *
 * Reads only. Costs a few round trips, and a shadow database for each attempt: one, or two where something looked like a
 * behaviour and is not.
 *
 * @throws {SCHEMA_INVALID} when the schema is missing or empty, or its name cannot be declared.
 */
export async function pullSchema(options: PullOptions): Promise<PulledSchema> {
  const { connection, schemaName, leaveOut = [] } = options;
  // Before the work: what no declaration can name cannot be pulled.
  appSchema(schemaName, { adopted: schemaName === "public" });
  const { live, leftOut } = withoutTables(await readCatalog(connection, schemaName), leaveOut);
  if (!live.objects.some(({ kind }) => kind !== "extension")) throw nothingThere(schemaName);
  const lookup = lookInto(live);
  const tables = live.objects.filter((object) => object.kind === "table");
  const found = recognise(lookup, tables);
  const attempts = found.implied.size === 0 ? [NOTHING_RECOGNISED] : [found, NOTHING_RECOGNISED];
  for (const [number, recognised] of attempts.entries()) {
    const { written, differences } = await attempt(options, live, recognised);
    if (differences.length > 0 && number < attempts.length - 1) continue;
    const findings = [...leftOut, ...written.findings, ...differences];
    return { text: written.text, entities: written.entities, findings };
  }
  throw new TypeError("no attempt was made");
}

/** One way to write it, and how what it makes differs from the database beyond what was said already. */
async function attempt(
  options: PullOptions,
  live: Catalog,
  recognised: Recognised,
): Promise<{ readonly written: WrittenSchema; readonly differences: readonly PullFinding[] }> {
  const written = writeSchema(live, recognised, "typescript");
  const { text: body } = writeSchema(live, recognised, "javascript");
  const declared = { ...live, objects: live.objects.filter(({ id }) => written.declared.has(id)) };
  const proof = await proveSchema(options, body, declared);
  if (proof.kind === "failed") {
    const why = `what it declares cannot be built: ${proof.why}`;
    return { written, differences: [differsFinding("schema", why)] };
  }
  const unsaid = proof.differences.filter(({ kind, name }) => !isCovered(`${kind} ${name}`, written.covered));
  return { written, differences: unsaid.map(differenceFinding) };
}

/** A finding of an object speaks for its comment and its rights as well. */
function isCovered(id: string, covered: ReadonlySet<string>): boolean {
  return covered.has(id) || covered.has(id.replace(/^(?:comment|grant) /, "").replace(/ to [^ ]+$/, ""));
}

function differenceFinding({
  kind,
  name,
  left = "nothing",
  right = "nothing",
}: CatalogDifference): PullFinding {
  return differsFinding(
    `${kind} ${name}`,
    `the database has\n    ${left}\n  and the file makes\n    ${right}`,
  );
}

function differsFinding(object: string, why: string): PullFinding {
  return {
    rule: "pull-differs",
    level: "warning",
    object,
    why,
    fix: "Correct the file by hand, or leave it to the migrations and take care that plinth migrate generate does not undo it.",
  };
}

/** Without tables of other tools, and what belongs to them. */
function withoutTables(
  catalog: Catalog,
  names: readonly string[],
): { readonly live: Catalog; readonly leftOut: readonly PullFinding[] } {
  const tables = catalog.objects.filter(({ kind, name, schema }) => {
    return kind === "table" && schema === undefined && names.includes(name);
  });
  const ids = new Set(tables.map(({ id }) => id));
  const isOfThem = (object: CatalogObject): boolean =>
    ids.has(object.id) ||
    ("table" in object && ids.has(object.table)) ||
    (object.kind === "sequence" &&
      tables.some(
        (table) => table.kind === "table" && table.columns.some(({ id }) => id === object.ownedBy),
      ));
  return {
    live: { ...catalog, objects: catalog.objects.filter((object) => !isOfThem(object)) },
    leftOut: tables.map(({ id }) => ({
      rule: "left-out",
      level: "warning",
      object: id,
      why: "another migration tool keeps its history in it",
      fix: "Nothing to do. It stays as it is.",
    })),
  };
}

function nothingThere(schemaName: string): SchemaError {
  return new SchemaError(`schema ${JSON.stringify(schemaName)} holds nothing to declare`, {
    hint: "Name another one with --schema, and check that DATABASE_URL names the database you mean.",
  });
}
