/** Fault 85 for errors: no value, no row content in any of their texts, whatever the server says. */
import { inspect } from "node:util";
import { type PlinthError, StatementError } from "plinth";
import { beforeAll, describe, expect, it } from "vitest";
import { openLibrary } from "../support/library.ts";
import { rejection } from "../support/rejection.ts";

const MARKER = "hunter2MARKER";
const { db, repo, makeAuthor, makeBook } = await openLibrary();

beforeAll(async () => {
  await db.pool.use((connection) =>
    connection.script(`
      set local search_path to library;
      create unique index authors_lower_name on authors (lower(name));
      create function shout() returns trigger language plpgsql as $$
        begin raise exception 'no: %', new.reader using detail = new.reader, hint = new.reader, column = 'reader'; end $$;
      create function whisper() returns trigger language plpgsql as $$
        begin raise exception 'no: %', new.reader using errcode = 'insufficient_privilege'; end $$;
      create trigger whisper before insert on loans for each row when (new.reader like 'whisper%') execute function whisper();
      create trigger shout before insert on loans for each row when (new.reader like 'shout%') execute function shout();
      alter table samples add constraint small_words check (length(words) < 100);
      alter table samples add constraint no_overlap exclude using btree (code with =);
    `),
  );
});

/** Everything that a log, a debugger or a response could print of an error and what it carries. */
function textsOf(error: PlinthError): string {
  const seen: unknown[] = [];
  for (let one: unknown = error; one instanceof Error; one = one.cause)
    seen.push(one.message, one.stack, String(one));
  seen.push(
    error.summary,
    error.hint,
    JSON.stringify(error),
    JSON.stringify({ ...error }),
    inspect(error, { depth: 20 }),
    Object.values(error).join(),
  );
  return seen.join("\n");
}

describe("an error of the server", () => {
  const cases: Record<string, [run: () => Promise<PlinthError>, expected: Record<string, unknown>]> = {
    "unique key": [
      async () => {
        const email = `${MARKER}@example.com`;
        await makeAuthor({ email });
        return rejection(makeAuthor({ email }));
      },
      {
        code: "UNIQUE_VIOLATION",
        sqlstate: "23505",
        schema: "library",
        table: "authors",
        columns: ["email"],
        constraint: "authors_email_unique",
      },
    ],
    "unique expression whose value looks like a key": [
      async () => {
        const name = `(${MARKER})=(x)`;
        await makeAuthor({ name });
        return rejection(makeAuthor({ name }));
      },
      { code: "UNIQUE_VIOLATION", table: "authors", columns: [], constraint: "authors_lower_name" },
    ],
    "foreign key": [
      () => rejection(makeBook({ authorId: MARKER })),
      {
        code: "FOREIGN_KEY_VIOLATION",
        sqlstate: "23503",
        table: "books",
        columns: ["author_id"],
        constraint: "books_author_id_authors_id_fk",
      },
    ],
    "row still referred to": [
      async () => {
        const branch = await repo.branches.create({ name: MARKER });
        await repo.librarians.create({ name: MARKER, branchId: branch.id });
        return rejection(repo.branches.delete(branch.id));
      },
      {
        code: "FOREIGN_KEY_VIOLATION",
        table: "librarians",
        constraint: "librarians_branch_id_branches_id_fk",
      },
    ],
    "not null": [
      () =>
        rejection(db.sql`insert into library.categories (slug, parent_id) select null, length(${MARKER})`),
      { code: "NOT_NULL_VIOLATION", sqlstate: "23502", table: "categories", columns: ["slug"] },
    ],
    "check, with the whole row in the detail": [
      () => rejection(repo.samples.create({ words: `(${MARKER})=(${MARKER})`.repeat(10) })),
      {
        code: "CHECK_VIOLATION",
        sqlstate: "23514",
        table: "samples",
        columns: [],
        constraint: "small_words",
      },
    ],
    exclusion: [
      async () => {
        await repo.samples.create({ code: "hunt2" });
        return rejection(repo.samples.create({ code: "hunt2", words: MARKER }));
      },
      {
        code: "EXCLUSION_VIOLATION",
        sqlstate: "23P01",
        table: "samples",
        columns: ["code"],
        constraint: "no_overlap",
      },
    ],
    "text that is no number": [
      () => rejection(repo.samples.create({ exact: MARKER })),
      { code: "INVALID_DATA", sqlstate: "22P02" },
    ],
    "number out of range": [
      () => rejection(db.sql`select (${"99999999999"} || '0')::int4 + length(${MARKER})`),
      { code: "INVALID_DATA", sqlstate: "22003" },
    ],
    "text too long": [
      () => rejection(repo.samples.create({ code: MARKER })),
      { code: "INVALID_DATA", sqlstate: "22001" },
    ],
    "malformed date": [
      () => rejection(repo.samples.create({ exactAt: MARKER })),
      { code: "INVALID_DATA", sqlstate: "22007" },
    ],
    "malformed array": [
      () => rejection(db.sql`select ${`{${MARKER}`}::text[]`),
      { code: "INVALID_DATA", sqlstate: "22P02" },
    ],
    "malformed JSON": [
      () => rejection(db.sql`select ${`{"${MARKER}`}::jsonb`),
      { code: "INVALID_DATA", sqlstate: "22P02" },
    ],
    "exception of a trigger": [
      async () => {
        const { id: bookId } = await makeBook();
        return rejection(repo.loans.create({ bookId, reader: `shout ${MARKER}` }));
      },
      { code: "RAISED", sqlstate: "P0001", columns: ["reader"] },
    ],
    "exception of a trigger that borrows a code of the server's own": [
      async () => {
        const { id: bookId } = await makeBook();
        return rejection(repo.loans.create({ bookId, reader: `whisper ${MARKER}` }));
      },
      { code: "PERMISSION_DENIED", sqlstate: "42501" },
    ],
    "unknown enum value": [
      () => rejection(db.sql`select ${MARKER}::library.genre`),
      { code: "INVALID_DATA", sqlstate: "22P02" },
    ],
    "division by zero": [
      () => rejection(db.sql`select length(${MARKER}) / 0`),
      { code: "INVALID_DATA", sqlstate: "22012" },
    ],
    "unknown column": [
      () => rejection(db.sql`select nope from library.books where title = ${MARKER}`),
      { code: "STATEMENT_INVALID", sqlstate: "42703" },
    ],
    "swallowed error, told again at commit": [
      () =>
        rejection(
          db.transaction(async () => {
            await rejection(makeBook({ authorId: MARKER }));
          }),
        ),
      { code: "TRANSACTION_ABORTED" },
    ],
  };

  it.each(Object.entries(cases))(
    "says what failed and quotes nothing: %s",
    async (_name, [run, expected]) => {
      const error = await run();
      expect(error).toMatchObject(expected);
      expect(textsOf(error)).not.toContain(MARKER);
      expect(textsOf(error)).not.toContain("99999999999");
    },
  );

  it("tells the details to code that asks for them by name", async () => {
    const error = await rejection(makeBook({ authorId: MARKER }));
    expect(error).toBeInstanceOf(StatementError);
    const told = error as StatementError;
    expect(`${told.detail}${told.serverMessage}`).toMatch(/author/);
    const raised = await cases["exception of a trigger"]?.[0]();
    expect(raised).toMatchObject({ serverMessage: `no: shout ${MARKER}`, detail: `shout ${MARKER}` });
  });
});
