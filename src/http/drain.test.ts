import { once } from "node:events";
import { createServer, request as httpRequest, type IncomingMessage, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { type Drain, watchConnections } from "./drain.ts";

/** Far more than the buffers of a socket hold. */
const LARGE_BYTES = 40_000_000;
const DEADLINE_MS = 20_000;
let cleanUp: () => void = () => {};

afterEach(() => cleanUp());

async function serve(answer: RequestListener): Promise<{ drain: Drain; url: string }> {
  const server = createServer(answer);
  const drain = watchConnections(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  cleanUp = () => server.closeAllConnections();
  return { drain, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

async function ask(url: string): Promise<IncomingMessage> {
  const request = httpRequest(url, { agent: false, headers: { connection: "keep-alive" } });
  request.end();
  const [response] = await once(request, "response");
  return response;
}

async function sizeOf(response: IncomingMessage): Promise<number> {
  let bytes = 0;
  for await (const chunk of response) bytes += chunk.length;
  return bytes;
}

describe("watchConnections", () => {
  it("lets a slow reader have the whole of a large answer that was handed over before the end", async () => {
    const { drain, url } = await serve((_, response) => response.end(Buffer.alloc(LARGE_BYTES)));
    const response = await ask(url);
    const closed = drain.close(DEADLINE_MS);
    await sleep(500);
    expect(await sizeOf(response)).toBe(LARGE_BYTES);
    await closed;
  });

  it("answers a request that runs, and tells its client to close", async () => {
    let finish = (): void => {};
    const { drain, url } = await serve((_, response) => {
      finish = () => response.end("done");
    });
    const second = ask(url);
    await sleep(100);
    const closed = drain.close(DEADLINE_MS);
    finish();
    const response = await second;
    expect([response.statusCode, response.headers.connection]).toEqual([200, "close"]);
    await sizeOf(response);
    await closed;
  });

  it("cuts off what is not done at the deadline", async () => {
    const { drain, url } = await serve(() => {});
    const asked = ask(url).catch((error: NodeJS.ErrnoException) => error.code);
    await sleep(100);
    await drain.close(200);
    expect(await asked).toBe("ECONNRESET");
  });

  it("ends connections that are only kept alive", async () => {
    const { drain, url } = await serve((_, response) => response.end("x"));
    await sizeOf(await ask(url));
    await drain.close(DEADLINE_MS);
  });
});
