import { type Catalog, historyTables } from "../../catalog/index.ts";
import type { Connection } from "../../driver/index.ts";
import { qualifiedName, quoteLiteral } from "../../sql/index.ts";

/** How far a sequence has got, by what it is called in SQL that runs in any database. */
export interface SequencePosition {
  /** An expression that gives the sequence: by its column where it has one, as its name may be made up. */
  readonly sequence: string;
  readonly value: string;
  readonly isCalled: boolean;
}

/** Sequences that are not at their start any more, but for the numbers of changes in histories. Two round trips. */
export async function readPositions(
  connection: Connection,
  catalog: Catalog,
): Promise<readonly SequencePosition[]> {
  const found = await connection.query({ text: SELECT_SEQUENCES, values: [] });
  const histories = new Set(historyTables(catalog.objects).map(({ name }) => name));
  const rows = found.rows.filter(([, , , , table]) => table == null || !histories.has(table));
  if (rows.length === 0) return [];
  const bare = (schema: string | null | undefined): string | undefined =>
    schema === catalog.home ? undefined : (schema ?? undefined);
  const outcomes = await connection.batch(
    rows.map(([schema, name]) => ({
      text: `select last_value, is_called from ${qualifiedName(schema ?? "", name ?? "")}`,
      values: [],
    })),
  );
  return rows.flatMap(
    ([schema, name, start, tableSchema, table, column], index): readonly SequencePosition[] => {
      const [value, isCalled] = outcomes[index]?.rows[0] ?? [];
      if (value == null || (isCalled !== "t" && value === start)) return [];
      const sequence =
        table == null || column == null
          ? quoteLiteral(qualifiedName(bare(schema), name ?? ""))
          : `pg_get_serial_sequence(${quoteLiteral(qualifiedName(bare(tableSchema), table))}, ${quoteLiteral(column)})`;
      return [{ sequence, value, isCalled: isCalled === "t" }];
    },
  );
}

/** The statement that brings a sequence there. */
export function renderPosition({ sequence, value, isCalled }: SequencePosition): string {
  return `select setval(${sequence}, ${value}${isCalled ? "" : ", false"})`;
}

/** Every sequence, and the column it belongs to; sequences of extensions and of Plinth's own tables are left out. */
const SELECT_SEQUENCES = `select n.nspname, c.relname, s.seqstart, tn.nspname, t.relname, a.attname
from pg_catalog.pg_sequence s
join pg_catalog.pg_class c on c.oid = s.seqrelid
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
left join pg_catalog.pg_depend d on d.classid = 'pg_catalog.pg_class'::regclass and d.objid = c.oid
  and d.refclassid = 'pg_catalog.pg_class'::regclass and d.refobjsubid > 0 and d.deptype in ('a', 'i')
left join pg_catalog.pg_class t on t.oid = d.refobjid
left join pg_catalog.pg_namespace tn on tn.oid = t.relnamespace
left join pg_catalog.pg_attribute a on a.attrelid = t.oid and a.attnum = d.refobjsubid
where n.nspname not in ('pg_catalog', 'information_schema') and n.nspname !~ '^pg_toast' and c.relpersistence <> 't'
  and coalesce(t.relname, c.relname) !~ '^plinth_'
  and not exists (select from pg_catalog.pg_depend e where e.objid = c.oid and e.deptype = 'e')
order by 1, 2`;
