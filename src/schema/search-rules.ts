/** How much a match in a column counts; PostgreSQL's ranking takes 1, 0.4, 0.2 and 0.1. */
export type SearchWeight = "A" | "B" | "C" | "D";

/** PostgreSQL's own configurations; any other is written with its schema: `"public.german_medical"`. */
export type SearchConfig = "simple" | "english" | "french" | "german" | "italian" | "spanish" | (string & {});

/** What an entity's rows are searched by. */
export interface SearchRules<K extends string = string> {
  /** Properties of text that are searched, the one that counts most first. */
  readonly columns: readonly K[];
  /**
   * The text search configuration, which knows how the words of a language are inflected and which mean nothing. `simple`
   * takes words of any language as they are. @default "english"
   */
  readonly config?: SearchConfig;
  /** @default the first column A, the second B, the third C, all others D */
  readonly weights?: { readonly [C in NoInfer<K>]?: SearchWeight };
  /**
   * Where no row has the words, rows with similar ones are found. Adds a trigram index to each column, which serves
   * `contains` and `like` as well, and needs `app.extension("pg_trgm")`. @default false
   */
  readonly typos?: boolean;
}

/** The name of a text search configuration, with or without its schema. It stands in SQL, so it is nothing but a name. */
export const SEARCH_CONFIG_NAME = /^[a-z_][a-z0-9_]{0,62}(\.[a-z_][a-z0-9_]{0,62})?$/;
