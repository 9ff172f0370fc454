import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { call } from "../../test/conformance/connection.ts";
import { selfSignedCertificate } from "../../test/support/certificate.ts";
import { startPostgres, type ThrowAwayPostgres } from "../../test/support/postgres.ts";
import { connect, parseTarget } from "./index.ts";

let postgres: ThrowAwayPostgres;

beforeAll(async () => {
  postgres = await startPostgres({
    tls: selfSignedCertificate(),
    hba: ["hostnossl all all 127.0.0.1/32 reject"],
  });
});
afterAll(() => postgres.remove());

describe("TLS", () => {
  it("encrypts with sslmode=require, and cancels over TLS too", async () => {
    const connection = await connect(parseTarget(`${postgres.url}?sslmode=require`));
    const encrypted = await connection.query(
      call("select ssl from pg_stat_ssl where pid = pg_backend_pid()"),
    );
    expect(encrypted.rows).toEqual([["t"]]);
    const running = connection.query(call("select pg_sleep(60)"), { signal: AbortSignal.timeout(50) });
    await expect(running).rejects.toMatchObject({
      code: "QUERY_CANCELED",
      summary: expect.stringContaining("the server has stopped it"),
    });
    expect((await connection.query(call("select 1"))).rows).toEqual([["1"]]);
    await connection.close();
  });

  it("refuses an unknown authority with sslmode=verify-full, and says how to trust it", async () => {
    await expect(connect(parseTarget(`${postgres.url}?sslmode=verify-full`))).rejects.toMatchObject({
      code: "CONNECTION_FAILED",
      summary: expect.stringContaining("DEPTH_ZERO_SELF_SIGNED_CERT"),
      hint: expect.stringContaining("NODE_EXTRA_CA_CERTS"),
    });
  });

  it("says that the server wants TLS when it is left out", async () => {
    await expect(connect(parseTarget(postgres.url))).rejects.toMatchObject({ code: "AUTHENTICATION_FAILED" });
  });

  it("cuts an encrypted connection at once when it is destroyed", async () => {
    const connection = await connect(parseTarget(`${postgres.url}?sslmode=require`));
    const running = connection.query(call("select pg_sleep(60)"));
    connection.destroy();
    await expect(running).rejects.toMatchObject({ code: "CONNECTION_LOST" });
  });
});
