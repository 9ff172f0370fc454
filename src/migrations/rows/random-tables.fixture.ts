import fc from "fast-check";

/** A table made up by chance. */
export interface RandomTable {
  readonly name: string;
  readonly ddl: string;
  /** Some row satisfies everything: no check that nobody can, and no parent without rows. */
  readonly isPossible: boolean;
}

interface Shape {
  readonly columns: readonly string[];
  readonly extras: readonly number[];
  readonly keyed: boolean;
  readonly parents: readonly (readonly [number, boolean])[];
  readonly isImpossible: boolean;
}

const COLUMNS = [
  "int",
  "bigint check (%c > 100)",
  "numeric(4,1) check (%c between -3 and 3)",
  "text",
  "text check (%c in ('a', 'b', 'c''d'))",
  "text check (length(%c) > 12)",
  "text check (%c ~ '^[a-f]{2}-\\d+$')",
  "varchar(4)",
  "char(3)",
  "boolean",
  "date check (%c > '2020-02-29')",
  "timestamptz default now()",
  "interval",
  "uuid",
  "jsonb check (jsonb_typeof(%c) in ('object', 'array'))",
  "text[] check (array_length(%c, 1) = 2)",
  "int4range",
  "inet",
  "bytea",
  "double precision check (%c >= 0 and %c < 0.5)",
];

/** Checks on several columns: `%a` to `%c` are three integers of their own. */
const EXTRAS = [
  "check (num_nonnulls(%a, %b, %c) = 1)",
  "check (%a < %b)",
  "check (%a is null or %b is not null)",
  "unique (%a, %b)",
  "unique nulls not distinct (%a)",
  "check (%a + %b > 10 or %c = 3)",
];

/** One to five tables that refer to each other in any direction. */
export function randomTables(): fc.Arbitrary<readonly RandomTable[]> {
  const shape: fc.Arbitrary<Shape> = fc.record({
    columns: fc.array(fc.tuple(fc.constantFrom(...COLUMNS), fc.boolean()).map(notNull), { maxLength: 6 }),
    extras: fc.array(fc.nat(EXTRAS.length - 1), { maxLength: 3 }),
    keyed: fc.boolean(),
    parents: fc.array(fc.tuple(fc.nat(4), fc.boolean()), { maxLength: 2 }),
    isImpossible: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
  });
  return fc.array(shape, { minLength: 1, maxLength: 5 }).map(tablesOf);
}

function notNull([column, isRequired]: readonly [string, boolean]): string {
  return isRequired ? `${column} not null` : column;
}

function tablesOf(shapes: readonly Shape[]): readonly RandomTable[] {
  const parentsOf = (shape: Shape): readonly (readonly [number, boolean])[] =>
    shape.parents.map(([parent, isRequired]) => [parent % shapes.length, isRequired] as const);
  const impossible = new Set(shapes.flatMap((shape, index) => (shape.isImpossible ? [index] : [])));
  for (const _ of shapes) {
    for (const [index, shape] of shapes.entries()) {
      if (parentsOf(shape).some(([parent, isRequired]) => isRequired && impossible.has(parent)))
        impossible.add(index);
    }
  }
  return shapes.map((_, index) => ({
    name: `t${index}`,
    isPossible: !impossible.has(index),
    ddl:
      index === shapes.length - 1
        ? [...shapes.map(createTable), ...foreignKeys(shapes.map(parentsOf))].join(";\n")
        : "",
  }));
}

function createTable({ columns, extras, keyed, parents, isImpossible }: Shape, index: number): string {
  const lines = [
    keyed ? "id int primary key" : "id bigint generated always as identity primary key",
    ...columns.map((column, at) => `c${at} ${column.replaceAll("%c", `c${at}`)}`),
    ...extras.flatMap((extra, at) => [
      ...["a", "b", "c"].map((letter) => `x${at}${letter} int`),
      EXTRAS[extra]?.replaceAll(/%([abc])/g, `x${at}$1`) ?? "",
    ]),
    ...parents.map(([, isRequired], at) => `p${at} bigint${isRequired ? " not null" : ""}`),
    ...(isImpossible ? ["never text not null check (md5(never) = 'no')"] : []),
  ];
  return `create table t${index} (${lines.join(", ")})`;
}

function foreignKeys(parents: readonly (readonly (readonly [number, boolean])[])[]): readonly string[] {
  return parents.flatMap((own, index) =>
    own.map(([parent], at) => `alter table t${index} add foreign key (p${at}) references t${parent}`),
  );
}
