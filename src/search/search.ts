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
 * Keeps the words of a row beside it, in a column that a trigger computes whenever the row is written, so a search
 * finds what any client has written, in the very moment it is committed. ADR 0028 says why it is no generated column.
 *
 * @see https://www.postgresql.org/docs/current/textsearch-features.html#TEXTSEARCH-UPDATE-TRIGGERS
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
    columns: [{ name: vector, sqlType: "tsvector", valueSql: wordsOf(search) }],
    indexes: [ginIndex(`${name}_${vector}_idx`, quoteIdentifier(vector)), ...(typos ? trigrams : [])],
  };
}

/** `setweight(to_tsvector('english', coalesce(new."title", '')), 'A') || …` */
function wordsOf({ columns, config }: SearchDescription): string {
  const words = columns.map(
    ({ column, weight }) =>
      `setweight(to_tsvector(${quoteLiteral(config)}, coalesce(new.${quoteIdentifier(column.name)}, '')), '${weight}')`,
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
