import { describe, expect, it } from "vitest";
import { fingerprint, qualifiedName, quoteIdentifier, quoteLiteral, snakeCase } from "./index.ts";

describe("quoteIdentifier", () => {
  it("quotes, and doubles the quotes inside", () => {
    expect(quoteIdentifier("books")).toBe('"books"');
    expect(quoteIdentifier('x"; drop table books; --')).toBe('"x""; drop table books; --"');
    expect(qualifiedName("library", "books")).toBe('"library"."books"');
    expect(qualifiedName(undefined, "books")).toBe('"books"');
  });

  it.each(["", "a\0b", "x".repeat(64), "ü".repeat(32)])("refuses %j", (name) => {
    expect(() => quoteIdentifier(name)).toThrow(expect.objectContaining({ code: "SCHEMA_INVALID" }));
  });

  it("takes a name of exactly 63 bytes", () => {
    expect(quoteIdentifier("ü".repeat(31))).toHaveLength(33);
    expect(quoteIdentifier("x".repeat(63))).toHaveLength(65);
  });
});

describe("quoteLiteral", () => {
  it("doubles quotes, and escapes backslashes whatever standard_conforming_strings says", () => {
    expect(quoteLiteral("it's")).toBe("'it''s'");
    expect(quoteLiteral("a\\'b")).toBe(" E'a\\\\''b'");
  });

  it("refuses NUL", () => {
    expect(() => quoteLiteral("a\0")).toThrow(expect.objectContaining({ code: "SCHEMA_INVALID" }));
  });
});

describe("snakeCase", () => {
  it.each([
    ["dueDate", "due_date"],
    ["userID", "user_id"],
    ["HTMLBody", "html_body"],
    ["oauth2Token", "oauth2_token"],
    ["already_snake", "already_snake"],
    ["id", "id"],
    ["aB", "a_b"],
  ])("makes %s into %s", (name, snake) => {
    expect(snakeCase(name)).toBe(snake);
  });
});

describe("fingerprint", () => {
  it("is one name for one text, today and tomorrow", () => {
    expect(fingerprint("select 1")).toBe("girgfUeDFYvBkSu2");
    expect(fingerprint("select 2")).not.toBe(fingerprint("select 1"));
  });
});
