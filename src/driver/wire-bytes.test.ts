import { Socket } from "node:net";
import { Duplex } from "node:stream";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { call } from "../../test/conformance/connection.ts";
import { converse } from "../../test/conformance/conversation.ts";
import { startRelay } from "../../test/support/relay.ts";
import { type TestServer, testServer } from "../../test/support/server.ts";
import { SOAK_TIMEOUT_MS, soakRuns } from "../../test/support/soak.ts";
import { FrameReader } from "./frame-reader.ts";
import { connect, parseTarget } from "./index.ts";
import { WireConnection } from "./wire-connection.ts";

let server: TestServer;
/** What a real server said in a real conversation, per write of the client. */
let answers: readonly Buffer[];
/** What the calls of that conversation came to. */
let said: readonly unknown[];

beforeAll(async () => {
  server = await testServer();
  const relay = await startRelay(server.url);
  const connection = await connect(parseTarget(relay.urlFor(server.url)));
  relay.record();
  said = await converse(connection);
  answers = [...relay.answers];
  await connection.close();
  await relay.close();
});
afterAll(() => server.stop());

/** Gives a recorded answer to every write, in pieces. */
class Replay extends Duplex {
  readonly #answers: readonly Buffer[];
  readonly #cut: (answer: Buffer, index: number) => readonly Buffer[];
  #next = 0;

  constructor(recorded: readonly Buffer[], cut: (answer: Buffer, index: number) => readonly Buffer[]) {
    super();
    this.#answers = recorded;
    this.#cut = cut;
  }

  override _read(): void {}

  override _write(_chunk: Buffer, _encoding: string, done: () => void): void {
    const index = this.#next++;
    const answer = this.#answers[index];
    if (answer !== undefined) for (const piece of this.#cut(answer, index)) this.push(piece);
    done();
  }
}

function sessionOn(stream: Duplex): WireConnection {
  return new WireConnection({
    stream,
    socket: new Socket(),
    target: parseTarget(server.url),
    processId: 1,
    secretKey: 2,
    hasSessionSettings: true,
    silenceMs: 60_000,
    isServerWorking: async () => true,
  });
}

/** The conversation again, with the server's bytes cut as told. */
async function replayed(
  cut: (answer: Buffer, index: number) => readonly Buffer[],
): Promise<readonly unknown[]> {
  const connection = sessionOn(new Replay(answers, cut));
  try {
    return await converse(connection);
  } finally {
    connection.destroy();
  }
}

function bytesOf(answer: Buffer): Buffer[] {
  return Array.from(answer, (_, i) => answer.subarray(i, i + 1));
}

describe("the server's bytes", () => {
  it("hold every kind of message that an open session may get", () => {
    const kinds = new Set<string>();
    const reader = new FrameReader((kind) => kinds.add(String.fromCharCode(kind)));
    for (const answer of answers) reader.push(answer);
    expect([...kinds].sort().join("")).toBe("123ACDEGHINSTZcdn");
    expect(said).toHaveLength(22);
  });

  it("mean the same in one piece and byte by byte", async () => {
    expect(await replayed((answer) => [answer])).toEqual(said);
    expect(await replayed(bytesOf)).toEqual(said);
  });

  it("mean the same wherever they are cut in two", { timeout: SOAK_TIMEOUT_MS }, async () => {
    const total = answers.reduce((sum, { length }) => sum + length, 0);
    const step = Math.ceil(total / soakRuns(total));
    for (let position = 0; position < total; position += step) {
      let before = 0;
      const found = await replayed((answer) => {
        const at = position - before;
        before += answer.length;
        return at > 0 && at < answer.length ? [answer.subarray(0, at), answer.subarray(at)] : [answer];
      });
      expect(found).toEqual(said);
    }
  });

  it("mean the same however they are cut", { timeout: SOAK_TIMEOUT_MS }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.infiniteStream(fc.integer({ min: 1, max: 400 })), async (sizes) => {
        const found = await replayed((answer) => {
          const pieces: Buffer[] = [];
          for (let at = 0; at < answer.length; ) {
            const size = sizes.next().value ?? 1;
            pieces.push(answer.subarray(at, at + size));
            at += size;
          }
          return pieces;
        });
        expect(found).toEqual(said);
      }),
      { seed: 20_261_121, numRuns: soakRuns(2_000) },
    );
  });
});

describe("bytes that are no answer", () => {
  const ended = async (bytes: Buffer) => {
    const connection = sessionOn(new Replay([bytes], (answer) => [answer]));
    const end = new Promise((resolve) => connection.onClose(resolve));
    const work = connection.query(call("select 1")).catch((error: unknown) => error);
    return Promise.all([work, end]);
  };
  const int32 = (value: number) => {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32BE(value);
    return bytes;
  };
  const message = (kind: string, body: Buffer | string) =>
    Buffer.concat([Buffer.from(kind), int32(body.length + 4), Buffer.from(body)]);

  it.each([
    ["of an unknown kind", message("@", "")],
    ["of another protocol", Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n")],
    ["that ask for a password again", message("R", int32(3))],
    ["that switch to replication", message("W", Buffer.from([0, 0, 0]))],
    ["with a length below its own four bytes", Buffer.concat([Buffer.from("Z"), int32(3), Buffer.from("I")])],
    ["with a negative length", Buffer.concat([Buffer.from("D"), int32(-1)])],
    ["with a length no short message has", Buffer.concat([Buffer.from("Z"), int32(1_000_000)])],
    ["with a length no message has", Buffer.concat([Buffer.from("D"), int32(0x7fff_ffff)])],
    ["with an unknown transaction status", message("Z", "X")],
    ["with no transaction status", message("Z", "")],
    ["with a row shorter than its columns", message("D", Buffer.from([0, 2, 0, 0, 0, 1, 65]))],
    ["with a row longer than its columns", message("D", Buffer.from([0, 1, 0, 0, 0, 1, 65, 66]))],
    ["with a column of negative length", message("D", Buffer.from([0, 1, 255, 255, 255, 254]))],
    ["with a column longer than its row", message("D", Buffer.from([0, 1, 0, 0, 0, 9, 65]))],
    ["with a field name without an end", message("T", Buffer.from([0, 1, 65, 66]))],
    ["with fewer fields than it says", message("T", Buffer.from([0, 9]))],
    ["with a command tag without an end", message("C", "SELECT 1")],
    ["with a report without an end", message("E", "SERROR")],
  ])("end the session with a clear error: %s", async (_what, bytes) => {
    const [work, end] = await ended(bytes);
    for (const error of [work, end]) {
      expect(error).toMatchObject({
        code: "CONNECTION_LOST",
        summary: expect.stringMatching(/the server broke the protocol \(.+\)$/),
      });
    }
  });

  it("may hold what nobody asked for now, and are passed over", async () => {
    const answer = Buffer.concat([
      message("K", Buffer.alloc(8)),
      message("t", Buffer.from([0, 0])),
      message("D", Buffer.from([0, 1, 0, 0, 0, 1, 65])),
      message("s", ""),
      message("Z", "I"),
    ]);
    const connection = sessionOn(new Replay([answer], (bytes) => bytesOf(bytes)));
    expect(await connection.query(call("select 1"))).toMatchObject({ rowCount: 1, rows: [["A"]] });
    connection.destroy();
  });

  it("end the session when they answer what nobody asked", async () => {
    const stream = new Replay([], () => []);
    const connection = sessionOn(stream);
    const end = new Promise((resolve) => connection.onClose(resolve));
    stream.push(message("C", "SELECT 1\0"));
    expect(await end).toMatchObject({ summary: expect.stringContaining("an answer to nothing") });
    expect(connection.isOpen).toBe(false);
  });

  it("never hang, crash or fill the memory, whatever they are", { timeout: SOAK_TIMEOUT_MS }, async () => {
    await fc.assert(
      fc.asyncProperty(damage(), fc.nat(), async (harm, position) => {
        let hurt = false;
        let before = 0;
        const stream = new Replay(answers, (answer) => {
          const at = (position % total()) - before;
          before += answer.length;
          if (hurt || at < 0 || at >= answer.length) return [answer];
          hurt = true;
          return [harm(answer, at)];
        });
        const connection = sessionOn(stream);
        const ended = new Promise((resolve) => connection.onClose(resolve));
        const talk = converse(connection);
        // What is cut short leaves the reader waiting for the rest; then the stream ends, as a dead server's does.
        const timer = setInterval(() => {
          if (connection.isBusy) stream.destroy();
        }, 100);
        await talk;
        clearInterval(timer);
        connection.destroy();
        await ended;
        expect(connection.isBusy).toBe(false);
      }),
      { seed: 20_261_121, numRuns: soakRuns(5_000) },
    );
  });

  it("are kept only as far as they have come, whatever length they claim", () => {
    const reader = new FrameReader(() => {});
    reader.push(Buffer.concat([Buffer.from("D"), int32(0x3fff_0000), Buffer.alloc(1_000)]));
    expect(reader.pendingBytes).toBe(1_005);
    for (let i = 0; i < 100; i++) reader.push(Buffer.alloc(10_000));
    expect(reader.pendingBytes).toBe(1_001_005);
    reader.stop();
    expect(reader.pendingBytes).toBe(0);
  });
});

function total(): number {
  return answers.reduce((sum, { length }) => sum + length, 0);
}

/** What can happen to bytes at a position. */
function damage(): fc.Arbitrary<(answer: Buffer, at: number) => Buffer> {
  const bytes = fc.uint8Array({ minLength: 1, maxLength: 12 }).map((array) => Buffer.from(array));
  return fc.oneof(
    bytes.map((noise) => (answer: Buffer, at: number) => {
      const changed = Buffer.from(answer);
      noise.copy(changed, at);
      return changed;
    }),
    bytes.map(
      (noise) => (answer: Buffer, at: number) =>
        Buffer.concat([answer.subarray(0, at), noise, answer.subarray(at)]),
    ),
    fc
      .integer({ min: 1, max: 20 })
      .map(
        (count) => (answer: Buffer, at: number) =>
          Buffer.concat([answer.subarray(0, at), answer.subarray(at + count)]),
      ),
    fc.constant((answer: Buffer, at: number) => answer.subarray(0, at)),
    fc.constant((answer: Buffer, at: number) => Buffer.concat([answer.subarray(0, at), answer])),
  );
}
