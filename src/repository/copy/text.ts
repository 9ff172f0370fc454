/** Rows are sent in blocks of this size, or a little more. */
export const BLOCK_BYTES = 1 << 16;
/** A block that grew beyond this for a large value is let go after it. */
const KEPT_BYTES = 1 << 20;
/** Below this a loop over the characters beats the call into the native encoder. */
const SHORT_TEXT = 48;

const [TAB, NEWLINE, RETURN, BACKSLASH] = [9, 10, 13, 92];
/** What has a meaning of its own in a line, by code: the letter it is written with behind a backslash. */
const ESCAPES = new Map([
  [TAB, 0x74],
  [NEWLINE, 0x6e],
  [RETURN, 0x72],
  [BACKSLASH, BACKSLASH],
]);
const NEEDS_ESCAPE = /[\\\t\n\r]/g;
const ESCAPED: Readonly<Record<string, string>> = { "\t": "\\t", "\n": "\\n", "\r": "\\r", "\\": "\\\\" };

/**
 * Writes rows in COPY's text format into one block of memory, which is used again.
 *
 * @see https://www.postgresql.org/docs/current/sql-copy.html#id-1.9.3.55.9.2
 */
export class CopyText {
  #buffer: Buffer = Buffer.allocUnsafe(BLOCK_BYTES * 2);
  #length = 0;

  /** It holds enough to be sent. */
  get isFull(): boolean {
    return this.#length >= BLOCK_BYTES;
  }

  /** What was written. The next value written goes over it. */
  take(): Buffer {
    const bytes = this.#buffer.subarray(0, this.#length);
    this.#length = 0;
    if (this.#buffer.length > KEPT_BYTES) this.#buffer = Buffer.allocUnsafe(BLOCK_BYTES * 2);
    return bytes;
  }

  /** Behind each value but the last of its row. */
  endValue(): void {
    this.#byte(TAB);
  }

  endRow(): void {
    this.#byte(NEWLINE);
  }

  null(): void {
    this.#room(2);
    this.#buffer[this.#length++] = BACKSLASH;
    this.#buffer[this.#length++] = 0x4e;
  }

  value(value: string | Buffer | null): void {
    if (value === null) this.null();
    else if (typeof value === "string") this.text(value);
    else this.bytes(value);
  }

  /** Digits, signs and letters of our own making: nothing in it needs a backslash. */
  plain(text: string): void {
    const { length } = text;
    this.#room(length);
    const buffer = this.#buffer;
    const at = this.#length;
    for (let i = 0; i < length; i++) buffer[at + i] = text.charCodeAt(i);
    this.#length = at + length;
  }

  /** A text that PostgreSQL takes: without NUL and lone surrogates. */
  text(text: string): void {
    if (text.length <= SHORT_TEXT && this.short(text)) return;
    const written = text.replace(NEEDS_ESCAPE, escaped);
    this.#room(written.length * 3);
    this.#length += this.#buffer.write(written, this.#length, "utf8");
  }

  /** Writes a short text of ASCII and nothing else. False, with nothing written, for any other and where it holds a NUL. */
  short(text: string): boolean {
    const { length } = text;
    this.#room(length * 2);
    const buffer = this.#buffer;
    let at = this.#length;
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(i);
      if (code > 127 || code === 0) return false;
      if (code === BACKSLASH || code < 14) {
        const letter = ESCAPES.get(code);
        if (letter !== undefined) {
          buffer[at++] = BACKSLASH;
          buffer[at++] = letter;
          continue;
        }
      }
      buffer[at++] = code;
    }
    this.#length = at;
    return true;
  }

  bytes(bytes: Buffer): void {
    this.#room(bytes.length * 2 + 3);
    this.#length += this.#buffer.write("\\\\x", this.#length, "latin1");
    this.#length += this.#buffer.write(bytes.toString("hex"), this.#length, "latin1");
  }

  /** What was made beforehand, as it stands. */
  raw(bytes: Buffer): void {
    this.#room(bytes.length);
    bytes.copy(this.#buffer, this.#length);
    this.#length += bytes.length;
  }

  #byte(value: number): void {
    this.#room(1);
    this.#buffer[this.#length++] = value;
  }

  #room(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#buffer.length) return;
    const grown = Buffer.allocUnsafe(Math.max(needed, this.#buffer.length * 2));
    this.#buffer.copy(grown, 0, 0, this.#length);
    this.#buffer = grown;
  }
}

function escaped(character: string): string {
  return ESCAPED[character] ?? character;
}
