import type { CatalogColumn, TableObject } from "../model.ts";
import { allowing } from "./allow.ts";
import { alterColumn, ownSequence } from "./alter-column.ts";
import { columnDefinition, identityOf, typeOf } from "./column-text.ts";
import { fillColumn } from "./fill.ts";
import { columnPath, type Ground } from "./ground.ts";
import { literal, lowerCase, sqlName } from "./names.ts";
import { filledId, notNullId, setNotNull } from "./not-null.ts";
import { isStableDefault } from "./stable-default.ts";
import { RANK, type Step } from "./step.ts";

/** Adds a column to a table that is there. */
export function addColumn(ground: Ground, table: TableObject, column: CatalogColumn): readonly Step[] {
  const plain: CatalogColumn = {
    ...column,
    storage: undefined,
    compression: undefined,
    statistics: undefined,
  };
  return [...inItsForm(ground, table, column), ...alterColumn(ground, table, plain, column)];
}

function inItsForm(ground: Ground, table: TableObject, column: CatalogColumn): readonly Step[] {
  const isMissing = column.notNull && column.default === undefined && column.identity === undefined;
  if (isMissing && column.generated === undefined) return addWithoutValue(ground, table, column);
  if (!ground.isBusy(table.id)) return [adding(ground, table, column, columnDefinition(column))];
  if (column.identity !== undefined) return addNumbered(ground, table, column);
  const isVolatile = column.default !== undefined && !isStableDefault(column.default, ground.to);
  if (isVolatile) return addFilled(ground, table, column, column.default ?? "null");
  return [adding(ground, table, column, columnDefinition(column))];
}

function adding(ground: Ground, table: TableObject, column: CatalogColumn, definition: string): Step {
  const statement = `alter table ${ground.ref(table.id)} add column ${definition}`;
  return {
    rank: RANK.column,
    statements: [ground.isBusy(table.id) ? allowed(ground, column, statement) : statement],
    makes: [column.id, notNullId(column.id)],
    needs: [table.id, ...column.dependsOn, ...parentColumns(ground, column)],
    takes: [column.id],
  };
}

const STORED =
  "PostgreSQL stores it for every row at once; a plain column that a trigger keeps and batches fill, as search: declares one, is the online form";

/** Of a stored generated column, and of one whose domain has rules, the server writes every row. */
function allowed(ground: Ground, column: CatalogColumn, statement: string): string {
  if (column.generated !== undefined) {
    const isStored = column.generated.mode === "stored";
    return allowing(isStored, "lock/stored-column", STORED, statement);
  }
  const domain = ground.to.objects.get(`domain ${column.type}`);
  const isChecked = domain?.kind === "domain" && (domain.notNull || domain.checks.length > 0);
  return allowing(
    isChecked,
    "lock/domain-column",
    "PostgreSQL tries the domain's rules on every row",
    statement,
  );
}

/** A generated column may follow from one that is added or changed as well. */
function parentColumns(ground: Ground, column: CatalogColumn): readonly string[] {
  return column.generated === undefined ? [] : column.dependsOn.filter((id) => ground.to.columns.has(id));
}

/** What the rows that are there should hold, only a person knows. */
function addWithoutValue(ground: Ground, table: TableObject, column: CatalogColumn): readonly Step[] {
  const path = columnPath(ground, table, column.name);
  ground.irreversible.push(`${path}: rows that are there have no value for it, and null is refused`);
  if (!ground.isBusy(table.id)) return [adding(ground, table, column, columnDefinition(column))];
  const remark = `rows that are there have no ${column.name} yet: write the update that gives them one before this line`;
  return [
    nullable(adding(ground, table, column, columnDefinition(column, false))),
    ...setNotNull(ground, table, column, remark),
  ];
}

function nullable(step: Step): Step {
  return { ...step, makes: step.makes?.filter((id) => !id.startsWith("not null ")) };
}

/** A default that differs from row to row: new rows get it at once, the others a batch at a time. */
function addFilled(
  ground: Ground,
  table: TableObject,
  column: CatalogColumn,
  value: string,
): readonly Step[] {
  const [ref, name] = [ground.ref(table.id), sqlName(column.name)];
  const bare = nullable(adding(ground, table, column, `${name} ${typeOf(column)}`));
  const fill: Step = {
    rank: RANK.fill,
    statements: fillColumn(ground, table, column.name, lowerCase(value)),
    needs: [column.id],
    makes: [filledId(column.id)],
  };
  return [
    {
      ...bare,
      statements: [
        ...bare.statements,
        `alter table ${ref} alter column ${name} set default ${lowerCase(value)}`,
      ],
    },
    fill,
    ...(column.notNull ? setNotNull(ground, table, column) : []),
  ];
}

/** Rows are numbered by a sequence that serves until every row has a number; the identity goes on from there. */
function addNumbered(ground: Ground, table: TableObject, column: CatalogColumn): readonly Step[] {
  const { identity } = column;
  if (identity === undefined) return [];
  const [ref, name] = [ground.ref(table.id), sqlName(column.name)];
  const sequence = sqlName(ground.spareName(`${table.name}_${column.name}`, "_numbers"));
  const { start, increment } = identity.options;
  const { minimum, maximum } = identity.options;
  const numbers = `create sequence ${sequence} increment by ${increment} minvalue ${minimum} maxvalue ${maximum} start with ${start}`;
  const next = `nextval(${literal(sequence)})`;
  const filled = addFilled(ground, table, { ...column, identity: undefined, default: next }, next);
  const [first, ...rest] = filled;
  if (first === undefined) return [];
  const own = ownSequence(ground, table, column);
  return [
    { ...first, statements: [numbers, ...first.statements] },
    ...rest,
    {
      rank: RANK.notNull,
      statements: [
        `alter table ${ref}\n  alter column ${name} drop default,\n  alter column ${name} add ${identityOf(identity)}`,
        `select setval(${own}, nextval(${literal(sequence)}), false)`,
        `drop sequence ${sequence}`,
      ],
      needs: [notNullId(column.id), filledId(column.id)],
      makes: [`identity ${column.id}`],
    },
  ];
}
