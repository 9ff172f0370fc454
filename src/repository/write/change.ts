/** What a change works on: values of these columns take it. */
export type ChangeKind = "number" | "boolean" | "time" | "list" | "item" | "document" | "given";

export type Operation =
  | "add"
  | "subtract"
  | "multiply"
  | "toggle"
  | "now"
  | "append"
  | "remove"
  | "merge"
  | "given";

interface Content<K, V> {
  readonly kind: K;
  readonly operation: Operation;
  readonly operand: V;
}

/**
 * What is to become of the value that a row has, made by the functions below and by nothing else: no parsed body holds
 * one, whatever its properties.
 */
export class Change<K extends ChangeKind, V> {
  readonly #content: Content<K, V>;

  constructor(content: Content<K, V>) {
    this.#content = content;
    Object.freeze(this);
  }

  /** What a value is made of, if it is a change. */
  static contentOf(value: unknown): Content<ChangeKind, unknown> | undefined {
    return typeof value === "object" && value !== null && #content in value ? value.#content : undefined;
  }

  /** Inside a document it would be written as an empty object, without a word. */
  toJSON(): never {
    throw new TypeError("a change stands for a column's whole value");
  }
}

/** The value that the row of an upsert was given with. */
export type Given = Change<"given", undefined>;

/**
 * Adds to a number in the database, so that concurrent calls all count. Null counts as zero. Takes what the column
 * takes: a `number`, a `bigint`, or the text of a `numeric`.
 *
 * @example
 * ```ts
 * await repo.books.update(id, { views: add(1) });
 * // update … set "views" = t0."views" + $1::bigint where …
 * ```
 */
export function add<const N extends number | bigint | string | Given>(by: N): Change<"number", N> {
  return new Change({ kind: "number", operation: "add", operand: by });
}

/**
 * Takes from a number in the database. Null counts as zero. Where it must not fall below something, a check constraint or
 * the `where` of the update says so.
 *
 * @example
 * ```ts
 * await repo.products.update(id, { stock: subtract(1) }, { where: { stock: { gt: 0 } } });
 * // update … set "stock" = t0."stock" - $1::integer where t0."id" = $2 and (t0."stock" > $3)
 * ```
 */
export function subtract<const N extends number | bigint | string | Given>(by: N): Change<"number", N> {
  return new Change({ kind: "number", operation: "subtract", operand: by });
}

/**
 * Multiplies a number in the database by one of its own type. Null stays null.
 *
 * @example
 * ```ts
 * await repo.products.updateMany({ where: { onSale: true } }, { price: multiply("0.90") });
 * // update … set "price" = t0."price" * $1::numeric where …
 * ```
 */
export function multiply<const N extends number | bigint | string | Given>(by: N): Change<"number", N> {
  return new Change({ kind: "number", operation: "multiply", operand: by });
}

/**
 * Makes true false, and false true. Null stays null.
 *
 * @example
 * ```ts
 * await repo.tasks.update(id, { isPinned: toggle() });
 * // update … set "is_pinned" = not t0."is_pinned" where …
 * ```
 */
export function toggle(): Change<"boolean", undefined> {
  return new Change({ kind: "boolean", operation: "toggle", operand: undefined });
}

/**
 * This moment, by the database's clock: `clock_timestamp()`, which goes on inside a transaction.
 * Source: https://www.postgresql.org/docs/current/functions-datetime.html#FUNCTIONS-DATETIME-CURRENT
 *
 * @example
 * ```ts
 * await repo.users.update(id, { seenAt: now() });
 * // update … set "seen_at" = clock_timestamp() where …
 * ```
 */
export function now(): Change<"time", undefined> {
  return new Change({ kind: "time", operation: "now", operand: undefined });
}

/**
 * Puts items behind those of an array, in the database. Null counts as empty. Items that are there already come twice.
 *
 * @example
 * ```ts
 * await repo.tasks.update(id, { tags: append(["urgent"]) });
 * // update … set "tags" = coalesce(t0."tags", $1::text[]) || $2::text[] where …
 * ```
 */
export function append<T extends readonly unknown[] | Given>(items: T): Change<"list", T> {
  return new Change({ kind: "list", operation: "append", operand: items });
}

/**
 * Takes every such item out of an array of one dimension. Null stays null.
 *
 * @example
 * ```ts
 * await repo.tasks.updateMany({ where: { tags: { has: "old" } } }, { tags: remove("old") });
 * // update … set "tags" = array_remove(t0."tags", $1::text) where …
 * ```
 */
export function remove<const T>(item: T): Change<"item", T> {
  return new Change({ kind: "item", operation: "remove", operand: item });
}

/**
 * Writes the properties of an object into a jsonb document, in the database: `||`. A property that is there is replaced as
 * a whole. Null counts as empty; a document that is no object becomes a list of itself and this one.
 * Source: https://www.postgresql.org/docs/current/functions-json.html#FUNCTIONS-JSONB-OP-TABLE
 *
 * @example
 * ```ts
 * await repo.users.update(id, { settings: merge({ theme: "dark" }) });
 * // update … set "settings" = coalesce(t0."settings", $1::jsonb) || $2::jsonb where …
 * ```
 */
export function merge<const T extends object>(part: T): Change<"document", T> {
  return new Change({ kind: "document", operation: "merge", operand: part });
}

/**
 * In `update` of an upsert: the value that its row was given with. Alone it replaces what is there; inside `add`, `subtract`,
 * `multiply`, `append` or `merge` it is what they work with.
 *
 * @example
 * ```ts
 * await repo.visits.upsertMany(counted, { on: ["day", "page"], update: { views: add(given()) } });
 * // … on conflict ("day", "page") do update set "views" = t0."views" + excluded."views"
 * ```
 */
export function given(): Given {
  return new Change({ kind: "given", operation: "given", operand: undefined });
}
