import { createDatabase } from "plinth";
import { afterEach, describe, expect, it, vi } from "vitest";
import * as domain from "../../test/support/domain.ts";
import { openLibrary } from "../../test/support/library.ts";

const { db, url, makeBook } = await openLibrary();

const VALUES = {
  at: new Date("2026-07-01T12:34:56.789Z"),
  local: new Date("2026-07-01T12:34:56.789Z"),
  day: "2011-12-30",
  span: "1 year 2 mons 3 days 04:05:06.789",
  double: 0.1 + 0.2,
  bytes: Buffer.from([0, 255, 92]),
  days: ["2011-12-30"],
  instants: [new Date("2026-07-01T12:34:56.789Z")],
};

const SETTINGS = {
  timezone: "Asia/Kathmandu",
  datestyle: "SQL, DMY",
  intervalstyle: "iso_8601",
  bytea_output: "escape",
  extra_float_digits: "0",
};

/** Writes one row and reads it by every way a value can come back. */
async function readings(database: typeof db) {
  const repo = { books: database.repository(domain.books), samples: database.repository(domain.samples) };
  const book = await makeBook();
  const created = await repo.samples.create({ ...VALUES, bookId: book.id });
  const [one, two] = await repo.samples.createMany([{ ...VALUES, bookId: book.id }, VALUES]);
  const nested = await repo.books.get(book.id, { with: { samples: true } });
  return [created, one, two, ...nested.samples, await repo.samples.get(created.id)];
}

describe("a database with settings of its own", () => {
  it("changes nothing of what values mean", async () => {
    for (const [name, value] of Object.entries(SETTINGS)) {
      await db.pool.use((connection) =>
        connection.script(
          `do $$ begin execute format('alter database %I set ${name} = %L', current_database(), '${value}'); end $$`,
        ),
      );
    }
    const other = await createDatabase({ schema: domain, url, pool: { max: 1 } });
    try {
      const [zone] = await other.sql<{ zone: string }>`select current_setting('timezone') as zone`;
      expect(zone).toEqual({ zone: SETTINGS.timezone });
      for (const row of await readings(other)) expect(row).toMatchObject(VALUES);
      const [row] =
        await other.sql`select ${VALUES.at}::timestamptz as at, '1900-01-01 00:00:00+05:41:16'::timestamptz as early, '2011-12-30'::date as day`;
      expect(row).toEqual({ at: VALUES.at, early: new Date("1899-12-31T18:18:44Z"), day: "2011-12-30" });
    } finally {
      await other.close();
    }
  });
});

describe("a process in another time zone", () => {
  afterEach(() => vi.unstubAllEnvs());

  // Apia left out 30 December 2011; New York changes its clocks.
  it.each(["Pacific/Apia", "America/New_York", "Asia/Kolkata"])(
    "changes no day and no instant: %s",
    async (zone) => {
      vi.stubEnv("TZ", zone);
      expect(Intl.DateTimeFormat().resolvedOptions().timeZone).toMatch(
        zone === "Asia/Kolkata" ? /^Asia\/(Kolkata|Calcutta)$/ : zone,
      );
      for (const row of await readings(db)) expect(row).toMatchObject(VALUES);
    },
  );
});
