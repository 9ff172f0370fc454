import type { Cell, Field, RowReader } from "./connection.ts";

/** An outcome while its rows arrive. */
export interface GrowingOutcome {
  command: string;
  rowCount: number;
  rows: readonly (readonly Cell[])[];
  fields: readonly Field[];
  records?: readonly unknown[];
}

export const NO_FIELDS: readonly Field[] = Object.freeze([]);
export const NO_ROWS: readonly (readonly Cell[])[] = Object.freeze([]);

/** Collects the answer of one statement after the other. */
export class OutcomeCollector {
  /** Undefined while no row has come. */
  #rows: (readonly Cell[])[] | undefined;
  #records: unknown[] | undefined;
  #fields: readonly Field[] = NO_FIELDS;
  #reader: RowReader | undefined;

  /** Who reads the rows of the statement whose answer comes next. */
  begin(reader: RowReader | undefined): void {
    this.#reader = reader;
    this.#rows = undefined;
    this.#fields = NO_FIELDS;
    this.#records = reader === undefined ? undefined : [];
  }

  describe(fields: readonly Field[]): void {
    this.#fields = fields;
  }

  addCells(cells: readonly Cell[]): void {
    if (this.#records !== undefined && this.#reader !== undefined) {
      this.#records.push(this.#reader.readCells(cells));
    } else if (this.#rows === undefined) {
      this.#rows = [cells];
    } else {
      this.#rows.push(cells);
    }
  }

  /** A row in the receive buffer, in the reader's own formats. */
  addBytes(reader: RowReader, buffer: Buffer, offset: number, end: number): void {
    this.#records?.push(reader.read(buffer, offset, end));
  }

  /**
   * @param count what the command tag counted; absent for SHOW, EXPLAIN and CALL, which answer rows without it.
   */
  take(command: string, count: number | undefined, known: readonly Field[] | undefined): GrowingOutcome {
    const rows = this.#rows ?? NO_ROWS;
    const fields = this.#fields === NO_FIELDS ? (known ?? NO_FIELDS) : this.#fields;
    const rowCount = count ?? this.#records?.length ?? rows.length;
    return this.#records === undefined
      ? { command, rowCount, rows, fields }
      : { command, rowCount, rows, fields, records: this.#records };
  }
}
