import type { AnyEntity, FullRow, RowKeys, SecretKeys, TraitsOf } from "../schema/index.ts";
import type { ComputeMap } from "./computed.ts";
import type { Page } from "./list-types.ts";
import type { Query } from "./query.ts";
import type { Counts, ReadOptions, ReadRow, With } from "./types.ts";
import type { Where } from "./where-types.ts";

/** The properties that an entity's search is about. */
export type SearchedKeys<E extends AnyEntity> = TraitsOf<E>["search"] & RowKeys<E>;

/** Which of the found rows are read, and how. */
export interface SearchOptions<
  S,
  E extends AnyEntity,
  W,
  V extends SecretKeys<E>,
  C extends RowKeys<E> = never,
  N = Record<never, never>,
  H extends string = never,
  X extends ComputeMap = Record<never, never>,
> extends ReadOptions<S, E, W, V, C, N, X> {
  readonly where?: Where<E, S, NoInfer<X>>;
  /** Rows per page. @default the entity's `list.limit`, 10. Limit: its `list.maxLimit`, 100. */
  readonly limit?: number;
  /** @default 1 */
  readonly page?: number;
  /** The last word may be the beginning of one, as it is while somebody types. @default true */
  readonly prefix?: boolean;
  /** Columns to show with the found words marked: each hit gains `highlights`. */
  readonly highlight?: readonly H[] | HighlightOptions<H>;
}

/** How found words are shown. */
export interface HighlightOptions<H extends string> {
  readonly columns: readonly H[];
  /** What stands around each found word, as it is: HTML, or anything else. @default ["<mark>", "</mark>"] */
  readonly marks?: readonly [before: string, after: string];
  /** The most words of an excerpt; shorter texts are shown whole. @default 35. Limits: 2 and 1,000. */
  readonly words?: number;
  /** The most excerpts of a text, put together by ` … `. @default 1. Limit: 10. */
  readonly excerpts?: number;
}

/** A row that was found. */
export type SearchHit<R, L = never> = {
  readonly row: R;
  /** How well it fits, compared with other hits of the same search: 0 and above. */
  readonly rank: number;
} & ([L] extends [never] ? unknown : { readonly highlights: L });

/** Texts as HTML: escaped, with marks; null where the column is. */
export type Highlights<E extends AnyEntity, H extends string> = {
  readonly [K in H & keyof FullRow<E>]: string | Extract<FullRow<E>[K], null>;
};

/** A page of hits, the best first. */
export interface SearchPage<T> {
  readonly data: T[];
  readonly meta: Page<T>["meta"] & {
    /** `similar`: no row has the words, and these have similar ones. */
    readonly matched: "words" | "similar";
  };
}

/** What a repository with a search can do besides. */
export interface SearchRepository<S, E extends AnyEntity> {
  /**
   * Rows with the words of a text, as people type it: all of the words, "a phrase" in quotes, `or` between alternatives, `-`
   * before what must not be there. The best come first, by `ts_rank_cd`; the primary key decides between equal ones. A text
   * without words finds nothing. One round trip; a second one where typos are looked for.
   *
   * @throws {INVALID_QUERY} for a text of more than 1,000 characters, and as `list` does.
   *
   * @example
   * ```ts
   * const { data } = await repo.tasks.search("release notes", { where: { projectId }, highlight: ["title"] });
   * // [{ row: { id: "01J…", title: "Write the release notes", … }, rank: 0.1, highlights: { title: "Write the <mark>release</mark> <mark>notes</mark>" } }]
   * ```
   *
   * @see https://www.postgresql.org/docs/current/textsearch-controls.html
   */
  search<
    const W extends With<S, E> = Record<never, never>,
    const V extends SecretKeys<E> = never,
    const C extends RowKeys<E> = never,
    const N extends Counts<S, E> = Record<never, never>,
    const H extends SearchedKeys<E> = never,
    const X extends ComputeMap = Record<never, never>,
  >(
    text: string,
    options?: SearchOptions<S, E, W, V, C, N, H, X>,
  ): Query<
    SearchPage<SearchHit<ReadRow<S, E, W, V, C, N, X>, [H] extends [never] ? never : Highlights<E, H>>>
  >;
}
