import type { Parameter, RowReader, StatementCall } from "./connection.ts";
import type { PreparedStatement } from "./prepared-statements.ts";
import type { Sender } from "./sender.ts";

const FIRST_BYTES = 1 << 14;
/** A buffer that grew beyond this for a large message is let go after it. */
const KEPT_BYTES = 1 << 20;
/** Below this a loop over the characters beats the call into the native encoder. */
const SHORT_TEXT = 40;

const [PARSE, CLOSE, QUERY, COPY_FAIL] = [..."PCQf"].map((kind) => kind.charCodeAt(0));
const EXECUTE = Buffer.from("E\0\0\0\x09\0\0\0\0\0", "latin1");
const FLUSH = Buffer.from("H\0\0\0\x04", "latin1");
const COPY_DONE = Buffer.from("c\0\0\0\x04", "latin1");
const SYNC = Buffer.from("S\0\0\0\x04", "latin1");
const DESCRIBE = Buffer.from("D\0\0\0\x06P\0", "latin1");
const TERMINATE = Buffer.from("X\0\0\0\x04", "latin1");
const ALL_TEXT = Buffer.from([0, 0]);

/**
 * Writes messages one behind the other into one buffer, which goes out in one piece. Two buffers take turns.
 *
 * @see https://www.postgresql.org/docs/current/protocol-message-formats.html
 */
export class MessageWriter implements Sender {
  readonly readsBinary = true;
  #buffer: Buffer = Buffer.allocUnsafe(FIRST_BYTES);
  #length = 0;
  #taken: Buffer | undefined;
  /** Not in use: for the next turn. */
  #spare: Buffer | undefined;

  get length(): number {
    return this.#length;
  }

  /** Takes back what was written beyond `length`. */
  truncate(length: number): void {
    this.#length = length;
  }

  /** Hands over what was written, and goes on in another buffer. */
  take(): Buffer {
    const bytes = this.#buffer.subarray(0, this.#length);
    this.#taken = this.#buffer;
    this.#buffer = this.#spare ?? Buffer.allocUnsafe(FIRST_BYTES);
    this.#spare = undefined;
    this.#length = 0;
    return bytes;
  }

  /** What was taken last has left its buffer, which can be written over. */
  release(): void {
    if (this.#taken !== undefined && this.#taken.length <= KEPT_BYTES) this.#spare = this.#taken;
  }

  // ---- Messages -----------------------------------------------------------------------------------------

  query(text: string): void {
    const start = this.#open(QUERY);
    this.#text(text);
    this.#close(start);
  }

  close(name: string): void {
    const start = this.#open(CLOSE);
    this.#byte(83);
    this.#text(name);
    this.#close(start);
  }

  parse(name: string, text: string): void {
    const start = this.#open(PARSE);
    this.#text(name);
    this.#text(text);
    // No parameter types: the server infers them.
    this.#int16(0);
    this.#close(start);
  }

  bind(call: StatementCall, prepared: PreparedStatement | undefined, reader: RowReader | undefined): void {
    const { values } = call;
    const start = this.#length;
    const head = prepared?.bindHead ?? bindHead(call.name ?? "");
    if (prepared !== undefined) prepared.bindHead = head;
    this.#bytes(head);
    this.#formats(values);
    this.#int16(values.length);
    for (let i = 0; i < values.length; i++) this.#value(values[i] ?? null);
    if (prepared === undefined || reader === undefined) {
      this.#bytes(ALL_TEXT);
    } else {
      const tail = prepared.bindTail ?? resultFormats(reader);
      prepared.bindTail = tail;
      this.#bytes(tail);
    }
    this.#close(start);
  }

  describe(): void {
    this.#bytes(DESCRIBE);
  }

  execute(): void {
    this.#bytes(EXECUTE);
  }

  sync(): void {
    this.#bytes(SYNC);
  }

  flush(): void {
    this.#bytes(FLUSH);
  }

  endCopy(): void {
    this.#bytes(COPY_DONE);
  }

  failCopy(reason: string): void {
    const start = this.#open(COPY_FAIL);
    this.#text(reason);
    this.#close(start);
  }

  terminate(): void {
    this.#bytes(TERMINATE);
  }

  // ---- Pieces -------------------------------------------------------------------------------------------

  #open(kind: number | undefined): number {
    const start = this.#length;
    this.#room(5);
    this.#buffer[start] = kind ?? 0;
    this.#length += 5;
    return start;
  }

  /** Writes the length of the message that began at `start`. */
  #close(start: number): void {
    this.#buffer.writeInt32BE(this.#length - start - 1, start + 1);
  }

  /** Strings go as text and buffers as bytes; without a buffer one zero says so for all. */
  #formats(values: readonly Parameter[]): void {
    let hasBytes = false;
    for (let i = 0; i < values.length; i++) {
      const value = values[i];
      if (typeof value === "object" && value !== null) hasBytes = true;
    }
    this.#int16(hasBytes ? values.length : 0);
    if (!hasBytes) return;
    for (const value of values) this.#int16(typeof value === "object" && value !== null ? 1 : 0);
  }

  #value(value: Parameter): void {
    if (value === null) {
      this.#int32(-1);
    } else if (typeof value === "string") {
      const at = this.#length;
      this.#int32(0);
      this.#characters(value);
      this.#buffer.writeInt32BE(this.#length - at - 4, at);
    } else {
      this.#int32(value.length);
      this.#bytes(value);
    }
  }

  #text(text: string): void {
    this.#characters(text);
    this.#byte(0);
  }

  #characters(text: string): void {
    if (text.length <= SHORT_TEXT) {
      this.#room(SHORT_TEXT);
      const buffer = this.#buffer;
      const at = this.#length;
      let i = 0;
      for (; i < text.length; i++) {
        const code = text.charCodeAt(i);
        if (code > 127) break;
        buffer[at + i] = code;
      }
      if (i === text.length) {
        this.#length = at + i;
        return;
      }
    }
    this.#room(Buffer.byteLength(text));
    this.#length += this.#buffer.write(text, this.#length, "utf8");
  }

  #bytes(bytes: Buffer): void {
    this.#room(bytes.length);
    const buffer = this.#buffer;
    const at = this.#length;
    if (bytes.length > SHORT_TEXT) buffer.set(bytes, at);
    else for (let i = 0; i < bytes.length; i++) buffer[at + i] = bytes[i] ?? 0;
    this.#length = at + bytes.length;
  }

  #byte(value: number): void {
    this.#room(1);
    this.#buffer[this.#length++] = value;
  }

  #int16(value: number): void {
    this.#room(2);
    this.#buffer[this.#length] = value >> 8;
    this.#buffer[this.#length + 1] = value;
    this.#length += 2;
  }

  #int32(value: number): void {
    this.#room(4);
    this.#buffer.writeInt32BE(value, this.#length);
    this.#length += 4;
  }

  #room(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#buffer.length) return;
    const grown = Buffer.allocUnsafe(Math.max(needed, this.#buffer.length * 2));
    this.#buffer.copy(grown, 0, 0, this.#length);
    this.#buffer = grown;
  }
}

/** Kind, room for the length, the unnamed portal, the statement's name. */
function bindHead(name: string): Buffer {
  return Buffer.from(`B\0\0\0\0\0${name}\0`);
}

function resultFormats({ formats }: RowReader): Buffer {
  const bytes = Buffer.alloc(2 + formats.length * 2);
  bytes.writeUInt16BE(formats.length, 0);
  formats.forEach((format, i) => {
    bytes.writeUInt16BE(format, 2 + i * 2);
  });
  return bytes;
}
