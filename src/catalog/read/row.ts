import type { Cell, Outcome } from "../../driver/index.ts";

/** One row of an answer, by the names of its columns. A class, because there are thousands of them. */
export class Row {
  readonly #places: ReadonlyMap<string, number>;
  readonly #cells: readonly Cell[];

  constructor(places: ReadonlyMap<string, number>, cells: readonly Cell[]) {
    this.#places = places;
    this.#cells = cells;
  }

  /** `undefined` where the server said null. */
  optional(column: string): string | undefined {
    return this.#cells[this.#places.get(column) ?? -1] ?? undefined;
  }

  /** Empty where the server said null. */
  text(column: string): string {
    return this.optional(column) ?? "";
  }

  flag(column: string): boolean {
    return this.optional(column) === "t";
  }

  /** A JSON array of strings or numbers; empty where the server said null. */
  list(column: string): readonly string[] {
    const json = this.optional(column);
    const parsed: unknown = json === undefined ? [] : JSON.parse(json);
    return Array.isArray(parsed) ? parsed.map(String) : [];
  }
}

export function rowsOf({ fields, rows }: Outcome): readonly Row[] {
  const places = new Map(fields.map(({ name }, index) => [name, index]));
  return rows.map((cells) => new Row(places, cells));
}
