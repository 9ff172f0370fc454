import { describe, expect, it } from "vitest";
import { z } from "zod";
import { InputError, RequestError } from "../errors/index.ts";
import { readJsonBody, refuseBody } from "./json-body.ts";

const schema = z.object({ name: z.string(), tags: z.array(z.string()).optional() });

const requestWith = (body: string | Uint8Array | ReadableStream, headers: Record<string, string> = {}) =>
  new Request("http://host/", {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: typeof body === "string" || body instanceof ReadableStream ? body : new Uint8Array(body),
    ...{ duplex: "half" },
  });

const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => "accepted",
    (error: unknown) => (error instanceof RequestError || error instanceof InputError ? error.code : error),
  );

const issuesOf = (work: Promise<unknown>) =>
  work.then(
    () => [],
    (error: unknown) => (error instanceof InputError ? error.issues : error),
  );

describe("readJsonBody", () => {
  it("gives what the schema makes of the body", async () => {
    expect(await readJsonBody(requestWith('{"name":"x"}'), schema)).toEqual({ name: "x" });
  });

  it("refuses an unknown field though the schema would drop it", async () => {
    expect(await issuesOf(readJsonBody(requestWith('{"name":"x","nmae":1}'), schema))).toEqual([
      { path: "nmae", message: 'unknown field "nmae"; did you mean "name"?' },
    ]);
  });

  it("refuses __proto__ like any other unknown field", async () => {
    const issues = await issuesOf(
      readJsonBody(requestWith('{"name":"x","__proto__":{"admin":true}}'), schema),
    );
    expect(issues).toMatchObject([{ path: "__proto__" }]);
  });

  it("finds NUL and lone surrogates wherever they are", async () => {
    const body = '{"name":"a\\u0000","tags":["ok","\\ud800"]}';
    expect(await issuesOf(readJsonBody(requestWith(body), schema))).toEqual([
      { path: "name", message: "must not contain the NUL character" },
      { path: "tags.1", message: "must not contain a lone surrogate (it is not valid Unicode)" },
    ]);
  });

  it("reads a body that comes in pieces, also through the middle of a character", async () => {
    const bytes = Buffer.from('{"name":"é😀"}');
    const stream = new ReadableStream({
      start(controller) {
        for (const byte of bytes) controller.enqueue(new Uint8Array([byte]));
        controller.close();
      },
    });
    expect(await readJsonBody(requestWith(stream), schema)).toEqual({ name: "é😀" });
  });

  it("stops reading when the limit is passed", async () => {
    let sent = 0;
    const endless = new ReadableStream({
      pull(controller) {
        sent += 1;
        controller.enqueue(new Uint8Array(100).fill(32));
      },
    });
    expect(await codeOf(readJsonBody(requestWith(endless), schema, { maxBytes: 1_000 }))).toBe(
      "BODY_TOO_LARGE",
    );
    expect(sent).toBeLessThan(20);
  });

  it("takes a body of exactly the limit", async () => {
    const body = '{"name":"x"}';
    expect(await codeOf(readJsonBody(requestWith(body), schema, { maxBytes: body.length }))).toBe("accepted");
    expect(await codeOf(readJsonBody(requestWith(body), schema, { maxBytes: body.length - 1 }))).toBe(
      "BODY_TOO_LARGE",
    );
  });

  it("takes no body for an empty object", async () => {
    const request = new Request("http://host/", { method: "POST" });
    expect(await readJsonBody(request, schema.partial())).toEqual({});
  });

  it("names a body that broke off as malformed", async () => {
    const broken = new ReadableStream({ start: (controller) => controller.error(new Error("ECONNRESET")) });
    expect(await codeOf(readJsonBody(requestWith(broken), schema))).toBe("MALFORMED_REQUEST");
  });

  it.each([
    ["{", "MALFORMED_REQUEST"],
    ["NaN", "MALFORMED_REQUEST"],
    [new Uint8Array([0x22, 0xff, 0x22]), "MALFORMED_REQUEST"],
    ["[]", "INVALID_VALUE"],
    ["null", "INVALID_VALUE"],
    ['"x"', "INVALID_VALUE"],
  ])("answers %j with %s", async (body, code) => {
    expect(await codeOf(readJsonBody(requestWith(body), schema))).toBe(code);
  });

  it.each([
    ["text/plain", "UNSUPPORTED_MEDIA_TYPE"],
    ["application/json-seq", "UNSUPPORTED_MEDIA_TYPE"],
    ["", "UNSUPPORTED_MEDIA_TYPE"],
    ["application/json;charset=utf-8", "accepted"],
    ["application/vnd.api+json", "accepted"],
  ])("answers the content type %j with %s", async (type, code) => {
    expect(await codeOf(readJsonBody(requestWith('{"name":"x"}', { "content-type": type }), schema))).toBe(
      code,
    );
  });

  it("lists at most a hundred complaints, one for each path", async () => {
    const many = JSON.stringify(Object.fromEntries(Array.from({ length: 1_000 }, (_, i) => [`f${i}`, 1])));
    expect(await issuesOf(readJsonBody(requestWith(many), schema))).toHaveLength(100);
  });
});

describe("refuseBody", () => {
  it.each(["", "{}", " {} ", "null"])("lets %j pass", async (body) => {
    expect(await codeOf(refuseBody(requestWith(body)))).toBe("accepted");
  });

  it.each(['{"a":1}', "x", "[]"])("refuses %j", async (body) => {
    expect(await codeOf(refuseBody(requestWith(body)))).toBe("INVALID_VALUE");
  });
});
