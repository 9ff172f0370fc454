import { createHash } from "node:crypto";
import { drizzle } from "drizzle-orm/node-postgres";
import { migrate } from "drizzle-orm/node-postgres/migrator";
import pg from "pg";
import type { AdoptableTool } from "./tool.ts";
import {
  hasProgram,
  packageFolder,
  runPackage,
  runProgram,
  SHOP_STEPS,
  type ToolFolder,
} from "./tools.fixture.ts";

/** How the shop's database came about. */
export interface ShopBuilder {
  readonly tool: AdoptableTool;
  /** As the test's name says it. */
  readonly title: string;
  /** How to get the tool where it is missing; undefined where it is there or stands in by its table. */
  readonly install: string | undefined;
  /** The tool itself did it; otherwise its table is a copy, which cannot run a second time. */
  readonly isReal: boolean;
  /** The folder `--folder` names, below the builder's. */
  readonly folder: string;
  /** The tool's tables. */
  readonly tables: readonly string[];
  /** What adopting calls the three migrations. */
  readonly names: readonly string[];
  /** Whether the tool keeps when it applied them. */
  readonly hasTimes: boolean;
  /** Writes the files of the first `steps` of the shop. */
  write(folder: ToolFolder, steps: number): void;
  /** Runs the tool, or writes what it would have left. */
  build(folder: ToolFolder, url: string): Promise<void>;
}

const sqlOf = (at: number): { readonly name: string; readonly up: string; readonly down: string } => {
  const step = SHOP_STEPS[at];
  if (step === undefined) throw new Error(`the shop has no step ${at}`);
  return step;
};

function eachStep(steps: number, work: (at: number) => void): void {
  for (let at = 0; at < steps; at++) work(at);
}

function drizzleBuilder(): ShopBuilder {
  const tag = (at: number): string => `000${at}_${sqlOf(at).name}`;
  return {
    tool: "drizzle",
    title: "Drizzle 0.45 (its own migrator)",
    isReal: true,
    install: undefined,
    folder: "drizzle",
    tables: ["drizzle.__drizzle_migrations"],
    names: [tag(0), tag(1), tag(2)],
    hasTimes: false,
    write: (folder, steps) => {
      const entries: object[] = [];
      eachStep(steps, (at) => {
        const text = sqlOf(at).up.replaceAll(/;\n(?=create|comment)/g, ";\n--> statement-breakpoint\n");
        folder.write(`drizzle/${tag(at)}.sql`, text);
        entries.push({
          idx: at,
          version: "7",
          when: 1_700_000_000_000 + at,
          tag: tag(at),
          breakpoints: true,
        });
      });
      folder.write(
        "drizzle/meta/_journal.json",
        JSON.stringify({ version: "7", dialect: "postgresql", entries }),
      );
    },
    build: async (folder, url) => {
      const client = new pg.Client(url);
      await client.connect();
      await migrate(drizzle(client), { migrationsFolder: `${folder.path}/drizzle` });
      await client.end();
    },
  };
}

function knexBuilder(): ShopBuilder {
  const file = (at: number): string => `2024010${at + 1}000000_${sqlOf(at).name}.js`;
  const raw = (sql: string): string => `(knex) => knex.raw(${JSON.stringify(sql)});`;
  return {
    tool: "knex",
    title: "Knex (its own program)",
    isReal: true,
    install: packageFolder("knex") === undefined ? "npm install --save-dev knex" : undefined,
    folder: "knex",
    tables: ["public.knex_migrations", "public.knex_migrations_lock"],
    names: [file(0), file(1), file(2)],
    hasTimes: true,
    write: (folder, steps) => {
      folder.write(
        "knexfile.js",
        "module.exports = { client: 'pg', connection: process.env.DATABASE_URL, migrations: { directory: './knex' } };",
      );
      eachStep(steps, (at) => {
        const { up, down } = sqlOf(at);
        folder.write(`knex/${file(at)}`, `exports.up = ${raw(up)}\nexports.down = ${raw(down)}\n`);
      });
    },
    build: async (folder, url) => {
      await runPackage("knex", ["migrate:latest"], { cwd: folder.path, url });
    },
  };
}

function nodePgMigrateBuilder(): ShopBuilder {
  const name = (at: number): string => `170000000000${at}_${sqlOf(at).name}`;
  return {
    tool: "node-pg-migrate",
    title: "node-pg-migrate (its own program)",
    isReal: true,
    install:
      packageFolder("node-pg-migrate") === undefined ? "npm install --save-dev node-pg-migrate" : undefined,
    folder: "migrations",
    tables: ["public.pgmigrations"],
    names: [name(0), name(1), name(2)],
    hasTimes: true,
    write: (folder, steps) =>
      eachStep(steps, (at) => {
        const { up, down } = sqlOf(at);
        const ending = at === 1 ? "js" : "sql";
        const text =
          ending === "sql"
            ? `-- Up Migration\n${up}\n-- Down Migration\n${down}\n`
            : `exports.up = (pgm) => pgm.sql(${JSON.stringify(up)});\nexports.down = (pgm) => pgm.sql(${JSON.stringify(down)});`;
        folder.write(`migrations/${name(at)}.${ending}`, text);
      }),
    build: async (folder, url) => {
      await runPackage("node-pg-migrate", ["up"], { cwd: folder.path, url });
    },
  };
}

function dbmateBuilder(): ShopBuilder {
  const file = (at: number): string => `2024010${at + 1}000000_${sqlOf(at).name}.sql`;
  return {
    tool: "dbmate",
    title: "dbmate (its own program)",
    isReal: true,
    install: packageFolder("dbmate") === undefined ? "npm install --save-dev dbmate" : undefined,
    folder: "db/migrations",
    tables: ["public.schema_migrations"],
    names: [file(0), file(1), file(2)],
    hasTimes: false,
    write: (folder, steps) =>
      eachStep(steps, (at) => {
        const { up, down } = sqlOf(at);
        folder.write(`db/migrations/${file(at)}`, `-- migrate:up\n${up}\n\n-- migrate:down\n${down}\n`);
      }),
    build: async (folder, url) => {
      await runPackage("dbmate", ["--no-dump-schema", "up"], {
        cwd: folder.path,
        url: `${url}?sslmode=disable`,
      });
    },
  };
}

const revision = (at: number): string => `ae10${at}${at}${at}${at}`;

function writeAlembic(folder: ToolFolder, steps: number): void {
  folder.write("alembic.ini", "[alembic]\nscript_location = alembic\n");
  folder.write("alembic/script.py.mako", "");
  folder.write(
    "alembic/env.py",
    [
      "import os",
      "from alembic import context",
      "from sqlalchemy import create_engine",
      'engine = create_engine(os.environ["DATABASE_URL"].replace("postgres://", "postgresql+psycopg2://"))',
      "with engine.connect() as connection:",
      "    context.configure(connection=connection)",
      "    with context.begin_transaction():",
      "        context.run_migrations()",
    ].join("\n"),
  );
  eachStep(steps, (at) => {
    const { name, up, down } = sqlOf(at);
    const before = at === 0 ? "None" : `"${revision(at - 1)}"`;
    folder.write(
      `alembic/versions/${revision(at)}_${name}.py`,
      [
        `"""${name}"""`,
        "from alembic import op",
        `revision: str = '${revision(at)}'`,
        `down_revision = ${before}  # the one before`,
        "branch_labels = None",
        "depends_on = None",
        "def upgrade() -> None:",
        `    op.get_bind().exec_driver_sql("""${up.replaceAll("%", "%%")}""")`,
        "def downgrade() -> None:",
        `    op.get_bind().exec_driver_sql("""${down}""")`,
      ].join("\n"),
    );
  });
}

const ALEMBIC = {
  tool: "alembic",
  folder: "alembic",
  tables: ["public.alembic_version"],
  names: [0, 1, 2].map((at) => `versions/${revision(at)}_${sqlOf(at).name}.py`),
  hasTimes: false,
  write: writeAlembic,
} as const;

function alembicBuilder(): ShopBuilder {
  return {
    ...ALEMBIC,
    title: "Alembic (Debian's program)",
    isReal: true,
    install: hasProgram("alembic") ? undefined : "apt-get install alembic python3-psycopg2",
    build: async (folder, url) => {
      await runProgram("alembic", ["upgrade", "head"], { cwd: folder.path, url });
    },
  };
}

/** Runs the first steps, then what the tool would have recorded of them. */
async function buildByHand(url: string, steps: number, record: string): Promise<void> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    for (let at = 0; at < steps; at++) await client.query(sqlOf(at).up);
    await client.query(record);
  } finally {
    await client.end();
  }
}

/** @see https://github.com/sqlalchemy/alembic/blob/main/alembic/runtime/migration.py */
function alembicFixture(): ShopBuilder {
  return {
    ...ALEMBIC,
    title: "Alembic (a fixture of its table and folder)",
    isReal: false,
    install: undefined,
    build: (_folder, url) =>
      buildByHand(
        url,
        3,
        `create table alembic_version (
  version_num varchar(32) not null, constraint alembic_version_pkc primary key (version_num)
);
insert into alembic_version values ('${revision(2)}');`,
      ),
  };
}

/** Copied from what Prisma 6.19's own engine left in a database. */
function prismaFixture(): ShopBuilder {
  const name = (at: number): string => `2024010${at + 1}000000_${sqlOf(at).name}`;
  const row = (at: number): string => {
    const checksum = createHash("sha256").update(sqlOf(at).up).digest("hex");
    return `('${name(at)}', '${checksum}', '2024-02-0${at + 1} 10:00:00+00', '${name(at)}', '2024-02-0${at + 1} 09:59:59+00', 1)`;
  };
  return {
    tool: "prisma",
    title: "Prisma (a fixture of its table and folder; its engine cannot be had from npm)",
    isReal: false,
    install: undefined,
    folder: "prisma/migrations",
    tables: ["public._prisma_migrations"],
    names: [name(0), name(1), name(2)],
    hasTimes: true,
    write: (folder, steps) => {
      folder.write("prisma/migrations/migration_lock.toml", 'provider = "postgresql"\n');
      eachStep(steps, (at) => folder.write(`prisma/migrations/${name(at)}/migration.sql`, sqlOf(at).up));
    },
    build: (_folder, url) =>
      buildByHand(
        url,
        3,
        `create table _prisma_migrations (
  id varchar(36) not null primary key,
  checksum varchar(64) not null,
  finished_at timestamptz,
  migration_name varchar(255) not null,
  logs text,
  rolled_back_at timestamptz,
  started_at timestamptz not null default now(),
  applied_steps_count integer not null default 0
);
insert into _prisma_migrations (id, checksum, finished_at, migration_name, started_at, applied_steps_count)
values ${[0, 1, 2].map(row).join(",\n  ")};
insert into _prisma_migrations (id, checksum, migration_name, rolled_back_at)
values ('again', 'of a run that was rolled back', '${name(2)}', now());`,
      ),
  };
}

/** @see https://github.com/golang-migrate/migrate/blob/master/database/postgres/postgres.go */
function golangMigrateFixture(): ShopBuilder {
  const file = (at: number): string => `00000${at + 1}_${sqlOf(at).name}.up.sql`;
  return {
    tool: "golang-migrate",
    title: "golang-migrate (a fixture of its table and folder)",
    isReal: false,
    install: undefined,
    folder: "migrations",
    tables: ["public.schema_migrations"],
    names: [file(0), file(1), file(2)],
    hasTimes: false,
    write: (folder, steps) =>
      eachStep(steps, (at) => {
        folder.write(`migrations/${file(at)}`, sqlOf(at).up);
        folder.write(`migrations/${file(at).replace(".up.", ".down.")}`, sqlOf(at).down);
      }),
    build: (_folder, url) =>
      buildByHand(
        url,
        3,
        `create table schema_migrations (version bigint not null primary key, dirty boolean not null);
insert into schema_migrations values (3, false);`,
      ),
  };
}

/** @see https://github.com/flyway/flyway/blob/main/flyway-database/flyway-database-postgresql/src/main/java/org/flywaydb/database/postgresql/PostgreSQLDatabase.java */
function flywayFixture(): ShopBuilder {
  const file = (at: number): string =>
    at === 2 ? `R__${sqlOf(at).name}.sql` : `V1_${at}__${sqlOf(at).name}.sql`;
  const row = (at: number): string => {
    const version = at === 2 ? "null" : `'1.${at}'`;
    return `(${at + 2}, ${version}, '${sqlOf(at).name}', 'SQL', '${file(at)}', 7, 'app', 12, true)`;
  };
  return {
    tool: "flyway",
    title: "Flyway (a fixture of its table and folder; its engine cannot be had offline)",
    isReal: false,
    install: undefined,
    folder: "sql",
    tables: ["public.flyway_schema_history"],
    names: [file(0), file(1), file(2)],
    hasTimes: true,
    write: (folder, steps) => eachStep(steps, (at) => folder.write(`sql/${file(at)}`, sqlOf(at).up)),
    build: (_folder, url) =>
      buildByHand(
        url,
        3,
        `create table flyway_schema_history (
  installed_rank int not null,
  version varchar(50),
  description varchar(200) not null,
  type varchar(20) not null,
  script varchar(1000) not null,
  checksum integer,
  installed_by varchar(100) not null,
  installed_on timestamp not null default now(),
  execution_time integer not null,
  success boolean not null
);
alter table flyway_schema_history add constraint flyway_schema_history_pk primary key (installed_rank);
create index flyway_schema_history_s_idx on flyway_schema_history (success);
insert into flyway_schema_history (installed_rank, version, description, type, script, checksum, installed_by, execution_time, success)
values (1, null, '<< Flyway Schema Creation >>', 'SCHEMA', '"public"', null, 'app', 0, true),
  ${[0, 1, 2].map(row).join(",\n  ")};`,
      ),
  };
}

/** Only what the packages of npm and Debian do themselves is real; the others' tables are copied from their sources. */
export const SHOP_BUILDERS: readonly ShopBuilder[] = [
  drizzleBuilder(),
  knexBuilder(),
  nodePgMigrateBuilder(),
  dbmateBuilder(),
  alembicBuilder(),
  prismaFixture(),
  golangMigrateFixture(),
  flywayFixture(),
  alembicFixture(),
];
