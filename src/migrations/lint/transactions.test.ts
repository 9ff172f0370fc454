import { tmpdir } from "node:os";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type TestServer, testServer } from "../../../test/support/server.ts";
import { type Connection, connect, parseTarget, retarget } from "../../driver/index.ts";
import { openShadow, type Shadow } from "../../shadow/index.ts";
import { readMigrationFolder } from "../formats/migration-folder.ts";
import { NOTES, TASKS } from "./corpus/grounds.fixture.ts";
import { lintMigrations } from "./lint.ts";
import { CORPUS_SCHEMA, measureTransaction, prepareGround } from "./truth.fixture.ts";

const DATABASE = `transactions_${process.pid}`;

let server: TestServer;
let admin: Connection;
let plain: Connection;
let shadow: Shadow;

beforeAll(async () => {
  server = await testServer();
  admin = await connect(parseTarget(server.url));
  await admin.script(`create database ${DATABASE}`);
  plain = await connect(retarget(parseTarget(server.url), { database: DATABASE }));
  shadow = await openShadow({ url: server.url, directory: tmpdir() });
});
afterAll(async () => {
  await shadow.release();
  await plain.close();
  await admin.script(`drop database ${DATABASE} with (force)`);
  await admin.close();
  await server.stop();
});

/** A file, as the transactions it is run in. */
interface Scenario {
  readonly name: string;
  readonly ground: string;
  readonly transactions: readonly (readonly string[])[];
  readonly options?: string;
}

const ADD_NOT_VALID = "alter table notes add constraint rated check (rating >= 0) not valid";
const VALIDATE = "alter table notes validate constraint rated";
const BACKFILL = "update notes set body = '' where body is null";

const SCENARIOS: readonly Scenario[] = [
  {
    name: "rows written after the table was locked",
    ground: NOTES,
    transactions: [["alter table notes add column colour text", "update notes set colour = 'red'"]],
  },
  {
    name: "rows written before the table is locked",
    ground: NOTES,
    transactions: [[BACKFILL, "alter table notes add column colour text"]],
  },
  {
    name: "one row written after the table was locked",
    ground: TASKS,
    transactions: [
      ["alter table projects add column colour text", "update projects set colour = 'red' where id = 7"],
    ],
  },
  {
    name: "a check validated by itself",
    ground: NOTES,
    transactions: [[ADD_NOT_VALID], [VALIDATE], ["alter table notes alter column rating set default 1"]],
  },
  {
    name: "every statement by itself",
    ground: NOTES,
    options: " transaction:false",
    transactions: [["alter table notes add column colour text"], [BACKFILL], ["drop index notes_rating_idx"]],
  },
  {
    name: "a table of the file's own",
    ground: NOTES,
    transactions: [
      [
        "create table labels (id bigint primary key, name text)",
        "insert into labels select i, 'x' from generate_series(1, 200) i",
        "alter table labels alter column name set not null",
        "create index on labels (name)",
      ],
    ],
  },
  {
    name: "work on one table while another one is locked",
    ground: TASKS,
    transactions: [
      ["alter table comments add column note text", "select count(*) from projects", "select 1"],
    ],
  },
  {
    name: "an explicit lock",
    ground: NOTES,
    transactions: [["lock table notes in share mode", "select count(*) from notes"]],
  },
  {
    name: "a concurrent build between two transactions",
    ground: NOTES,
    transactions: [
      ["alter table notes add column colour text"],
      ["create index concurrently notes_colour_idx on notes (colour)"],
      ["analyze notes"],
    ],
  },
];

const INDEXED = "create index notes_rating_idx on notes (rating)";

async function linted({ ground, transactions, options = "" }: Scenario, mode: "static" | "trace") {
  const folder = await readMigrationFolder({
    "0001_ground.sql": `-- migrate:up\n${ground};\n`,
    "0002_file.sql": `-- migrate:up${options}\n${transactions.flat().join(";\n")};\n`,
  });
  const only = ["0002_file.sql"];
  const report = await lintMigrations({ folder, only, shadow, schemaName: CORPUS_SCHEMA, mode });
  return report.statements.map(({ sql, blocking }) => ({ sql, blocking }));
}

describe("lintMigrations", () => {
  it.each(SCENARIOS.map((scenario) => [scenario.name, scenario] as const))(
    "says of each statement what it does to others while its transaction lasts: %s",
    async (_, scenario) => {
      const ground = scenario.ground === NOTES ? `${NOTES};\n${INDEXED}` : scenario.ground;
      await prepareGround(plain, { setup: ground });
      const truth: { sql: string; blocking: boolean }[] = [];
      for (const transaction of scenario.transactions)
        truth.push(...(await measureTransaction(plain, transaction)));
      const own = { ...scenario, ground };
      expect(await linted(own, "static")).toEqual(truth);
      expect(await linted(own, "trace")).toEqual(truth);
    },
  );

  it("knows that other tools run a whole file in one transaction", async () => {
    const folder = await readMigrationFolder(
      {
        "20260101000000_ground.sql": `-- migrate:up\n${NOTES};\n-- migrate:down\ndrop table notes;\n`,
        "20260102000000_check.sql": `-- migrate:up\n${ADD_NOT_VALID};\n${VALIDATE};\n-- migrate:down\nselect 1;\n`,
      },
      { format: "dbmate" },
    );
    await prepareGround(plain, { setup: NOTES });
    const truth = await measureTransaction(plain, [ADD_NOT_VALID, VALIDATE]);
    expect(truth.map(({ blocking }) => blocking)).toEqual([false, true]);
    for (const mode of ["static", "trace"] as const) {
      const report = await lintMigrations({ folder, shadow, schemaName: CORPUS_SCHEMA, mode });
      const ups = report.statements.filter(({ file, direction }) => /check/.test(file) && direction === "up");
      expect(ups.map(({ sql, blocking }) => ({ sql, blocking }))).toEqual(truth);
    }
  });

  it.each(["static", "trace"] as const)(
    "lets %s rebuild a partitioned table's indexes outside a transaction, as the runner does",
    async (mode) => {
      const parts =
        "create table seen (at date not null) partition by range (at);\ncreate index seen_at_idx on seen (at)";
      const folder = await readMigrationFolder({
        "0001_ground.sql": `-- migrate:up\n${parts};\n-- migrate:down\ndrop table seen;\n`,
        "0002_file.sql":
          "-- migrate:up\nanalyze seen;\nreindex table seen;\n-- migrate:down\nreindex index seen_at_idx;\n",
      });
      const { findings } = await lintMigrations({ folder, shadow, schemaName: CORPUS_SCHEMA, mode });
      expect(findings.filter(({ rule }) => rule === "run/fails")).toEqual([]);
    },
  );
});
