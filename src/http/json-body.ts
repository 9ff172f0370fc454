import type { z } from "zod";
import { InputError, type InputIssue, RequestError } from "../errors/index.ts";
import { parseInput } from "./input.ts";
import { textIssues } from "./text.ts";

/** The largest body that is read: 1 MB. */
export const BODY_BYTES_MAX_DEFAULT = 1_000_000;

/** How a body is read. */
export interface JsonBodyOptions {
  /** @default 1_000_000 */
  readonly maxBytes?: number;
}

/**
 * Reads a request's JSON body and checks it against a schema. Every unknown field is refused, whatever the schema says
 * of them, and so are NUL and lone surrogates in any text, which PostgreSQL cannot store. No body counts as `{}`.
 *
 * @throws {BODY_TOO_LARGE} when it is longer than `maxBytes`; the rest is not read.
 * @throws {MALFORMED_REQUEST} when it is not JSON in UTF-8.
 * @throws {UNSUPPORTED_MEDIA_TYPE} when it is JSON and its content type says otherwise.
 * @throws {INVALID_VALUE} with everything that is wrong, each with its path.
 *
 * @example
 * ```ts
 * const input = await readJsonBody(request, z.object({ name: z.string() })); // { name: string }
 * ```
 */
export async function readJsonBody<S extends z.ZodObject>(
  request: Request,
  schema: S,
  options: JsonBodyOptions = {},
): Promise<z.output<S>> {
  const { maxBytes = BODY_BYTES_MAX_DEFAULT } = options;
  const text = decode(await readBytes(request, maxBytes));
  if (text === "") return parseInput(schema, {}, "INVALID_VALUE");
  const value = parseJson(text);
  refuseOtherTypes(request.headers.get("content-type"));
  const issues = textIssues(value);
  if (issues.length > 0) throw new InputError("INVALID_VALUE", issues);
  return parseInput(schema, value, "INVALID_VALUE");
}

/**
 * Refuses a body where none belongs (DELETE): ignoring it would drop what a client meant to say.
 *
 * @throws {INVALID_VALUE} when there is one that holds anything.
 */
export async function refuseBody(request: Request, options: JsonBodyOptions = {}): Promise<void> {
  const bytes = await readBytes(request, options.maxBytes ?? BODY_BYTES_MAX_DEFAULT);
  if (["", "{}", "null"].includes(decode(bytes).trim())) return;
  throw new InputError("INVALID_VALUE", [
    { path: "", message: "must be empty: this request takes no body" } satisfies InputIssue,
  ]);
}

async function readBytes(request: Request, maxBytes: number): Promise<Uint8Array> {
  // Asked first, so that a client that says what it sends is answered before it has sent it.
  if (Number(request.headers.get("content-length") ?? 0) > maxBytes) throw tooLarge(maxBytes);
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reader = request.body?.getReader();
  for (let part = await readPart(reader); part !== undefined; part = await readPart(reader)) {
    length += part.byteLength;
    if (length > maxBytes) throw tooLarge(maxBytes);
    chunks.push(part);
  }
  return Buffer.concat(chunks);
}

async function readPart(
  reader: ReadableStreamDefaultReader<Uint8Array> | undefined,
): Promise<Uint8Array | undefined> {
  if (reader === undefined) return undefined;
  try {
    return (await reader.read()).value;
  } catch {
    // The client went away, or the framing was broken: nobody waits for the answer.
    throw new RequestError("MALFORMED_REQUEST", "the request's body ended before it was complete");
  }
}

function tooLarge(maxBytes: number): RequestError {
  return new RequestError("BODY_TOO_LARGE", `the request's body is larger than ${maxBytes} bytes`);
}

/** Strict, because a lenient decoder would store `\uFFFD` for what the client sent. */
function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new RequestError("MALFORMED_REQUEST", "the request's body is not UTF-8");
  }
}

/** The parser's own message quotes the text, so it is left out. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new RequestError("MALFORMED_REQUEST", "the request's body is not JSON");
  }
}

/** Looked at after parsing: what is no JSON at all is malformed, whatever it is called. */
function refuseOtherTypes(contentType: string | null): void {
  const [type = ""] = (contentType ?? "").toLowerCase().split(";");
  if (/^application\/([\w.+-]+\+)?json$/.test(type.trim())) return;
  throw new RequestError("UNSUPPORTED_MEDIA_TYPE", "the request's body has to be sent as application/json");
}
