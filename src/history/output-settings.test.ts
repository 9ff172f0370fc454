import { customType, type PgColumnBuilderBase } from "drizzle-orm/pg-core";
import { testDatabase } from "plinth/testing";
import { afterAll, describe, expect, it } from "vitest";
import { connect, parseTarget } from "../driver/index.ts";
import { appSchema, describeTable, entity, ulidKey } from "../schema/index.ts";
import { settingsOf } from "./output-settings.ts";

const app = appSchema("forms");
const { url, close } = await testDatabase({ schema: { app, rows: entity(app, "rows", { id: ulidKey() }) } });
const client = await connect(parseTarget(url));
afterAll(async () => {
  await client.close();
  await close();
});

/** A value of each type whose text hangs on a setting, or might. */
const VALUES: Readonly<Record<string, string>> = {
  boolean: "true",
  smallint: "-7",
  integer: "7",
  bigint: "9223372036854775807",
  numeric: "1234567.50",
  text: "a",
  varchar: "a",
  "char(3)": "a",
  uuid: "00000000-0000-0000-0000-00000000000a",
  json: '{"a": 1.10}',
  jsonb: '{"a": 1.10}',
  inet: "10.0.0.1/24",
  cidr: "10.0.0.0/24",
  real: "0.1",
  "double precision": "0.30000000000000004",
  bytea: "\\x00ff",
  date: "2026-02-28",
  interval: "1 mon -2 days 00:00:01",
  timestamp: "2026-02-28 01:02:03",
  "timestamp (3)": "2026-02-28 01:02:03.123",
  "timestamp with time zone": "2026-02-28 01:02:03+00",
  timestamptz: "2026-02-28 01:02:03+00",
  "timestamp (3) with time zone": "2026-02-28 01:02:03+00",
  point: "(0.1,0.30000000000000004)",
  tstzrange: "[2026-02-28 01:02:03+00,)",
  "date[]": "{2026-02-28}",
};

const PINNED =
  "set datestyle to 'ISO'; set intervalstyle to 'postgres'; set timezone to 'UTC'; set extra_float_digits to 1; set bytea_output to 'hex'";
const ODD =
  "set datestyle to 'SQL, DMY'; set intervalstyle to 'iso_8601'; set timezone to 'Asia/Kathmandu'; set extra_float_digits to -15; set bytea_output to 'escape'";

function settingsFor(type: string): readonly string[] {
  const columns: Record<string, PgColumnBuilderBase> = { own: customType({ dataType: () => type })() };
  const { columns: described } = describeTable(
    entity(app, `t_${type.replaceAll(/\W/g, "_")}`, { id: ulidKey(), ...columns }),
  );
  return settingsOf(described);
}

describe("what a function sets", () => {
  it.each(Object.entries(VALUES))("makes the text of %s the same in any session", async (type, value) => {
    const written = async (settings: string) =>
      (await client.script(`${settings}; select ('${value}'::${type})::text`)).at(-1)?.rows;
    const own = settingsFor(type).map((setting) => `set ${setting}`);
    expect(await written([ODD, ...own].join("; "))).toEqual(await written(PINNED));
  });

  it("is nothing that no column needs, and everything for a type it does not know", () => {
    expect(settingsFor("text")).toEqual([]);
    expect(settingsFor("date")).toEqual(["datestyle = 'ISO'"]);
    expect(settingsFor("point")).toHaveLength(5);
  });
});
