import { InputError, type InputIssue } from "../../errors/index.ts";
import type { ColumnDescription, EntityDescription } from "../../schema/index.ts";
import type { Actor, Encoded, Insert } from "../../sql/index.ts";
import { encodeValue } from "../../statement/index.ts";
import { openStatement, rewritten, type Scope } from "../context.ts";
import { at, encodeNewRow } from "../input.ts";
import { refuse } from "../options.ts";
import { CopyText } from "./text.ts";

/** One column of the copy, in the order of its text. */
type Slot =
  | {
      readonly kind: "value";
      readonly column: ColumnDescription;
      readonly key: string;
      /** Where a row may leave it out: the value that Plinth makes, or null. Else it has to be given. */
      readonly absent: (() => unknown) | undefined;
    }
  /** The same in every row: what a behaviour adds. */
  | { readonly kind: "constant"; readonly text: Buffer };

/** Which columns a copy fills. */
export interface CopyLayout {
  readonly names: readonly string[];
  readonly slots: readonly Slot[];
  /** The caller has said which columns there are; else the first row has. */
  readonly isGiven: boolean;
}

/**
 * Every row of one COPY has the same columns: those that `given` has, those Plinth makes, and those that are null when
 * they are left out; then what behaviours add to any new row.
 *
 * @param isWhole `given` is all that rows may have, because the caller said so.
 */
export function layoutOf(
  scope: Scope,
  given: ReadonlySet<string>,
  isWhole: boolean,
  actor: Actor | undefined,
): CopyLayout {
  const columns = scope.entity.columns.filter(
    (column) =>
      mayBeGiven(column) &&
      (given.has(column.key) || column.produce !== undefined || (!isWhole && isNullByItself(column))),
  );
  const table = openStatement(scope).table;
  const insert: Insert = {
    kind: "insert",
    into: table,
    rows: "many",
    columns: columns.map(({ name, castType }) => ({ kind: "per-row", name, type: castType, values: null })),
    returning: [],
  };
  const write = rewritten(scope.context, scope.entity, insert);
  const added = write.kind === "insert" ? write.columns : [];
  const slots = added.map((column): Slot => {
    const own = columns.find(({ name }) => name === column.name);
    if (column.kind === "per-row" && column.values === null && own !== undefined) return slotOf(own);
    if (column.kind === "constant" && column.value.kind === "parameter") {
      const { value } = column.value;
      return constant(typeof value === "function" ? value({ input: [], actor }) : value);
    }
    return refuse(
      column.name,
      `is filled by ${column.addedBy ?? "a behaviour"} in a way that COPY cannot; use createMany`,
    );
  });
  if (slots.length === 0) refuse("source", "its rows have no column to copy into; use createMany");
  return { names: added.map(({ name }) => name), slots, isGiven: isWhole };
}

/** A new row may have a value for it. */
export function mayBeGiven({ marks, identity, generatedSql }: ColumnDescription): boolean {
  return marks.writable !== "never" && identity !== "always" && generatedSql === undefined;
}

/** An insert that leaves it out makes it null, or fails: no default of its own, of an identity or of a domain. */
function isNullByItself({ hasServerDefault, identity, domain }: ColumnDescription): boolean {
  return !hasServerDefault && identity === undefined && domain === undefined;
}

const NOTHING = (): null => null;

function slotOf(column: ColumnDescription): Slot {
  const { key, produce } = column;
  const absent = produce ?? (isNullByItself(column) ? NOTHING : undefined);
  return { kind: "value", column, key, absent };
}

function constant(value: Encoded): Slot {
  const text = new CopyText();
  text.value(value);
  return { kind: "constant", text: Buffer.from(text.take()) };
}

/** Writes rows as COPY's text, checked and completed as `createMany` does. */
export class RowWriter {
  readonly #entity: EntityDescription;
  readonly #slots: readonly Slot[];
  readonly #keys: ReadonlySet<string>;
  readonly #rule: string;
  readonly #text: CopyText;
  /** Of the last row that was looked at: nearly always those of the next one. */
  #known: readonly string[] = [];
  /** Slot by slot, whether such a row has it: what a prototype has is not given. */
  #isGiven: readonly boolean[] = [];

  constructor(entity: EntityDescription, { slots, isGiven }: CopyLayout, text: CopyText) {
    this.#rule = isGiven ? "The columns option says what rows have" : AS_FIRST;
    this.#entity = entity;
    this.#slots = slots;
    this.#keys = new Set(slots.flatMap((slot) => (slot.kind === "value" ? [slot.key] : [])));
    this.#text = text;
  }

  /** @throws {INVALID_VALUE} with everything that is wrong with the row, by path. */
  write(row: unknown, position: number): void {
    try {
      const given = this.#look(row);
      const text = this.#text;
      const last = this.#slots.length - 1;
      for (let i = 0; i <= last; i++) {
        const slot = this.#slots[i];
        if (slot === undefined) break;
        if (slot.kind === "constant") text.raw(slot.text);
        else this.#value(slot, this.#isGiven[i] === true ? given[slot.key] : undefined);
        if (i < last) text.endValue();
      }
      text.endRow();
    } catch (error) {
      throw error instanceof InputError ? this.#complaint(row, position, error) : error;
    }
  }

  #value({ column, key, absent }: Extract<Slot, { kind: "value" }>, given: unknown): void {
    const value = given === undefined && absent !== undefined ? absent() : given;
    if (value === undefined) invalid(key, `is missing here. ${this.#rule}`);
    if (value === null && column.notNull) invalid(key, "is required");
    const text = this.#text;
    if (typeof value === "string" && column.kind === "text" && isPlainText(column) && value.length <= 48) {
      // Short ASCII needs none of the checks.
      if (text.short(value)) return;
    }
    text.value(encodeValue(column, value, key));
  }

  /** The row as an object of its own properties, all of which have a place. */
  #look(row: unknown): Readonly<Record<string, unknown>> {
    if (!isObject(row)) invalid("", "must be an object of columns");
    const keys = Object.keys(row);
    const known = this.#known;
    let isKnown = keys.length === known.length && keys.length > 0;
    for (let i = 0; isKnown && i < keys.length; i++) isKnown = keys[i] === known[i];
    if (!isKnown) this.#check(row, keys);
    return row;
  }

  #check(row: Readonly<Record<string, unknown>>, keys: readonly string[]): void {
    const stray = keys.filter((key) => !this.#keys.has(key));
    const refused = stray.find((key) => row[key] !== undefined);
    if (refused !== undefined) invalid(refused, `is given here. ${this.#rule}`);
    const own = new Set(keys);
    this.#isGiven = this.#slots.map((slot) => slot.kind === "value" && own.has(slot.key));
    // One that stands for nothing here may have a value in the next row.
    this.#known = stray.length === 0 ? keys : [];
  }

  /** `createMany` says all that is wrong at once; what it has no objection to is the copy's own. */
  #complaint(row: unknown, position: number, error: InputError): InputError {
    try {
      encodeNewRow(this.#entity, isObject(row) ? row : [], { path: String(position) });
    } catch (complaint) {
      if (complaint instanceof InputError) return complaint;
    }
    const issues = error.issues.map(
      ({ path, message }): InputIssue => ({ path: at(String(position), path), message }),
    );
    return new InputError("INVALID_VALUE", issues);
  }
}

const AS_FIRST =
  "A column with a default in the database is given in every row or in none, as in the first, unless columns says which";

function isPlainText({ marks, sqlType }: ColumnDescription): boolean {
  return marks.oneOf === undefined && sqlType !== "uuid";
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function invalid(path: string, message: string): never {
  throw new InputError("INVALID_VALUE", [{ path, message }]);
}
