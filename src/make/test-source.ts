import { ConfigError } from "../errors/index.ts";
import { type ColumnDescription, type EntityDescription, ownPairs } from "../schema/index.ts";
import type { EntityNames } from "./names.ts";

/** What a test needs of the schema it is written for. */
export interface TestPlan {
  readonly names: EntityNames;
  readonly entity: EntityDescription;
  /** The constant each entity is exported as. */
  readonly constants: ReadonlyMap<EntityDescription, string>;
  readonly schemaImport: string;
  readonly repositoryImport: string;
}

/** A test that passes as it is: makes a row with everything it needs, reads, lists and deletes it. */
export function testSource(plan: TestPlan): string {
  const { names, entity, schemaImport, repositoryImport } = plan;
  const parents = parentsOf(plan, entity, []);
  const factories = parents.map((parent) => factoryLine(plan, parent));
  const imports = parents.length === 0 ? "testDatabase" : "factory, testDatabase";
  const door = `${names.singular}RepositoryOn`;
  return `import { ${imports} } from "plinth/testing";
import { describe, expect, it, onTestFinished } from "vitest";
import * as schema from "${schemaImport}";
import { ${door} } from "${repositoryImport}";

const open = async () => {
  const { db, close } = await testDatabase({ schema });
  onTestFinished(close);
${factories.join("")}  const ${names.plural} = ${door}(db);
  const make = async (n = 1) => ${names.plural}.create({ ${inputOf(plan, entity)} });
  return { ${names.plural}, make };
};

describe("${names.singular} repository", () => {
  it("gives back the row it made", async () => {
    const { ${names.plural}, make } = await open();
    const row = await make();
    expect(await ${names.plural}.find(row.id)).toEqual(row);
  });

  it("lists rows a page at a time", async () => {
    const { ${names.plural}, make } = await open();
    for (let n = 1; n <= 3; n++) await make(n);
    const { data, meta } = await ${names.plural}.list({ limit: 2 });
    expect([data.length, meta.total]).toEqual([2, 3]);
  });

  it("does not find what was deleted", async () => {
    const { ${names.plural}, make } = await open();
    const row = await make();
    await ${names.plural}.delete(row.id);
    expect(await ${names.plural}.find(row.id)).toBeUndefined();
  });
});
`;
}

/** Entities that rows are needed of first, parents before children. */
function parentsOf(
  plan: TestPlan,
  entity: EntityDescription,
  path: readonly EntityDescription[],
): readonly EntityDescription[] {
  if (path.includes(entity)) {
    throw new ConfigError(`rows of "${entity.name}" need each other in a circle, so none can be made first`, {
      path: "fields",
    });
  }
  const direct = entity.foreignKeys
    .filter((key) => ownPairs(key).columns.some(isNeeded))
    .map((key) => key.target);
  const all = direct.flatMap((parent) => [...parentsOf(plan, parent, [...path, entity]), parent]);
  return [...new Set(all)];
}

function factoryLine(plan: TestPlan, parent: EntityDescription): string {
  const constant = plan.constants.get(parent) ?? parent.name;
  return `  const ${makerOf(plan, parent)} = factory(db.repository(schema.${constant}), (n) => ({ ${inputOf(plan, parent, true)} }));\n`;
}

function makerOf({ constants }: TestPlan, entity: EntityDescription): string {
  const constant = constants.get(entity) ?? entity.name;
  return `make${constant.charAt(0).toUpperCase()}${constant.slice(1)}`;
}

/** The input of one row; inside a factory a parent is made only when the test gives none. */
function inputOf(plan: TestPlan, entity: EntityDescription, isLazy = false): string {
  const needed = entity.columns.filter(isNeeded);
  const values = needed.map((column) => {
    const foreign = entity.foreignKeys.find((key) => key.columns.includes(column));
    if (foreign === undefined) return `${column.key}: ${sampleOf(column)}`;
    const target = foreign.targetColumns[foreign.columns.indexOf(column)];
    const made = `(await ${makerOf(plan, foreign.target)}()).${target?.key}`;
    return `${column.key}: ${isLazy ? `async () => ${made}` : made}`;
  });
  return values.join(", ");
}

function isNeeded(column: ColumnDescription): boolean {
  const isFilled = column.hasServerDefault || column.produce !== undefined || column.identity !== undefined;
  return (
    column.notNull && !isFilled && column.generatedSql === undefined && column.marks.writable !== "never"
  );
}

/** A value as TypeScript writes it, different for each \`n\` where a unique key could ask for that. */
function sampleOf(column: ColumnDescription): string {
  const [first] = column.marks.oneOf ?? column.enumValues ?? [];
  if (first !== undefined) return `${JSON.stringify(first)} as const`;
  switch (column.kind) {
    case "boolean":
      return "false";
    case "integer":
    case "float":
    case "safe-bigint":
      return "n";
    case "bigint":
      return "BigInt(n)";
    case "instant":
      return "new Date(2026, 0, n)";
    case "instant-text":
      return '"2026-01-01 00:00:00+00"';
    case "date":
      return '"2026-01-01"';
    case "json":
      return "{}";
    case "bytes":
      return "Buffer.from([n])";
    case "array":
      return "[]";
    default:
      return sampleText(column);
  }
}

function sampleText({ key, castType }: ColumnDescription): string {
  if (castType === "uuid") return "crypto.randomUUID()";
  if (/^(numeric|money)/.test(castType)) return "String(n)";
  if (castType === "interval") return '"1 day"';
  if (castType.startsWith("time")) return '"12:00:00"';
  if (castType === "inet" || castType === "cidr") return '"127.0.0.1"';
  return `\`${key} \${n}\``;
}
