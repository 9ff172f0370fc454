import { describe, expect, it } from "vitest";
import type { Connection } from "../../driver/index.ts";
import { EVERYTHING } from "../everything.fixture.ts";
import { type Catalog, type CatalogObject, compareCatalogs, readCatalog } from "../index.ts";
import { scratchDatabases } from "../scratch.fixture.ts";

const scratch = scratchDatabases();

function idsOf({ objects }: Catalog, kind?: CatalogObject["kind"]): readonly string[] {
  return objects.filter((object) => kind === undefined || object.kind === kind).map(({ id }) => id);
}

/** `ObjectOf<"view">` is the member of the union that may be a view. */
type ObjectOf<K, O = CatalogObject> = O extends { readonly kind: infer Kinds }
  ? K extends Kinds
    ? O
    : never
  : never;

function find<K extends CatalogObject["kind"]>(catalog: Catalog, kind: K, name: string) {
  const isIt = (object: CatalogObject): object is CatalogObject & ObjectOf<K> =>
    object.kind === kind && object.id === `${kind} ${name}`;
  const found = catalog.objects.find(isIt);
  if (found === undefined) throw new Error(`no ${kind} ${name} in\n${idsOf(catalog).join("\n")}`);
  return found;
}

function column(catalog: Catalog, table: string, name: string) {
  const found = find(catalog, "table", table).columns.find((candidate) => candidate.name === name);
  if (found === undefined) throw new Error(`no column ${table}.${name}`);
  return found;
}

async function settingsOf(connection: Connection): Promise<readonly (string | null)[] | undefined> {
  const { rows } = await connection.query({
    text: "select current_setting('search_path'), current_setting('timezone'), current_setting('quote_all_identifiers')",
    values: [],
  });
  return rows[0];
}

describe("readCatalog", () => {
  it("reads every kind of object, ordered by kind and id", async () => {
    const connection = await scratch.with(EVERYTHING);
    const catalog = await readCatalog(connection, "app", { schemas: "all" });
    expect([...new Set(catalog.objects.map(({ kind }) => kind))]).toEqual([
      "schema",
      "extension",
      "collation",
      "enum",
      "composite type",
      "domain",
      "range type",
      "sequence",
      "table",
      "foreign server",
      "foreign table",
      "constraint",
      "index",
      "statistics",
      "view",
      "materialized view",
      "rule",
      "function",
      "procedure",
      "aggregate",
      "operator",
      "operator class",
      "cast",
      "text search dictionary",
      "text search configuration",
      "trigger",
      "event trigger",
      "policy",
      "publication",
    ]);
    expect(new Set(idsOf(catalog)).size).toBe(catalog.objects.length);
    expect(idsOf(catalog, "function")).toEqual([
      "function add(numeric, numeric)",
      "function count_people()",
      "function is_even(integer)",
      "function mood_hash(mood)",
      "function on_ddl()",
      "function same(mood, mood)",
      "function to_integer(mood)",
      "function touch()",
    ]);
    expect(idsOf(catalog, "sequence")).toEqual(["sequence invoice_number", "sequence people_old_seq"]);
  });

  it("reads what makes up each kind", async () => {
    const catalog = await readCatalog(await scratch.with(EVERYTHING), "app", { schemas: "all" });
    expect(find(catalog, "schema", "audit")).toEqual({
      kind: "schema",
      id: "schema audit",
      schema: undefined,
      name: "audit",
      comment: "who did what",
      grants: [{ grantee: "pg_monitor", privileges: ["usage"], grantable: [] }],
      dependsOn: [],
    });
    expect(find(catalog, "extension", "citext")).toMatchObject({ home: "public" });
    expect(find(catalog, "extension", "pg_trgm")).toMatchObject({ home: undefined });
    expect(find(catalog, "enum", "mood")).toMatchObject({
      values: ["sad", "it's ok", "happy"],
      comment: "how it is",
      grants: [{ grantee: "public", privileges: ["usage"], grantable: [] }],
    });
    expect(find(catalog, "domain", "email")).toMatchObject({
      type: "text",
      collation: '"C"',
      default: "'a@b'::text",
      notNull: true,
      checks: [{ name: "has_at", definition: "CHECK ((VALUE ~~ '%@%'::text))", isValid: true }],
    });
    expect(find(catalog, "composite type", "address").attributes).toEqual([
      { name: "street", type: "text", collation: undefined },
      { name: "city", type: "text", collation: '"C"' },
      { name: "mood", type: "mood", collation: undefined },
    ]);
    expect(find(catalog, "range type", "span").definition).toBe(
      "CREATE TYPE span AS RANGE (subtype = double precision, subtype_diff = float8mi, multirange_type_name = span_multirange)",
    );
    expect(find(catalog, "sequence", "invoice_number")).toMatchObject({
      options: {
        type: "bigint",
        start: "100",
        increment: "5",
        minimum: "10",
        maximum: "1000",
        cache: "3",
        cycles: true,
      },
      ownedBy: undefined,
      isUnlogged: false,
    });
    expect(find(catalog, "sequence", "people_old_seq").ownedBy).toBe("column people.old");
    expect(find(catalog, "aggregate", "total(numeric)").definition).toBe(
      "CREATE OR REPLACE AGGREGATE total(numeric) (sfunc = add, stype = numeric, combinefunc = add, initcond = '0', parallel = safe)",
    );
    expect(find(catalog, "procedure", "clean(integer)")).toMatchObject({
      signature: "integer",
      returns: "",
      arguments: "IN days integer DEFAULT 3",
    });
    expect(find(catalog, "function", "touch()").definition).toMatch(
      /^CREATE OR REPLACE FUNCTION touch\(\)\n/,
    );
    expect(find(catalog, "statistics", "people_stats").definition).toBe(
      "CREATE STATISTICS people_stats (dependencies) ON name, score FROM people",
    );
    expect(find(catalog, "rule", "scratch.nothing").definition).toBe(
      "CREATE RULE nothing AS\n    ON DELETE TO scratch DO INSTEAD NOTHING",
    );
    expect(find(catalog, "policy", "people.mine")).toMatchObject({
      table: "table people",
      command: "update",
      isPermissive: false,
      roles: ["pg_monitor"],
      using: "is_even((id)::integer)",
      check: "(score > (0)::numeric)",
    });
    expect(find(catalog, "trigger", "people.after_insert")).toMatchObject({
      enabled: "disabled",
      isInherited: false,
    });
    expect(find(catalog, "trigger", "visits_2024.touch").isInherited).toBe(true);
    expect(find(catalog, "view", "moods")).toMatchObject({
      options: ["security_barrier=true"],
      columns: [
        { name: "id", type: "bigint", comment: undefined },
        { name: "name", type: "text", comment: undefined },
        { name: "even", type: "boolean", comment: "or odd" },
      ],
    });
  });

  it("reads tables and columns", async () => {
    const catalog = await readCatalog(await scratch.with(EVERYTHING), "app", { schemas: "all" });
    expect(find(catalog, "table", "people")).toMatchObject({
      rowSecurity: true,
      forceRowSecurity: true,
      replicaIdentity: "default",
      comment: "all of them",
      grants: [
        { grantee: "pg_monitor", privileges: ["select"], grantable: [] },
        { grantee: "pg_read_all_data", privileges: ["insert"], grantable: ["insert"] },
      ],
    });
    expect(find(catalog, "table", "children")).toMatchObject({
      inherits: ["table people"],
      options: ["fillfactor=70", "toast.autovacuum_enabled=off"],
    });
    expect(find(catalog, "table", "visits").partitionKey).toBe("RANGE (at)");
    expect(find(catalog, "table", "visits_2024").partitionOf).toEqual({
      parent: "table visits",
      bound: "FOR VALUES FROM ('2024-01-01 00:00:00+00') TO ('2025-01-01 00:00:00+00')",
    });
    expect(find(catalog, "table", "scratch").isUnlogged).toBe(true);
    expect(find(catalog, "table", "audit.entries")).toMatchObject({
      schema: "audit",
      replicaIdentity: "full",
    });
    expect(column(catalog, "people", "id")).toMatchObject({
      id: "column people.id",
      type: "bigint",
      notNull: true,
      isNotNullValid: true,
      default: undefined,
      identity: { mode: "always", options: { start: "100", increment: "2" } },
    });
    expect(column(catalog, "people", "name")).toMatchObject({
      collation: "odd",
      statistics: 500,
      comment: "a person's",
      grants: [{ grantee: "pg_monitor", privileges: ["update"], grantable: [] }],
    });
    expect(column(catalog, "people", "body")).toMatchObject({ storage: "external", compression: "pglz" });
    expect(column(catalog, "people", "doubled").generated).toEqual({
      expression: "(score * (2)::numeric)",
      mode: "stored",
    });
    expect(column(catalog, "people", "old").default).toBe("nextval('people_old_seq'::regclass)");
    expect(column(catalog, "people", "contact").type).toBe("public.citext");
    expect(column(catalog, "visits_2024", "at").isInherited).toBe(true);
    expect(column(catalog, "children", "toy").isInherited).toBe(false);
  });

  it("reads constraints and indexes", async () => {
    const catalog = await readCatalog(await scratch.with(EVERYTHING), "app", { schemas: "all" });
    expect(find(catalog, "constraint", "audit.entries.entries_person_fkey")).toMatchObject({
      type: "foreign key",
      definition: "FOREIGN KEY (person) REFERENCES people(id) ON DELETE CASCADE",
      columns: ["person"],
      references: "table people",
      isValid: true,
      isEnforced: true,
      isSuspended: false,
      isInherited: false,
      isNameGenerated: true,
    });
    expect(find(catalog, "constraint", "people.late")).toMatchObject({
      definition: "CHECK ((born > '1900-01-01'::date))",
      isValid: false,
      isNameGenerated: false,
    });
    expect(find(catalog, "constraint", "people.name_ok").comment).toBe("no blanks");
    expect(find(catalog, "constraint", "visits_2024.visits_2024_pkey").isInherited).toBe(true);
    expect(idsOf(catalog, "constraint").filter((id) => id.includes("visits_2024"))).toEqual([
      "constraint visits_2024.visits_2024_pkey",
      "constraint visits_2024.visits_person_id_fkey",
    ]);
    expect(find(catalog, "index", "people_lower")).toMatchObject({
      table: "table people",
      isUnique: false,
      isValid: true,
      method: "btree",
      definition:
        "CREATE INDEX people_lower ON people USING btree (lower(name)) INCLUDE (score) WHERE score > 1::numeric",
      columns: [undefined],
      attachedTo: undefined,
    });
    expect(find(catalog, "index", "visits_at_idx").definition).toBe(
      "CREATE INDEX visits_at_idx ON ONLY visits USING btree (at)",
    );
    expect(find(catalog, "index", "visits_2024_at_idx").attachedTo).toBe("index visits_at_idx");
    expect(find(catalog, "index", "mood_counts_even_idx").table).toBe("materialized view mood_counts");
    expect(idsOf(catalog, "index").filter((id) => id.includes("pkey"))).toEqual([]);
  });

  it("knows what needs what", async () => {
    const catalog = await readCatalog(await scratch.with(EVERYTHING), "app", { schemas: "all" });
    const needs = (kind: CatalogObject["kind"], name: string) => find(catalog, kind, name).dependsOn;
    expect(needs("view", "moods")).toEqual([
      "collation odd",
      "column people.id",
      "column people.mood",
      "column people.name",
      "enum mood",
      "function is_even(integer)",
    ]);
    expect(needs("materialized view", "mood_counts")).toEqual(["view moods"]);
    expect(needs("function", "count_people()")).toEqual(["column people.id"]);
    expect(needs("aggregate", "total(numeric)")).toEqual(["function add(numeric, numeric)"]);
    expect(needs("domain", "even")).toEqual(["function is_even(integer)"]);
    expect(needs("composite type", "address")).toEqual(["enum mood"]);
    expect(needs("constraint", "visits.visits_person_id_fkey")).toEqual([
      "column people.id",
      "column visits.person_id",
      "constraint people.people_pkey",
    ]);
    expect(needs("index", "people_trgm")).toEqual(["column people.body", "extension pg_trgm"]);
    expect(needs("index", "mood_counts_even_idx")).toEqual(["materialized view mood_counts"]);
    expect(needs("trigger", "people.touch")).toEqual([
      "column people.name",
      "function touch()",
      "table people",
    ]);
    expect(needs("policy", "people.mine")).toEqual([
      "column people.id",
      "column people.score",
      "function is_even(integer)",
      "table people",
    ]);
    expect(needs("table", "audit.entries")).toEqual(["schema audit"]);
    expect(needs("table", "visits_2024")).toEqual(["table visits"]);
    expect(needs("table", "children")).toEqual(["table people"]);
    expect(needs("sequence", "people_old_seq")).toEqual([]);
    expect(needs("operator class", "mood_ops using hash")).toEqual([
      "enum mood",
      "function mood_hash(mood)",
      "operator ====(mood, mood)",
    ]);
    expect(needs("event trigger", "guard")).toEqual(["function on_ddl()"]);
    expect(needs("foreign table", "afar")).toEqual(["foreign server far"]);
    expect(column(catalog, "people", "evens").dependsOn).toEqual(["domain even"]);
    expect(column(catalog, "people", "contact").dependsOn).toEqual(["extension citext"]);
    expect(column(catalog, "people", "old").dependsOn).toEqual(["sequence people_old_seq"]);
    expect(column(catalog, "people", "doubled").dependsOn).toEqual(["column people.score"]);
    expect(column(catalog, "people", "name").dependsOn).toEqual(["collation odd"]);
    expect(column(catalog, "visits", "at").dependsOn).toEqual([]);
  });

  it("gives every object what it needs from the catalog itself, and nothing of its own", async () => {
    const catalog = await readCatalog(await scratch.with(EVERYTHING), "app", { schemas: "all" });
    const known = new Set(
      catalog.objects.flatMap((object) =>
        object.kind === "table" ? [object.id, ...object.columns.map(({ id }) => id)] : [object.id],
      ),
    );
    for (const object of catalog.objects) {
      expect(object.dependsOn.filter((id) => !known.has(id) || id === object.id)).toEqual([]);
    }
  });

  it("reads home alone unless it is told of others", async () => {
    const connection = await scratch.with(EVERYTHING);
    const home = await readCatalog(connection, "app");
    expect(new Set(home.objects.map(({ schema }) => schema))).toEqual(new Set([undefined]));
    expect(idsOf(home, "schema")).toEqual([]);
    const both = await readCatalog(connection, "app", { schemas: ["audit"] });
    expect(idsOf(both, "table")).toContain("table audit.entries");
    const other = await readCatalog(connection, "audit");
    expect(idsOf(other, "table")).toEqual(["table entries"]);
    expect(find(other, "constraint", "entries.entries_person_fkey")).toMatchObject({
      definition: "FOREIGN KEY (person) REFERENCES app.people(id) ON DELETE CASCADE",
      references: "table app.people",
    });
  });

  it("finds nothing in a schema that is not there", async () => {
    const connection = await scratch.empty();
    expect((await readCatalog(connection, "nowhere")).objects).toEqual([]);
  });

  it("does not mind names that SQL has to quote", async () => {
    const names = ['Odd "Name"', "select", "with space", "Ümläut", "semi;colon", "dot.ted", "it's", "user"];
    const quoted = names.map((name) => `"${name.replaceAll('"', '""')}"`);
    const sql = quoted
      .map(
        (
          name,
        ) => `create table ${name} (${quoted.map((one) => `${one} int`).join(", ")}, primary key (${name}));
          create index ${name.slice(0, -1)}_i" on ${name} (${quoted[0]}, (${name} + 1));
          alter table ${name} add constraint ${name} check (${name} > 0);
          create view ${name.slice(0, -1)}_v" as select ${name} from ${name};
          create function ${name}(${name} int) returns int language sql as 'select 1';
          create policy ${name} on ${name} using (${name} > 0);
          create type ${name.slice(0, -1)}_t" as enum (${quoted.map((one) => `'${one.replaceAll("'", "''")}'`).join(", ")});
          comment on column ${name}.${name} is 'x'`,
      )
      .join(";\n");
    const [one, other] = [await scratch.with(sql, 'Home "quoted"'), await scratch.with(sql, "plain")];
    const catalog = await readCatalog(one, 'Home "quoted"');
    expect(catalog.objects.filter(({ kind }) => kind === "table").map(({ name }) => name)).toEqual(
      expect.arrayContaining(names),
    );
    expect(find(catalog, "constraint", '"dot.ted"."dot.ted"').columns).toEqual(["dot.ted"]);
    expect(find(catalog, "index", '"it\'s_i"').columns).toEqual(['Odd "Name"', undefined]);
    expect(compareCatalogs(catalog, await readCatalog(other, "plain"))).toEqual([]);
  });

  it("reads the same whatever the session is set to", async () => {
    const connection = await scratch.with(EVERYTHING);
    const before = await readCatalog(connection, "app", { schemas: "all" });
    await connection.script(`set search_path to public; set timezone to 'Asia/Tokyo'; set datestyle to 'German';
      set quote_all_identifiers to on; set intervalstyle to 'iso_8601'; set extra_float_digits to 0`);
    expect(await readCatalog(connection, "app", { schemas: "all" })).toEqual(before);
    expect(await settingsOf(connection)).toEqual(["public", "Asia/Tokyo", "on"]);
  });

  it("is not misled by temporary tables", async () => {
    const connection = await scratch.with(EVERYTHING);
    const before = await readCatalog(connection, "app");
    await connection.script("create temp table pg_class (oid int); create temp table people (id int)");
    expect(await readCatalog(connection, "app")).toEqual(before);
  });

  it("reads inside an open transaction, what that has changed too, and leaves it open as it was", async () => {
    const connection = await scratch.with("create table t (id int)");
    await connection.script("begin; set local timezone to 'Asia/Tokyo'; create table u (id int)");
    expect(idsOf(await readCatalog(connection, "app"), "table")).toEqual(["table t", "table u"]);
    expect(connection.transactionStatus).toBe("open");
    expect(await settingsOf(connection)).toEqual(["app", "Asia/Tokyo", "off"]);
    await connection.script("insert into u values (1); rollback");
    expect(idsOf(await readCatalog(connection, "app"), "table")).toEqual(["table t"]);
  });

  it.each([
    ["outside a transaction", "", "idle"],
    ["inside one", "begin", "open"],
  ])("leaves the session usable when it fails, %s", async (_where, begin, status) => {
    const connection = await scratch.with("create table t (id int); create view v as select id from t");
    const other = await scratch.again(connection);
    await other.script("begin; lock table app.t");
    await connection.script(`set lock_timeout to '20ms'; ${begin}`);
    await expect(readCatalog(connection, "app")).rejects.toMatchObject({ code: "LOCK_TIMEOUT" });
    expect(connection.transactionStatus).toBe(status);
    expect(await settingsOf(connection)).toEqual(["app", expect.any(String), "off"]);
    await other.script("rollback");
    expect(idsOf(await readCatalog(connection, "app"), "view")).toEqual(["view v"]);
  });

  it("says why when the caller's transaction has failed already", async () => {
    const connection = await scratch.with("create table t (id int)");
    await expect(connection.script("begin; select 1 / 0")).rejects.toThrow();
    await expect(readCatalog(connection, "app")).rejects.toThrow("25P02");
    expect(connection.transactionStatus).toBe("failed");
  });

  it("sees a NOT NULL that old rows were not checked for, and NOT ENFORCED, where the server has them", async () => {
    const connection = await scratch.with("create table t (a int, b int)");
    const { serverVersion } = await readCatalog(connection, "app");
    if (serverVersion < 18) {
      expect(column(await readCatalog(connection, "app"), "t", "a")).toMatchObject({ notNull: false });
      return;
    }
    await connection.script(`alter table t add not null a not valid, add constraint c check (b > 0) not enforced,
      add g int generated always as (b + 1) virtual`);
    const catalog = await readCatalog(connection, "app");
    expect(column(catalog, "t", "a")).toMatchObject({ notNull: true, isNotNullValid: false });
    expect(column(catalog, "t", "g").generated).toEqual({ expression: "(b + 1)", mode: "virtual" });
    expect(find(catalog, "constraint", "t.c")).toMatchObject({
      definition: "CHECK ((b > 0))",
      isEnforced: false,
    });
  });
});
