import { inspect } from "node:util";
import { describe, expect, it, onTestFinished } from "vitest";
import { describeTarget, parseTarget, retarget } from "./index.ts";

describe("parseTarget", () => {
  it("reads every part of a URL, percent-encoding included", () => {
    const target = parseTarget(
      "postgresql://b%40b:p%2F%23%3A@db.example:6432/my%20app?sslmode=verify-full&application_name=api",
    );
    expect(target).toMatchObject({
      host: "db.example",
      port: 6432,
      user: "b@b",
      database: "my app",
      tls: "verify-full",
    });
    expect(target.password).toBe("p/#:");
    expect(target.session.applicationName).toBe("api");
  });

  it("fills in what libpq would", () => {
    const before = { user: process.env.PGUSER, password: process.env.PGPASSWORD };
    onTestFinished(() => {
      for (const [name, value] of [
        ["PGUSER", before.user],
        ["PGPASSWORD", before.password],
      ] as const) {
        if (value === undefined) delete process.env[name];
        else process.env[name] = value;
      }
    });
    Object.assign(process.env, { PGUSER: "ann", PGPASSWORD: "from-env" });
    const target = parseTarget("postgres://");
    expect(target).toMatchObject({
      host: "localhost",
      port: 5432,
      user: "ann",
      database: "ann",
      tls: "disable",
    });
    expect(target.password).toBe("from-env");
  });

  it("understands IPv6 hosts and sockets in a folder", () => {
    expect(parseTarget("postgres://a@[::1]:5433/b").host).toBe("::1");
    expect(describeTarget(parseTarget("postgres://a@[::1]:5433/b"))).toBe("a@[::1]:5433/b");
    expect(parseTarget("postgres://a@/b?host=/run/postgresql").host).toBe("/run/postgresql");
  });

  it("lets given settings win over the URL, and the URL over the defaults", () => {
    const url = "postgres://a@h/b?application_name=url&connect_timeout=7";
    expect(parseTarget(url, { applicationName: "code" }).session).toMatchObject({
      applicationName: "code",
      connectTimeoutMs: 7_000,
      statementTimeoutMs: 30_000,
      lockTimeoutMs: 10_000,
      idleInTransactionTimeoutMs: 60_000,
    });
  });

  it("keeps the password out of every way to print it", () => {
    const target = parseTarget("postgres://ann:s3cret@h/b");
    expect(inspect(target, { depth: 9 })).toBe("ConnectionTarget(ann@h:5432/b)");
    expect(inspect({ target }, { showHidden: false })).not.toContain("s3cret");
    expect(JSON.stringify(target) + Object.values(target).join()).not.toContain("s3cret");
    expect(Object.isFrozen(target)).toBe(true);
  });

  it.each([
    ["mysql://h/b", "the database URL has to start with postgres:// or postgresql://"],
    ["postgres://u:s3cret@h:99999/b", "the database URL cannot be read"],
    ["postgres://u:s3c#ret@h/b", "the database URL cannot be read"],
    ["postgres://u:s3cret@h/b#ret", "the database URL holds an unencoded #"],
    ["postgres://u:s3cret%@h/b", "the password in the database URL holds a % that encodes nothing"],
    ["postgres://u:s3cret@h/b?sslmode=requre", 'unknown sslmode "requre"; did you mean "require"?'],
    [
      "postgres://u:s3cret@h/b?aplication_name=x",
      'unknown parameter of the database URL "aplication_name"; did you mean "application_name"?',
    ],
    [
      "postgres://u:s3cret@h/b?connect_timeout=soon",
      "connect_timeout in the database URL is not a number of seconds",
    ],
  ])("refuses %s in words, without the password", (url, summary) => {
    const failure = refusalOf(() => parseTarget(url));
    expect(failure).toMatchObject({ code: "CONFIG_INVALID", path: "database.url", summary });
    expect(inspect(failure, { depth: 9 })).not.toContain("s3c");
  });
});

describe("retarget", () => {
  it("changes the database and keeps the hidden password", () => {
    const other = retarget(parseTarget("postgres://ann:s3cret@h/b"), {
      database: "c",
      session: { lockTimeoutMs: 5 },
    });
    expect(describeTarget(other)).toBe("ann@h:5432/c");
    expect(other.password).toBe("s3cret");
    expect(other.session).toMatchObject({ lockTimeoutMs: 5, statementTimeoutMs: 30_000 });
    expect(inspect(other)).not.toContain("s3cret");
  });
});

function refusalOf(work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    return error;
  }
}
