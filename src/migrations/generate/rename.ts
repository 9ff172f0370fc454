import { type Catalog, renameInKept, type TableObject } from "../../catalog/index.ts";
import { MigrationError } from "../../errors/index.ts";
import type { RenameDescription as Rename } from "../../schema/index.ts";
import { quoteLiteral, sqlName } from "../../sql/index.ts";

/**
 * Reads `tasks=todos` (a table) and `todos.due_date=deadline` (a column, of the table by its new name).
 *
 * @throws {MIGRATION_INVALID} for any other form.
 */
export function parseRename(written: string): Rename {
  const match = /^(?:([^.=]+)\.)?([^.=]+)=(?:([^.=]+)\.)?([^.=]+)$/.exec(written.trim());
  const [, of, from, againOf, to] = match ?? [];
  if (from === undefined || to === undefined || (againOf !== undefined && againOf !== of)) {
    throw new MigrationError("MIGRATION_INVALID", `${JSON.stringify(written)} is no rename`, {
      hint: "Write --rename old_table=new_table, or --rename table.old_column=new_column.",
    });
  }
  return of === undefined ? { kind: "table", from, to } : { kind: "column", of, from, to };
}

/** The statement that renames, and the one that renames back. */
export function renameSql({ kind, of = "", from, to }: Rename): {
  readonly up: string;
  readonly down: string;
} {
  const [old, next] = [sqlName(from), sqlName(to)];
  switch (kind) {
    case "table":
      return { up: `alter table ${old} rename to ${next}`, down: `alter table ${next} rename to ${old}` };
    case "column": {
      const table = `alter table ${sqlName(of)} rename column`;
      return { up: `${table} ${old} to ${next}`, down: `${table} ${next} to ${old}` };
    }
    case "enum value": {
      const type = `alter type ${sqlName(of)} rename value`;
      return {
        up: `${type} ${quoteLiteral(from)} to ${quoteLiteral(to)}`,
        down: `${type} ${quoteLiteral(to)} to ${quoteLiteral(from)}`,
      };
    }
  }
}

/**
 * What brings the functions that keep a computed column after the columns that they read, and back.
 *
 * @param renamed read after the renames
 */
export function followingFunctions(
  renamed: Catalog,
  renames: readonly Rename[],
): readonly { readonly up: string; readonly down: string }[] {
  const columns = renames.flatMap(({ kind, of: table = "", from, to }) =>
    kind === "column" ? [{ table, from, to }] : [],
  );
  return renameInKept(renamed, columns);
}

/**
 * What tells the history of a table that a column has another name from now on: versions keep the names that columns had
 * then. Only where the history stays.
 */
export function notedRenames(
  past: Catalog,
  wish: Catalog,
  renames: readonly Rename[],
): readonly { readonly up: string; readonly down: string }[] {
  const note = (history: string, from: string, to: string): string => {
    const [before, after] = [from, to].map((column) => quoteLiteral(JSON.stringify({ column })).trimStart());
    return `insert into ${sqlName(history)} (operation, row_key, before, after)\n  values ('rename', '', ${before}, ${after})`;
  };
  return renames.flatMap(({ kind, of, from, to }) => {
    const history = `${of}_history`;
    const isKept = [past, wish].every((catalog) => isHistory(catalog, history));
    if (kind !== "column" || !isKept) return [];
    return [{ up: note(history, from, to), down: note(history, to, from) }];
  });
}

function isHistory({ objects }: Catalog, name: string): boolean {
  return objects.some(
    (object) =>
      object.kind === "trigger" &&
      object.table === `table ${sqlName(name)}` &&
      object.name === `${name}_guard`,
  );
}

/**
 * The renames that apply: the old name is there and the new one is not, and the schema wants it the other way round.
 * Tables come first, as columns are named by their table's new name. A hint in the schema may stay there after its
 * migration was written; a flag that fits nothing is a mistake.
 *
 * @throws {MIGRATION_INVALID} for a flag that fits nothing.
 */
export function applicableRenames(
  past: Catalog,
  wish: Catalog,
  hints: readonly Rename[],
  flags: readonly Rename[],
): readonly Rename[] {
  const tables = new Map<string, string>();
  const applies = (rename: Rename): boolean => {
    const [before, after] = [namesOf(past, rename, tables), namesOf(wish, rename, new Map())];
    const fits =
      before.has(rename.from) && !before.has(rename.to) && after.has(rename.to) && !after.has(rename.from);
    if (fits && rename.kind === "table") tables.set(rename.to, rename.from);
    return fits;
  };
  const ordered = [...flags, ...hints].sort(
    (a, b) => Number(b.kind === "table") - Number(a.kind === "table"),
  );
  const chosen: Rename[] = [];
  for (const rename of ordered) {
    const isRepeated = chosen.some((other) => describeRename(other) === describeRename(rename));
    if (isRepeated) continue;
    if (applies(rename)) chosen.push(rename);
    else if (flags.includes(rename)) throw fitsNothing(rename);
  }
  return chosen;
}

/** The names beside which the rename's own must be new; `tables` maps new names of tables to the past's. */
function namesOf(
  catalog: Catalog,
  { kind, of }: Rename,
  tables: ReadonlyMap<string, string>,
): ReadonlySet<string> {
  const home = catalog.objects.filter((object) => object.schema === undefined);
  switch (kind) {
    case "table":
      return new Set(home.filter((object) => object.kind === "table").map((object) => object.name));
    case "column": {
      const name = tables.get(of ?? "") ?? of;
      const table = home.find(
        (object): object is TableObject => object.kind === "table" && object.name === name,
      );
      return new Set(table?.columns.map((column) => column.name));
    }
    case "enum value":
      return new Set(
        home.flatMap((object) => (object.kind === "enum" && object.name === of ? object.values : [])),
      );
  }
}

/** As a flag writes it. */
export function describeRename({ of, from, to }: Rename): string {
  return of === undefined ? `${from}=${to}` : `${of}.${from}=${to}`;
}

function fitsNothing(rename: Rename): MigrationError {
  const what = `${rename.kind} ${JSON.stringify(rename.from)}`;
  return new MigrationError(
    "MIGRATION_INVALID",
    `--rename ${describeRename(rename)}: nothing is renamed that way`,
    {
      hint: `The migrations must leave a ${what}, and the schema must declare ${JSON.stringify(rename.to)} in its place.`,
    },
  );
}

/**
 * Pairs of a dropped and an added column (or table) that look like one renamed: the same table and type, the same
 * columns. Dropping and adding would lose the data, and only a person knows.
 */
export function likelyRenames(past: Catalog, wish: Catalog): readonly Rename[] {
  const [before, after] = [tablesOf(past), tablesOf(wish)];
  const gone = [...before.values()].filter((table) => !after.has(table.name));
  const added = [...after.values()].filter((table) => !before.has(table.name));
  const renamed = gone.flatMap((from): readonly Rename[] => {
    const to = added.find((table) => shapeOf(table) === shapeOf(from));
    return to === undefined ? [] : [{ kind: "table", from: from.name, to: to.name }];
  });
  const columns = [...after.values()].flatMap((table) => {
    const old = before.get(table.name);
    return old === undefined ? [] : likelyColumns(old, table);
  });
  return [...renamed, ...columns];
}

function likelyColumns(before: TableObject, after: TableObject): readonly Rename[] {
  const names = (table: TableObject): ReadonlySet<string> =>
    new Set(table.columns.map((column) => column.name));
  const gone = before.columns.filter((column) => !names(after).has(column.name));
  const added = after.columns.filter((column) => !names(before).has(column.name));
  return gone.flatMap((from): readonly Rename[] => {
    const to = added.find((column) => column.type === from.type);
    return to === undefined ? [] : [{ kind: "column", of: after.name, from: from.name, to: to.name }];
  });
}

function tablesOf(catalog: Catalog): ReadonlyMap<string, TableObject> {
  const tables = catalog.objects.filter(
    (object): object is TableObject => object.kind === "table" && object.schema === undefined,
  );
  return new Map(tables.map((table) => [table.name, table]));
}

function shapeOf(table: TableObject): string {
  return table.columns
    .map(({ name, type }) => `${name} ${type}`)
    .sort()
    .join(",");
}
