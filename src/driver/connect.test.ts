import { connect as connectSocket, createServer, type Server, type Socket } from "node:net";
import { inspect } from "node:util";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { call } from "../../test/conformance/connection.ts";
import { startPostgres, type ThrowAwayPostgres } from "../../test/support/postgres.ts";
import { connect, parseTarget } from "./index.ts";

/** Of its own: it asks for passwords and has few connections. */
let postgres: ThrowAwayPostgres;
let url: string;

beforeAll(async () => {
  postgres = await startPostgres({
    settings: { max_connections: 6, superuser_reserved_connections: 3 },
    hba: ["host all locked 127.0.0.1/32 scram-sha-256", "host all nowhere 127.0.0.1/32 reject"],
  });
  url = postgres.url;
  const admin = await connect(parseTarget(url));
  await admin.script(
    "create role locked login password 'right-s3cret'; create role nowhere login; create role app login",
  );
  await admin.close();
});
afterAll(() => postgres.remove());

/** What connecting failed with; the connection is closed should it succeed. */
async function failureOf(target: string, session = {}): Promise<unknown> {
  try {
    const connection = await connect(parseTarget(target, session));
    await connection.close();
    return undefined;
  } catch (error) {
    return error;
  }
}

function urlOf(changes: {
  user?: string;
  password?: string;
  database?: string;
  port?: number;
  host?: string;
}): string {
  const changed = new URL(url);
  changed.username = changes.user ?? changed.username;
  changed.password = changes.password ?? "";
  changed.pathname = changes.database ?? changed.pathname;
  changed.port = String(changes.port ?? changed.port);
  changed.hostname = changes.host ?? changed.hostname;
  return changed.href;
}

describe("connect", () => {
  it("logs in with a password", async () => {
    expect(await failureOf(urlOf({ user: "locked", password: "right-s3cret" }))).toBeUndefined();
  });

  it.each([
    ["a wrong password", { user: "locked", password: "wrong-s3cret" }, "AUTHENTICATION_FAILED"],
    ["no password", { user: "locked" }, "AUTHENTICATION_FAILED"],
    ["an unknown role", { user: "nobody-here" }, "AUTHENTICATION_FAILED"],
    ["a role pg_hba.conf rejects", { user: "nowhere" }, "AUTHENTICATION_FAILED"],
    ["an unknown database", { database: "nothing" }, "DATABASE_MISSING"],
    ["a host that does not resolve", { host: "no-such-host.invalid" }, "CONNECTION_FAILED"],
    ["a closed port", { port: 1 }, "CONNECTION_FAILED"],
    ["a closed port on every address of localhost", { host: "localhost", port: 1 }, "CONNECTION_FAILED"],
  ])("says what is wrong with %s, and what to do, never the password", async (_case, changes, code) => {
    const failure = await failureOf(urlOf(changes));
    expect(failure).toMatchObject({
      code,
      summary: expect.stringMatching(/^cannot connect to \S+@\S+:\d+\/\S+: /),
    });
    expect(failure).toMatchObject({ hint: expect.stringMatching(/\.$/) });
    expect(inspect(failure, { depth: 9 })).not.toContain("s3cret");
  });

  it("names host, port and database when nothing listens", async () => {
    expect(await failureOf("postgres://ann:s3cret@127.0.0.1:1/shop")).toMatchObject({
      message:
        "cannot connect to ann@127.0.0.1:1/shop: nothing listens there (ECONNREFUSED)\n" +
        "  Start the server, or correct host and port in DATABASE_URL.",
    });
  });

  it("says that a server has no TLS", async () => {
    expect(await failureOf(`${url}?sslmode=require`)).toMatchObject({
      code: "CONNECTION_FAILED",
      summary: expect.stringContaining("the server does not offer TLS"),
    });
  });

  it("tells a full server from a missing one", async () => {
    const app = urlOf({ user: "app" });
    const held = await Promise.all([1, 2, 3].map(() => connect(parseTarget(app))));
    onTestFinished(async () => {
      await Promise.all(held.map((connection) => connection.close()));
    });
    expect(await failureOf(app)).toMatchObject({ code: "TOO_MANY_CONNECTIONS", sqlstate: "53300" });
  });

  it.each([
    ["", "TCP"],
    ["?sslmode=require", "TLS"],
  ])("gives up on a server that accepts and stays silent%s", async (parameters) => {
    const port = await listenWith(() => {});
    const failure = await failureOf(`postgres://a@127.0.0.1:${port}/b${parameters}`, {
      connectTimeoutMs: 100,
    });
    expect(failure).toMatchObject({
      code: "CONNECTION_FAILED",
      summary: expect.stringContaining("no answer within 100 ms"),
    });
  });

  it("gives up on a server that gets stuck in the TLS handshake", async () => {
    const port = await listenWith((socket) => socket.once("data", () => socket.write("S")));
    const failure = await failureOf(`postgres://a@127.0.0.1:${port}/b?sslmode=require`, {
      connectTimeoutMs: 100,
    });
    expect(failure).toMatchObject({
      code: "CONNECTION_FAILED",
      summary: expect.stringContaining("no answer within 100 ms"),
    });
  });

  it("reports a server that hangs up before it is ready", async () => {
    const port = await listenWith((socket) => socket.once("data", () => socket.end()));
    expect(await failureOf(`postgres://a@127.0.0.1:${port}/b`)).toMatchObject({
      code: "CONNECTION_FAILED",
      summary: expect.stringContaining("the server closed the connection"),
    });
  });

  it("stops connecting when its signal is aborted", async () => {
    const port = await listenWith(() => {});
    const controller = new AbortController();
    const connecting = connect(parseTarget(`postgres://a@127.0.0.1:${port}/b`), {
      signal: controller.signal,
    });
    setTimeout(() => controller.abort(), 50);
    await expect(connecting).rejects.toMatchObject({
      code: "CONNECTION_FAILED",
      summary: expect.stringContaining("abandoned"),
    });
    await expect(connect(parseTarget(url), { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: "CONNECTION_FAILED",
    });
  });

  it("connects without start-up options where they are refused, says so, and remembers", async () => {
    const startups: string[] = [];
    const port = await listenWith((socket) => {
      socket.once("data", (startup) => {
        startups.push(startup.toString("latin1"));
        if (startup.includes("statement_timeout")) {
          socket.end(errorResponse("08P01", "unsupported startup parameter: options"));
          return;
        }
        const upstream = connectSocket(postgres.port, "127.0.0.1").on("error", () => socket.destroy());
        socket.on("close", () => upstream.destroy());
        upstream.write(startup);
        socket.pipe(upstream).pipe(socket);
      });
    });
    const target = parseTarget(urlOf({ port }));
    for (const connectionNumber of [1, 2]) {
      const connection = await connect(target);
      expect(connection.hasSessionSettings).toBe(false);
      expect((await connection.query(call("select 1"))).rows).toEqual([["1"]]);
      connection.destroy();
      // The first connection asks twice, the second remembers.
      expect(startups).toHaveLength(connectionNumber + 1);
    }
  });

  it("reports start-up, recovery and shutdown as SERVER_UNAVAILABLE", async () => {
    const held = await connect(parseTarget(url));
    const stopping = postgres.stop("smart");
    try {
      await expect
        .poll(() => failureOf(url), { timeout: 10_000 })
        .toMatchObject({ code: "SERVER_UNAVAILABLE", sqlstate: "57P03" });
      expect((await held.query(call("select 1"))).rows).toEqual([["1"]]);
    } finally {
      await held.close();
      await stopping;
      await postgres.start();
    }
    expect(await failureOf(url)).toBeUndefined();
  });
});

/** A server that is not PostgreSQL: what it does with each connection is given. */
async function listenWith(onConnection: (socket: Socket) => void): Promise<number> {
  const sockets: Socket[] = [];
  const listener: Server = createServer((socket) => {
    sockets.push(socket.on("error", () => {}));
    onConnection(socket);
  });
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    listener.close();
  });
  const address = listener.address();
  return address !== null && typeof address === "object" ? address.port : 0;
}

/** A protocol message: type, length, body. */
function message(type: string, body: readonly number[] | string): Buffer {
  const bytes = typeof body === "string" ? Buffer.from(body) : Buffer.from(body);
  const head = Buffer.alloc(5);
  head.write(type, "latin1");
  head.writeInt32BE(bytes.length + 4, 1);
  return Buffer.concat([head, bytes]);
}

function errorResponse(sqlstate: string, text: string): Buffer {
  return message("E", `SFATAL\0C${sqlstate}\0M${text}\0\0`);
}
