import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import * as errors from "../../src/errors/index.ts";
import { codesOfClasses, codesRaisedIn, documentedErrors } from "./error-codes.ts";
import { ROOT, read } from "./tree.ts";

const documented = documentedErrors(read("docs/reference/errors.md"));
const classCodes = codesOfClasses(read("src/errors/classes.ts"));

describe("docs/reference/errors.md", () => {
  it("has one line for each code, in the order of the registry", () => {
    expect(documented.map(({ code }) => code)).toEqual([...errors.ERROR_CODES]);
  });

  it("names a class Plinth exports, and the code's own where it has one", () => {
    const known: Readonly<Record<string, unknown>> = errors;
    for (const { code, className } of documented) expect(known[className], code).toBeTypeOf("function");
    const owners = Object.fromEntries(documented.map(({ code, className }) => [className, code]));
    for (const [className, code] of classCodes) expect(owners[className]).toBe(code);
  });

  it("says when, what to do and which HTTP status", () => {
    for (const { code, when, remedy, status } of documented) {
      expect(when.length, code).toBeGreaterThan(15);
      expect(remedy.length, code).toBeGreaterThan(15);
      expect(status, code).toMatch(/^(?:4\d\d|5\d\d|–)$/);
    }
  });
});

describe("ERROR_CODES", () => {
  it("holds only codes that something in src/ raises", () => {
    const paths = readdirSync(join(ROOT, "src"), { recursive: true, encoding: "utf8" });
    const sources = paths.filter(
      (path) => path.endsWith(".ts") && !/\.test\.ts$|errors\/(codes|classes)\.ts$/.test(path),
    );
    const raised = new Set(sources.flatMap((path) => [...codesRaisedIn(read(`src/${path}`), classCodes)]));
    expect(errors.ERROR_CODES.filter((code) => !raised.has(code))).toEqual([]);
  });
});

describe("codesRaisedIn", () => {
  it("counts a written code and a class with its own code, not a comparison or a comment", () => {
    const text = `
      // throw new PoolError("POOL_CLOSED", "")
      if (error.code === "POOL_MISUSE") throw new PoolError("POOL_EXHAUSTED", "why");
      switch (code) { case "DEADLOCK": throw new NotFoundError("users"); }`;
    const raised = codesRaisedIn(text, new Map([["NotFoundError", "NOT_FOUND"]]));
    expect([...raised].filter((code) => /^[A-Z_]+$/.test(code)).sort()).toEqual([
      "NOT_FOUND",
      "POOL_EXHAUSTED",
    ]);
  });
});

describe("codesOfClasses", () => {
  it("finds the classes that carry one code", () => {
    const text = `
      export class A extends PlinthError { constructor() { super("NOT_FOUND", "x"); } }
      export class B extends PlinthError { constructor(code: ErrorCode) { super(code, "x"); } }
      export class C extends B {}
      export class D extends PlinthError { constructor() { super("SEED_FAILED", "x"); } }`;
    expect(Object.fromEntries(codesOfClasses(text))).toEqual({ A: "NOT_FOUND", D: "SEED_FAILED" });
  });
});

describe("documentedErrors", () => {
  it("reads the lines of the table", () => {
    expect(documentedErrors("| Code | Class |\n|---|---|\n| `A_B` | `X` | when | do | 409 |\n")).toEqual([
      { code: "A_B", className: "X", when: "when", remedy: "do", status: "409" },
    ]);
  });
});
