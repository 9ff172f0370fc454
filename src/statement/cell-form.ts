import type { ColumnDescription } from "../schema/index.ts";
import { decoderOf } from "./codec.ts";

/** Reads one value of `n` bytes at `p`. */
export type CellReader = (b: Buffer, p: number, n: number) => unknown;

/** In which form a column's value is asked for, and how its bytes become what the text decoder makes of its text. */
export interface CellForm {
  readonly format: 0 | 1;
  /** The OID of the one type `read` takes; 0 where any text will do. */
  readonly typeId: number;
  /** How many bytes every value has; undefined where they differ. */
  readonly bytes: number | undefined;
  readonly read: CellReader;
  /** The same as an expression over `b`, `p` and `n`, where that is quicker than a call. */
  readonly source: string | undefined;
}

/**
 * Binary where a measurement asks for it: numbers, instants, booleans, bytes. Text is quicker for uuid, and a `real`
 * has to be what its shortest decimal text says, not the float below it.
 *
 * OIDs: https://github.com/postgres/postgres/blob/master/src/include/catalog/pg_type.dat
 */
export function cellFormOf(column: ColumnDescription): CellForm {
  const { kind, castType } = column;
  switch (kind) {
    case "integer":
    case "boolean":
      return PLAIN[castType] ?? decodedText(column);
    case "float":
      return castType === "double precision" ? FLOAT8 : decodedText(column);
    case "bigint":
      return castType === "bigint" ? INT8 : decodedText(column);
    case "safe-bigint":
      return castType === "bigint" ? safeInt8(column) : decodedText(column);
    case "instant":
      return instantOf(column);
    case "bytes":
      return castType === "bytea" ? BYTEA : decodedText(column);
    case "custom":
      return customOf(column);
    case "enum":
      return TEXT;
    case "instant-text":
    case "date":
      return ASCII;
    case "text":
      if (ASCII_TYPES.has(castType)) return ASCII;
      return AS_IS_TYPES.has(castType) ? TEXT : decodedText(column);
    default:
      return decodedText(column);
  }
}

const TEXT: CellForm = {
  format: 0,
  typeId: 0,
  bytes: undefined,
  read: (b, p, n) => b.toString("utf8", p, p + n),
  source: "b.utf8Slice(p, p + n)",
};

/** Every letter is one byte. */
const ASCII: CellForm = {
  ...TEXT,
  read: (b, p, n) => b.toString("latin1", p, p + n),
  source: "b.latin1Slice(p, p + n)",
};

/** The text decoder leaves these as they are; of others it may take off or add something (inet, char). */
const AS_IS_TYPES: ReadonlySet<string> = new Set(["text", "varchar", "character varying", "citext"]);

/** So it does these, and PostgreSQL writes them without anything but ASCII. */
const ASCII_TYPES: ReadonlySet<string> = new Set(["uuid", "numeric", "macaddr", "macaddr8", "cidr"]);

const INT2: CellForm = {
  format: 1,
  typeId: 21,
  bytes: 2,
  read: (b, p) => b.readInt16BE(p),
  source: "(b[p] << 24 >> 16) | b[p + 1]",
};

const INT4: CellForm = {
  format: 1,
  typeId: 23,
  bytes: 4,
  read: (b, p) => b.readInt32BE(p),
  source: "(b[p] << 24) | (b[p + 1] << 16) | (b[p + 2] << 8) | b[p + 3]",
};

const BOOL: CellForm = {
  format: 1,
  typeId: 16,
  bytes: 1,
  read: (b, p) => b[p] === 1,
  source: "b[p] === 1",
};

const FLOAT8: CellForm = {
  format: 1,
  typeId: 701,
  bytes: 8,
  read: (b, p) => b.readDoubleBE(p),
  source: "b.readDoubleBE(p)",
};

const INT8: CellForm = {
  format: 1,
  typeId: 20,
  bytes: 8,
  read: (b, p) => b.readBigInt64BE(p),
  source: "b.readBigInt64BE(p)",
};

const BYTEA: CellForm = {
  format: 1,
  typeId: 17,
  bytes: undefined,
  // A copy: the receive buffer is used again.
  read: (b, p, n) => Buffer.from(b.subarray(p, p + n)),
  source: undefined,
};

const PLAIN: Readonly<Record<string, CellForm>> = { smallint: INT2, integer: INT4, boolean: BOOL };

/** What `count(*)` answers, as a number. */
export const COUNT: CellForm = {
  format: 1,
  typeId: 20,
  bytes: 8,
  read: (b, p) => b.readInt32BE(p) * 0x1_0000_0000 + b.readUInt32BE(p + 4),
  source: undefined,
};

/** What PostgreSQL wrote, as it is. */
export const RAW = TEXT;

/** Any type: its text, through the decoder that also reads the cells of nested rows. */
export function decodedText(column: ColumnDescription): CellForm {
  const decode = decoderOf(column);
  return textThrough(decode);
}

export function textThrough(decode: (cell: string) => unknown): CellForm {
  return { ...TEXT, read: (b, p, n) => decode(b.toString("utf8", p, p + n)), source: undefined };
}

function safeInt8(column: ColumnDescription): CellForm {
  const decode = decoderOf(column);
  return {
    ...COUNT,
    read(b, p) {
      const value = b.readInt32BE(p) * 0x1_0000_0000 + b.readUInt32BE(p + 4);
      // The text decoder has the words for a value that is too large.
      return Number.isSafeInteger(value) ? value : decode(String(b.readBigInt64BE(p)));
    },
  };
}

/** 2000-01-01, PostgreSQL's day zero, in milliseconds since 1970. */
const EPOCH_MS = 946_684_800_000;
const DAY_MS = 86_400_000;
/** The years 1 to 9999: what the text decoder takes. */
const FIRST_MS = -62_135_596_800_000;
const LAST_MS = 253_402_300_799_999;

function instantOf(column: ColumnDescription): CellForm {
  const decode = decoderOf(column);
  // Infinite, BC and far: all of them are out of range as numbers too, and refused in the same words.
  const dateOf = (ms: number) => (ms >= FIRST_MS && ms <= LAST_MS ? new Date(ms) : decode("infinity"));
  switch (column.castType) {
    case "timestamp with time zone":
    case "timestamp":
      return {
        format: 1,
        typeId: column.castType === "timestamp" ? 1114 : 1184,
        bytes: 8,
        read: (b, p) => dateOf(millisecondsAt(b, p)),
        source: undefined,
      };
    case "date":
      return {
        format: 1,
        typeId: 1082,
        bytes: 4,
        read: (b, p) => dateOf(EPOCH_MS + b.readInt32BE(p) * DAY_MS),
        source: undefined,
      };
    default:
      return decodedText(column);
  }
}

/**
 * Microseconds since 2000 as milliseconds since 1970, cut as the text decoder cuts them: downwards, also before the
 * epoch. In halves, because a double does not hold 64 bits: 2³² µs are 4,294,967 ms and 296 µs.
 */
function millisecondsAt(b: Buffer, p: number): number {
  const high = b.readInt32BE(p);
  return EPOCH_MS + high * 4_294_967 + Math.floor((high * 296 + b.readUInt32BE(p + 4)) / 1_000);
}

/** A custom type's own mapping gets what `pg` would give it; binary only where both ways give the same. */
function customOf(column: ColumnDescription): CellForm {
  const { castType, custom } = column;
  const inner = castType === "bytea" ? BYTEA : castType === "double precision" ? FLOAT8 : PLAIN[castType];
  if (inner === undefined || custom === undefined) return decodedText(column);
  return { ...inner, read: (b, p, n) => custom.decode(inner.read(b, p, n)), source: undefined };
}
