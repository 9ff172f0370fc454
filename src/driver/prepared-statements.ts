import type { Field, RowReader } from "./connection.ts";

/** How many prepared statements one connection keeps: each costs server memory, tens of kilobytes with its plan. */
export const PREPARED_STATEMENTS_LIMIT = 500;

/** What a session keeps of one prepared statement. */
export class PreparedStatement {
  readonly text: string;
  /** Known after the first answer; later executions leave Describe out. A changed shape is an error (0A000). */
  fields: readonly Field[] | undefined;
  /** The beginning of its Bind, which never changes. */
  bindHead: Buffer | undefined;
  /** The end of its Bind for the reader used last. */
  bindTail: Buffer | undefined;
  #fitting: RowReader | undefined;
  #misfit: RowReader | undefined;

  constructor(text: string) {
    this.text = text;
  }

  /**
   * The reader, when what the server described is what it decodes. Nothing is known before the first answer, so
   * that one is asked for as text: a binary value is never read as another type's.
   */
  fitting(reader: RowReader): RowReader | undefined {
    if (reader === this.#fitting) return reader;
    if (reader === this.#misfit || this.fields === undefined) return undefined;
    if (!fits(reader, this.fields)) {
      this.#misfit = reader;
      return undefined;
    }
    this.#fitting = reader;
    this.bindTail = undefined;
    return reader;
  }
}

function fits(reader: RowReader, fields: readonly Field[]): boolean {
  const { formats, typeIds } = reader;
  return (
    formats.length === fields.length &&
    fields.every(({ typeId }, i) => formats[i] === 0 || typeIds[i] === typeId)
  );
}

/** Which names one session has prepared, least recently used first. */
export class PreparedStatements {
  readonly #known = new Map<string, PreparedStatement>();
  readonly #limit: number;

  constructor(limit: number = PREPARED_STATEMENTS_LIMIT) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#known.size;
  }

  has(name: string, text: string): boolean {
    return this.#known.get(name)?.text === text;
  }

  /** The statement behind a name, when the session has it with this very text. Counts as a use. */
  find(name: string, text: string): PreparedStatement | undefined {
    const statement = this.#known.get(name);
    if (statement === undefined || statement.text !== text) return undefined;
    if (this.#known.size > this.#limit / 2) {
      // Order matters only once eviction is near; below that the two map operations are saved.
      this.#known.delete(name);
      this.#known.set(name, statement);
    }
    return statement;
  }

  /** Notes a name about to be prepared, and returns the names to close for it. */
  add(
    name: string,
    text: string,
  ): { readonly statement: PreparedStatement; readonly evicted: readonly string[] } {
    const statement = new PreparedStatement(text);
    this.#known.delete(name);
    this.#known.set(name, statement);
    const evicted: string[] = [];
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= this.#limit) break;
      this.#known.delete(oldest);
      evicted.push(oldest);
    }
    return { statement, evicted };
  }

  forget(name: string): void {
    this.#known.delete(name);
  }
}
