import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import {
  ConnectionError,
  ConstraintError,
  errorFromServer,
  hide,
  InputError,
  isConnectionError,
  isForeignKeyViolation,
  isNotFound,
  isPlinthError,
  isRestrictViolation,
  isRetryable,
  isUniqueViolation,
  NotFoundError,
  PlinthError,
} from "./index.ts";

describe("PlinthError", () => {
  it("shows its hint in the message and leaves it out of the summary", () => {
    const error = new PlinthError("CONFIG_INVALID", "the pool is too small", { hint: "Raise pool.max." });
    expect(error.message).toBe("the pool is too small\n  Raise pool.max.");
    expect(error.summary).toBe("the pool is too small");
    expect(new PlinthError("CONFIG_INVALID", "alone").summary).toBe("alone");
  });

  it("turns into JSON of code and texts, without its cause", () => {
    const error = new PlinthError("CONFIG_INVALID", "m", { hint: "h", cause: new Error("secret") });
    expect(JSON.parse(JSON.stringify(error))).toEqual({
      name: "PlinthError",
      code: "CONFIG_INVALID",
      message: "m",
      hint: "h",
    });
  });

  it("is called after its class", () => {
    expect(new NotFoundError("books").name).toBe("NotFoundError");
    expect(String(new NotFoundError("books"))).toBe("NotFoundError: no books row with that key");
  });

  it("has no cause when none is given", () => {
    expect("cause" in new PlinthError("CONFIG_INVALID", "m")).toBe(false);
  });
});

describe("hide", () => {
  it("leaves a property readable by name, and out of keys, JSON and inspect", () => {
    const target = {};
    hide(target, "password", "hunter2");
    expect(Reflect.get(target, "password")).toBe("hunter2");
    expect([Object.keys(target).join(), JSON.stringify(target), inspect(target)].join()).not.toContain(
      "hunter2",
    );
  });
});

describe("InputError", () => {
  it("says everything that is wrong in one message, each with its path", () => {
    const error = new InputError("INVALID_VALUE", [
      { path: "title", message: "is required" },
      { path: "", message: "must be an object" },
    ]);
    expect(error.message).toBe("title: is required; must be an object");
  });
});

describe("predicates", () => {
  const of = (sqlstate: string) => errorFromServer({ code: sqlstate });

  it("recognise their own code and nothing else", () => {
    const checks = {
      isUniqueViolation,
      isForeignKeyViolation,
      isRestrictViolation,
      isNotFound,
      isConnectionError,
      isRetryable,
    };
    const subjects = {
      "23505": of("23505"),
      "23503": of("23503"),
      "23001": of("23001"),
      "40001": of("40001"),
      "40P01": of("40P01"),
      "57P03": of("57P03"),
      "23514": of("23514"),
      missing: new NotFoundError("x"),
    };
    const found = Object.entries(checks).map(([name, check]) => [
      name,
      Object.entries(subjects).flatMap(([subject, error]) => (check(error) ? [subject] : [])),
    ]);
    expect(Object.fromEntries(found)).toEqual({
      isUniqueViolation: ["23505"],
      isForeignKeyViolation: ["23503"],
      isRestrictViolation: ["23001"],
      isNotFound: ["missing"],
      isConnectionError: ["57P03"],
      isRetryable: ["40001", "40P01"],
    });
  });

  it("never call a lost commit retryable: its outcome is unknown", () => {
    for (const sqlstate of ["40003", "08007", "08006", "40002", "57014"])
      expect(isRetryable(of(sqlstate))).toBe(false);
  });

  it("take anything that can be thrown", () => {
    for (const thrown of [undefined, null, "23505", { code: "UNIQUE_VIOLATION" }, new Error("x")]) {
      expect([isPlinthError(thrown), isUniqueViolation(thrown), isRetryable(thrown)]).toEqual([
        false,
        false,
        false,
      ]);
    }
    expect(isPlinthError(new ConnectionError("CONNECTION_LOST", "m"))).toBe(true);
    expect(of("23505")).toBeInstanceOf(ConstraintError);
  });
});
