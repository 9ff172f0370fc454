import type {
  Behaviour,
  EntityDescription,
  IndexDescription,
  SearchDescription,
  TableAdditions,
} from "../schema/index.ts";
import { quoteIdentifier, quoteLiteral } from "../sql/index.ts";

const NOTHING: TableAdditions = { columns: [], indexes: [] };

/**
 * Keeps the words of a row beside it, as a generated column: PostgreSQL computes it whenever it writes the row, so a
 * search finds what any client has written, in the very moment it is committed.
 *
 * @see https://www.postgresql.org/docs/current/textsearch-tables.html
 */
export const searchBehaviour: Behaviour = {
  name: "search",
  appliesTo: ({ search }) => search !== undefined,
  additions: (entity) => (entity.search === undefined ? NOTHING : searchAdditions(entity, entity.search)),
};

function searchAdditions({ name }: EntityDescription, search: SearchDescription): TableAdditions {
  const { vector, columns, typos } = search;
  const trigrams = columns.map(({ column }) =>
    ginIndex(`${name}_${column.name}_trgm_idx`, `${quoteIdentifier(column.name)} gin_trgm_ops`),
  );
  return {
    columns: [{ name: vector, sqlType: "tsvector", generatedSql: wordsOf(search) }],
    indexes: [ginIndex(`${name}_${vector}_idx`, quoteIdentifier(vector)), ...(typos ? trigrams : [])],
  };
}

/** `setweight(to_tsvector('english', coalesce("title", '')), 'A') || …` */
function wordsOf({ columns, config }: SearchDescription): string {
  const words = columns.map(
    ({ column, weight }) =>
      `setweight(to_tsvector(${quoteLiteral(config)}, coalesce(${quoteIdentifier(column.name)}, '')), '${weight}')`,
  );
  return words.join(" || ");
}

function ginIndex(name: string, part: string): IndexDescription {
  return {
    name,
    isUnique: false,
    method: "gin",
    parts: [part],
    uniqueColumns: undefined,
    where: undefined,
    options: [],
    comment: undefined,
  };
}
