import { MalformedRow, type RowReader } from "../driver/index.ts";
import { type CellForm, COUNT, cellFormOf, RAW, textThrough } from "./cell-form.ts";
import { createMapper, hasMarker, type Slot } from "./mapper.ts";

type Row = Record<string, unknown>;

/**
 * Makes the reader of one shape's rows: from the bytes of the answer straight to the object the caller gets, which a
 * function written for the shape builds as one literal. Where code may not be made from strings (a content security
 * policy, `--disallow-code-generation-from-strings`) closures do the same, a little slower. The values are those of
 * `createMapper`, which reads the answers that come as text.
 */
export function createRowReader(slots: readonly Slot[]): RowReader<Row> {
  return canGenerate() ? generatedReader(slots) : closureReader(slots);
}

/** Where each value of a row comes from: a cell by its number, an object, or a list yet to be filled. */
type Part =
  | { readonly kind: "cell"; readonly key: string; readonly index: number }
  /** `marker`: the cell that is null when the object is. */
  | {
      readonly kind: "group";
      readonly key: string;
      readonly marker: number | undefined;
      readonly parts: readonly Part[];
    }
  | { readonly kind: "list"; readonly key: string };

interface Layout {
  readonly forms: readonly CellForm[];
  readonly parts: readonly Part[];
}

function layoutOf(slots: readonly Slot[]): Layout {
  const forms: CellForm[] = [];
  const partsOf = (level: readonly Slot[]): Part[] =>
    level.map((slot): Part => {
      const { key } = slot;
      if (slot.kind === "related") return { kind: "list", key };
      if (slot.kind === "group") {
        const first = hasMarker(slot) ? forms.push(MARKER) - 1 : undefined;
        const parts = partsOf(slot.slots);
        return { kind: "group", key, marker: first ?? markerIn(parts, slot.markedBy), parts };
      }
      return { kind: "cell", key, index: forms.push(formOf(slot)) - 1 };
    });
  const parts = partsOf(slots);
  return { forms, parts };
}

function markerIn(parts: readonly Part[], key: string | undefined): number | undefined {
  const part = parts.find((part) => part.key === key);
  return part?.kind === "cell" ? part.index : undefined;
}

/** Says by its presence that there is an object; what it holds is not looked at. */
const MARKER: CellForm = { ...RAW, read: () => true, source: "true" };

function formOf(slot: Exclude<Slot, { readonly kind: "related" | "group" }>): CellForm {
  switch (slot.kind) {
    case "column":
      return cellFormOf(slot.column);
    case "count":
      return COUNT;
    case "raw":
      return RAW;
    case "nested": {
      const map = createMapper([{ ...slot, key: "value" }]);
      return textThrough((cell) => map([cell]).value);
    }
  }
}

function readerOf(slots: readonly Slot[], { forms }: Layout, read: RowReader<Row>["read"]): RowReader<Row> {
  return {
    formats: forms.map(({ format }) => format),
    typeIds: forms.map(({ typeId }) => typeId),
    read,
    readCells: createMapper(slots),
  };
}

// ---- By closures ------------------------------------------------------------------------------------------

/** The reader without generated code. */
export function closureReader(slots: readonly Slot[]): RowReader<Row> {
  const layout = layoutOf(slots);
  const { forms } = layout;
  const build = builderOf(layout.parts);
  return readerOf(slots, layout, (buffer, offset, end) => {
    const values: unknown[] = [];
    if (end - offset < 2 || buffer.readUInt16BE(offset) !== forms.length) throw new MalformedRow();
    let position = offset + 2;
    for (const form of forms) {
      if (end - position < 4) throw new MalformedRow();
      const length = buffer.readInt32BE(position);
      position += 4;
      if (length === -1) {
        values.push(null);
        continue;
      }
      const isWrong = length < 0 || length > end - position;
      if (isWrong || (form.bytes !== undefined && length !== form.bytes)) throw new MalformedRow();
      values.push(form.read(buffer, position, length));
      position += length;
    }
    if (position !== end) throw new MalformedRow();
    return build(values);
  });
}

function builderOf(parts: readonly Part[]): (values: readonly unknown[]) => Row {
  const pairs = parts.map((part) => [part.key, readerOfPart(part)] as const);
  return (values) => {
    const row: Row = {};
    for (const [key, value] of pairs) define(row, key, value(values));
    return row;
  };
}

function readerOfPart(part: Part): (values: readonly unknown[]) => unknown {
  switch (part.kind) {
    case "cell":
      return (values) => values[part.index];
    case "list":
      return () => [];
    case "group": {
      const build = builderOf(part.parts);
      const { marker } = part;
      return (values) => (marker !== undefined && values[marker] === null ? null : build(values));
    }
  }
}

/** An assignment to `__proto__` would change the object's prototype. */
function define(row: Row, key: string, value: unknown): void {
  if (key === "__proto__") {
    Object.defineProperty(row, key, { value, enumerable: true, configurable: true, writable: true });
  } else {
    row[key] = value;
  }
}

// ---- By generated code ------------------------------------------------------------------------------------

let isAllowed: boolean | undefined;

/** Whether this process may make code from strings; found out once. */
function canGenerate(): boolean {
  if (isAllowed === undefined) {
    try {
      isAllowed = new Function("return true")() === true;
    } catch {
      isAllowed = false;
    }
  }
  return isAllowed;
}

/** The reader by code written for the shape. Of the caller's names only keys get into it, as JSON strings. */
export function generatedReader(slots: readonly Slot[]): RowReader<Row> {
  const layout = layoutOf(slots);
  const { forms } = layout;
  const lines = [
    '"use strict";',
    ...forms.map((_, i) => `const r${i} = readers[${i}];`),
    "return function read(b, o, end) {",
    `if (end - o < 2 || ((b[o] << 8) | b[o + 1]) !== ${forms.length}) throw new MalformedRow();`,
    "let p = o + 2, n = 0;",
    ...forms.map(cellSource),
    "if (p !== end) throw new MalformedRow();",
    `return ${literal(layout.parts)};`,
    "};",
  ];
  const make = new Function("readers", "MalformedRow", lines.join("\n"));
  const read: unknown = make(
    forms.map((form) => form.read),
    MalformedRow,
  );
  if (typeof read !== "function") throw new TypeError("the generated code is no function");
  return readerOf(slots, layout, (buffer, offset, end) => read(buffer, offset, end));
}

/** Reads the length in front of cell `i`, checks it, and puts the value into `v<i>`. */
function cellSource(form: CellForm, i: number): string {
  const isWrong = form.bytes === undefined ? "n > end - p" : `n !== ${form.bytes} || n > end - p`;
  return [
    `let v${i} = null;`,
    "n = (b[p] << 24) | (b[p + 1] << 16) | (b[p + 2] << 8) | b[p + 3]; p += 4;",
    `if (n >= 0) { if (${isWrong}) throw new MalformedRow(); v${i} = ${form.source ?? `r${i}(b, p, n)`}; p += n; }`,
    "else if (n !== -1) throw new MalformedRow();",
  ].join("\n");
}

function literal(parts: readonly Part[]): string {
  return `{ ${parts.map((part) => `${keySource(part.key)}: ${partSource(part)}`).join(", ")} }`;
}

function partSource(part: Part): string {
  if (part.kind === "cell") return `v${part.index}`;
  if (part.kind === "list") return "[]";
  const object = literal(part.parts);
  return part.marker === undefined ? object : `v${part.marker} === null ? null : ${object}`;
}

/** Computed only where it has to be: a plain `"__proto__":` in a literal sets the prototype. */
function keySource(key: string): string {
  const text = JSON.stringify(key);
  return key === "__proto__" ? `[${text}]` : text;
}
