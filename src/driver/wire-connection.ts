import type { Duplex } from "node:stream";
import { completeBy, readFields, readReport, readTexts } from "./backend-messages.ts";
import type { ByteSource } from "./byte-source.ts";
import type { Exchange } from "./exchange.ts";
import { FrameReader } from "./frame-reader.ts";
import { MessageWriter } from "./message-writer.ts";
import { ProtocolViolation } from "./protocol-error.ts";
import { Session } from "./session.ts";
import type { SessionParts } from "./session-parts.ts";

export interface WireConnectionParts extends SessionParts {
  /** Logged in and silent: the socket, or TLS on it. Its bytes are ours from now on. */
  readonly stream: Duplex;
  /** Where the bytes can be had without the stream. */
  readonly source?: ByteSource | undefined;
}

const PARSE_COMPLETE = 0x31; // 1
const BIND_COMPLETE = 0x32; // 2
const CLOSE_COMPLETE = 0x33; // 3
const NOTIFICATION = 0x41; // A
const COMMAND_COMPLETE = 0x43; // C
const DATA_ROW = 0x44; // D
const ERROR = 0x45; // E
const COPY_IN = 0x47; // G
const COPY_OUT = 0x48; // H
const EMPTY_QUERY = 0x49; // I
const BACKEND_KEY = 0x4b; // K
const NOTICE = 0x4e; // N
const PARAMETER_STATUS = 0x53; // S
const ROW_DESCRIPTION = 0x54; // T
const READY = 0x5a; // Z
const COPY_DONE = 0x63; // c
const COPY_DATA = 0x64; // d
const NO_DATA = 0x6e; // n
const PORTAL_SUSPENDED = 0x73; // s
const PARAMETER_DESCRIPTION = 0x74; // t

/**
 * A session whose messages Plinth writes and reads itself, on the stream that `pg` has connected.
 *
 * What is called within one turn of the event loop goes out in one write. Rows are read where they lie in the
 * receive buffer. Whatever is not the protocol ends the session, because nothing after it can be trusted.
 */
export class WireConnection extends Session {
  readonly canPipeline = true;
  readonly #stream: Duplex;
  readonly #writer = new MessageWriter();
  readonly #reader: FrameReader;
  readonly #flush = () => this.#send();
  #isFlushDue = false;

  constructor(parts: WireConnectionParts) {
    super(parts);
    this.#stream = parts.stream;
    this.#reader = new FrameReader((kind, buffer, start, end) => this.#receive(kind, buffer, start, end));
    this.#stream.removeAllListeners("data");
    const take = (chunk: Buffer) => this.#take(chunk);
    if (parts.source === undefined) this.#stream.on("data", take);
    else parts.source.divert(take);
    this.#stream.on("error", (error) => this.note(error));
    this.#stream.on("close", () => this.ended());
    // TLS on a socket that is destroyed may never close by itself.
    if (parts.socket !== parts.stream) parts.socket.on("close", () => this.ended());
    if (parts.socket.destroyed) this.ended();
  }

  protected override transmit(exchange: Exchange): void {
    const { length } = this.#writer;
    try {
      exchange.send(this.#writer);
    } catch (error) {
      this.#writer.truncate(length);
      throw error;
    }
    this.#flushSoon();
  }

  protected override get stream(): Duplex {
    return this.#stream;
  }

  protected override transmitMore(): void {
    if (this.#writer.length > 0) this.#flushSoon();
  }

  protected override terminate(): void {
    this.#writer.terminate();
    this.#send();
    this.#stream.end();
  }

  protected override ended(): void {
    this.#reader.stop();
    super.ended();
  }

  // ---- Sending ------------------------------------------------------------------------------------------

  #flushSoon(): void {
    if (this.#isFlushDue) return;
    this.#isFlushDue = true;
    process.nextTick(this.#flush);
  }

  #send(): void {
    this.#isFlushDue = false;
    if (this.#writer.length === 0 || this.isOver) return;
    this.#stream.write(this.#writer.take());
    // Else the kernel did not take all of it, and the stream still holds the buffer.
    if (this.#stream.writableLength === 0) this.#writer.release();
  }

  // ---- Receiving ----------------------------------------------------------------------------------------

  #take(chunk: Buffer): void {
    try {
      this.#reader.push(chunk);
    } catch (error) {
      this.cut(error instanceof Error ? error : new ProtocolViolation("an answer nobody can read"));
    }
    // An answer may call for more: the end of a COPY, or the refusal of one.
    if (this.#writer.length > 0) this.#flushSoon();
  }

  #receive(kind: number, buffer: Buffer, start: number, end: number): void {
    switch (kind) {
      case DATA_ROW:
        this.#answering().rowOfBytes(buffer, start, end);
        break;
      case BIND_COMPLETE:
      case CLOSE_COMPLETE:
      case NO_DATA:
      case PARAMETER_DESCRIPTION:
      case COPY_OUT:
      case COPY_DONE:
        this.#answering();
        break;
      case COPY_DATA:
        this.#answering().copyData(buffer, start, end);
        break;
      case COMMAND_COMPLETE:
        completeBy(this.#answering(), buffer, start, end);
        break;
      case READY:
        this.#ready(buffer, start, end);
        break;
      case PARSE_COMPLETE:
        this.#answering().parsed();
        break;
      case ROW_DESCRIPTION:
        this.#answering().describe(readFields(buffer, start, end));
        break;
      case EMPTY_QUERY:
        this.#answering().complete("", 0);
        break;
      case PORTAL_SUSPENDED:
        this.#answering().complete("", undefined);
        break;
      case COPY_IN:
        this.#copyIn();
        break;
      default:
        this.#hear(kind, buffer, start, end);
    }
  }

  /** Messages that may come at any time. */
  #hear(kind: number, buffer: Buffer, start: number, end: number): void {
    switch (kind) {
      case ERROR: {
        const report = readReport(buffer, start, end);
        if (this.current === undefined) this.noteReport(report);
        else this.current.refuse(report);
        break;
      }
      case NOTICE: {
        const { severity = "NOTICE", message = "" } = readReport(buffer, start, end);
        this.notice({ severity, message });
        break;
      }
      case PARAMETER_STATUS:
        this.#noteParameter(buffer, start, end);
        break;
      case NOTIFICATION:
      case BACKEND_KEY:
        break;
      default:
        throw new ProtocolViolation(`a message of kind ${kind}`);
    }
  }

  #answering(): Exchange {
    const exchange = this.current;
    if (exchange === undefined) throw new ProtocolViolation("an answer to nothing");
    return exchange;
  }

  #ready(buffer: Buffer, start: number, end: number): void {
    const status = end - start === 1 ? String.fromCharCode(buffer[start] ?? 0) : "";
    if (!"ITE".includes(status) || status === "")
      throw new ProtocolViolation("a transaction status that is none");
    this.#answering();
    this.ready(status);
  }

  /** What is already on its way behind a COPY would be eaten by it; then nobody knows where its neighbours stand. */
  #copyIn(): void {
    const exchange = this.#answering();
    if (exchange.isPipelined) throw new ProtocolViolation("COPY in the middle of pipelined statements");
    exchange.copyIn(this.#writer);
  }

  #noteParameter(buffer: Buffer, start: number, end: number): void {
    const [name, value] = readTexts(buffer, start, end);
    this.parameter(name ?? "", value ?? "");
  }
}
