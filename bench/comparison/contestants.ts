/** Who takes part: one library in one way each, in a process of its own. */

export interface Contestant {
  /** Its name in `--peers`, tables and JSON. */
  readonly name: string;
  /** In `subjects/`, or in `peers/` if it needs packages of the bench's own. */
  readonly file: string;
  /** The function that opens it. */
  readonly open: string;
  /** Whose versions are reported. */
  readonly packages: readonly string[];
}

/** Hand-written `pg` with named statements: what ratios are to, and whose rows are the right ones. */
export const UNIT = "pg-named";

export const CONTESTANTS: readonly Contestant[] = [
  { name: "plinth", file: "subjects/plinth.ts", open: "openPlinth", packages: ["pg"] },
  { name: UNIT, file: "subjects/pg.ts", open: "openPgNamed", packages: ["pg"] },
  { name: "pg-unnamed", file: "subjects/pg.ts", open: "openPgUnnamed", packages: ["pg"] },
  { name: "postgres.js", file: "peers/postgres-js.ts", open: "openPostgresJs", packages: ["postgres"] },
  { name: "drizzle", file: "subjects/drizzle.ts", open: "openDrizzle", packages: ["drizzle-orm"] },
  {
    name: "drizzle-prepared",
    file: "subjects/drizzle.ts",
    open: "openDrizzlePrepared",
    packages: ["drizzle-orm"],
  },
  {
    name: "drizzle-relational",
    file: "subjects/drizzle-relational.ts",
    open: "openDrizzleRelational",
    packages: ["drizzle-orm"],
  },
  {
    name: "drizzle-relational-prepared",
    file: "subjects/drizzle-relational.ts",
    open: "openDrizzleRelationalPrepared",
    packages: ["drizzle-orm"],
  },
  {
    name: "prisma",
    file: "peers/prisma.ts",
    open: "openPrisma",
    packages: ["@prisma/client", "@prisma/adapter-pg"],
  },
  { name: "kysely", file: "peers/kysely.ts", open: "openKysely", packages: ["kysely"] },
  { name: "typeorm", file: "peers/typeorm.ts", open: "openTypeorm", packages: ["typeorm"] },
  {
    name: "mikro-orm",
    file: "peers/mikro-orm.ts",
    open: "openMikroOrm",
    packages: ["@mikro-orm/postgresql"],
  },
  { name: "sequelize", file: "peers/sequelize.ts", open: "openSequelize", packages: ["sequelize"] },
  { name: "knex", file: "peers/knex.ts", open: "openKnex", packages: ["knex"] },
];
