import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { ConstraintError, errorFromServer, PlinthError, StatementError } from "./index.ts";

const codeOf = (sqlstate: string, message?: string, canceledByUs = false) =>
  errorFromServer({ code: sqlstate, message }, { canceledByUs }).code;

describe("errorFromServer", () => {
  it.each([
    ["40001", "SERIALIZATION_FAILURE"],
    ["40P01", "DEADLOCK"],
    ["40000", "TRANSACTION_ROLLED_BACK"],
    ["40002", "TRANSACTION_ROLLED_BACK"],
    ["40003", "COMMIT_OUTCOME_UNKNOWN"],
    ["08007", "COMMIT_OUTCOME_UNKNOWN"],
    ["55P03", "LOCK_TIMEOUT"],
    ["55006", "OBJECT_STATE"],
    ["55P04", "OBJECT_STATE"],
    ["57P01", "CONNECTION_LOST"],
    ["57P02", "CONNECTION_LOST"],
    ["57P03", "SERVER_UNAVAILABLE"],
    ["57P04", "CONNECTION_LOST"],
    ["57P05", "CONNECTION_LOST"],
    ["08006", "CONNECTION_LOST"],
    ["08P01", "POOLER_ERROR"],
    ["53300", "TOO_MANY_CONNECTIONS"],
    ["53100", "RESOURCE_EXHAUSTED"],
    ["53400", "RESOURCE_EXHAUSTED"],
    ["25006", "READ_ONLY"],
    ["25P02", "TRANSACTION_ABORTED"],
    ["25P03", "TRANSACTION_TIMEOUT"],
    ["25P04", "TRANSACTION_TIMEOUT"],
    ["25001", "STATEMENT_INVALID"],
    ["23505", "UNIQUE_VIOLATION"],
    ["23503", "FOREIGN_KEY_VIOLATION"],
    ["23001", "RESTRICT_VIOLATION"],
    ["23502", "NOT_NULL_VIOLATION"],
    ["23514", "CHECK_VIOLATION"],
    ["23P01", "EXCLUSION_VIOLATION"],
    ["44000", "CHECK_VIOLATION"],
    ["42501", "PERMISSION_DENIED"],
    ["22001", "INVALID_DATA"],
    ["22P05", "INVALID_DATA"],
    ["21000", "STATEMENT_INVALID"],
    ["42P10", "STATEMENT_INVALID"],
    ["428C9", "STATEMENT_INVALID"],
    ["2BP01", "STATEMENT_INVALID"],
    ["34000", "STATEMENT_INVALID"],
    ["3B001", "STATEMENT_INVALID"],
    ["0A000", "NOT_SUPPORTED"],
    ["26000", "STALE_STATEMENT"],
    ["42P05", "STALE_STATEMENT"],
    ["28000", "AUTHENTICATION_FAILED"],
    ["28P01", "AUTHENTICATION_FAILED"],
    ["3D000", "DATABASE_MISSING"],
    ["3F000", "SCHEMA_MISSING"],
    ["58030", "SERVER_ERROR"],
    ["XX002", "SERVER_ERROR"],
    ["P0001", "RAISED"],
    ["P0004", "RAISED"],
    ["PH001", "HISTORY_UNKNOWN"],
    ["ZZ999", "SERVER_ERROR"],
  ])("makes %s a %s", (sqlstate, code) => {
    const error = errorFromServer({ code: sqlstate, message: "the server's words" });
    expect(error).toBeInstanceOf(PlinthError);
    expect(error.code).toBe(code);
    expect(error.message).toContain(sqlstate);
  });

  it("tells who canceled: we, an administrator, or statement_timeout", () => {
    const byTimeout = "canceling statement due to statement timeout";
    expect(codeOf("57014", byTimeout)).toBe("STATEMENT_TIMEOUT");
    expect(codeOf("57014", "Anweisung wird abgebrochen")).toBe("STATEMENT_TIMEOUT");
    expect(codeOf("57014", "canceling statement due to user request")).toBe("QUERY_CANCELED");
    expect(codeOf("57014", byTimeout, true)).toBe("QUERY_CANCELED");
  });

  it("tells a refused policy from a missing grant", () => {
    const policy = 'new row violates row-level security policy for table "books"';
    expect(codeOf("42501", policy)).toBe("ROW_SECURITY_VIOLATION");
    expect(codeOf("42501", "permission denied for table books")).toBe("PERMISSION_DENIED");
  });

  it("says which grant is missing, where the server names the object", () => {
    const hintOf = (message: string, where?: string) =>
      errorFromServer({ code: "42501", message, where }).hint;
    expect(hintOf("permission denied for table books_history")).toBe(
      "To read a history takes a right of its own: grant select on books_history to the role, in a migration or by app.grant({ on, history: true, … }).",
    );
    expect(hintOf("permission denied for view living_books")).toBe(
      "The role lacks a right: grant select, or what else the statement does, on table living_books to it, in a migration or by app.grant.",
    );
    expect(hintOf("permission denied for schema library")).toContain("grant usage on schema library");
    expect(hintOf("permission denied for function books_known_past")).toContain(
      "grant execute on function books_known_past",
    );
    expect(
      hintOf("permission denied for table MARKER", "PL/pgSQL function f() line 1 at RAISE"),
    ).toBeUndefined();
    expect(hintOf("must be owner of table books")).toBeUndefined();
    expect(hintOf("keine Berechtigung für Tabelle books")).toBeUndefined();
  });

  it("knows a prepared statement whose table has changed", () => {
    expect(codeOf("0A000", "cached plan must not change result type")).toBe("STALE_STATEMENT");
  });

  it("names schema, table, constraint and columns", () => {
    const error = errorFromServer({
      code: "23505",
      schema: "library",
      table: "books",
      constraint: "books_author_id_title_unique",
      detail: "Key (author_id, title)=(1, x) already exists.",
    });
    expect(error).toBeInstanceOf(ConstraintError);
    expect(error).toMatchObject({
      sqlstate: "23505",
      schema: "library",
      table: "books",
      constraint: "books_author_id_title_unique",
      columns: ["author_id", "title"],
    });
    expect(error.message).toBe(
      "a row with the same key already exists (table books, column author_id, title, constraint books_author_id_title_unique) [23505]",
    );
  });

  it("reads the columns of a key in a server's own language", () => {
    const detail = "Schlüssel »(email)=(ann@example.com)« existiert bereits.";
    expect(errorFromServer({ code: "23505", detail })).toMatchObject({ columns: ["email"] });
  });

  it.each([
    ["23505", "Key (lower(email))=((MARKER)=(x)) already exists."],
    ["23505", "Key (lower(email))=(a(MARKER)=(x) already exists."],
    ["23514", "Failing row contains (1, MARKER)=(x)."],
    ["23502", "Failing row contains (MARKER)=(x), null."],
    ["22P02", "Token (MARKER)=(x) is invalid."],
    ["P0001", "Key (MARKER)=(x)."],
  ])("takes nothing of a value for a column: %s with %s", (code, detail) => {
    const error = errorFromServer({ code, detail, table: "books" });
    expect(error).toMatchObject({ columns: [] });
    expect(`${error.message} ${error.stack} ${JSON.stringify(error)} ${inspect(error)}`).not.toContain(
      "MARKER",
    );
  });

  it("repeats the server's words only where they name objects, never values", () => {
    const said = (code: string) => errorFromServer({ code, message: "MARKER" }).message.includes("MARKER");
    for (const code of ["22P02", "22001", "23505", "P0001", "XX000", "44000", "21000", "38000", "20000"])
      expect(said(code)).toBe(false);
    for (const code of ["42P01", "42703", "0A000", "55006", "53300", "57P03"]) expect(said(code)).toBe(true);
  });

  it("repeats no words that a function raised under a code of the server's own", () => {
    const where = "PL/pgSQL function whisper() line 1 at RAISE\nSQL statement";
    expect(errorFromServer({ code: "42501", message: "MARKER", where }).message).not.toContain("MARKER");
    expect(
      errorFromServer({
        code: "42P01",
        message: "table x",
        where: "PL/pgSQL function f() line 1 at SQL statement",
      }).message,
    ).toContain("table x");
  });

  it("keeps what quotes values readable by name only", () => {
    const report = {
      code: "23514",
      message: "m-MARKER",
      detail: "d-MARKER",
      where: "w-MARKER",
      position: "7",
    };
    const error = errorFromServer(report);
    expect(error).toBeInstanceOf(StatementError);
    expect(error).toMatchObject({
      serverMessage: "m-MARKER",
      detail: "d-MARKER",
      where: "w-MARKER",
      position: 7,
    });
    const texts = [
      error.message,
      error.stack,
      JSON.stringify(error),
      inspect(error, { depth: 9 }),
      Object.keys(error).join(),
      JSON.stringify({ ...error }),
    ];
    expect(texts.join("\n")).not.toContain("MARKER");
  });
});
