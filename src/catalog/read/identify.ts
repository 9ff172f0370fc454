import type { Answers } from "./answers.ts";
import type { Dependency } from "./dependencies.ts";
import { OTHERS } from "./other-kinds.ts";
import type { Row } from "./row.ts";

/** A schema, as ids speak of it. */
export interface Space {
  /** `undefined` for home. */
  readonly schema: string | undefined;
  /** What stands before a name: nothing for home, else `audit.`. */
  readonly prefix: string;
}

/**
 * Which id an object has that the server knows by table and oid. Several oids lead to one id: a table and its row
 * type, a domain and its checks, an identity column and its sequence, an extension and all that is in it.
 */
export interface Identities {
  /** By oid. */
  readonly spaces: ReadonlyMap<string, Space>;
  find(catalogTable: string, oid: string): string | undefined;
  findColumn(relation: string, number: string): string | undefined;
  /** The column's own name, unquoted. */
  columnName(relation: string, number: string): string | undefined;
}

const RELATION_KINDS: Readonly<Record<string, string>> = {
  r: "table",
  p: "table",
  v: "view",
  m: "materialized view",
  S: "sequence",
  c: "composite type",
  f: "foreign table",
};
const TYPE_KINDS: Readonly<Record<string, string>> = { e: "enum", d: "domain", r: "range type" };
const ROUTINE_KINDS: Readonly<Record<string, string>> = { p: "procedure", a: "aggregate" };

/** Gives everything its id, before anything is put together. */
export function identify(answers: Answers, dependencies: readonly Dependency[], home: string): Identities {
  const names = new Names(answers, home);
  names.addRelations();
  names.addParts();
  names.addOthers();
  names.addInternals(dependencies);
  return names;
}

class Names implements Identities {
  readonly spaces: ReadonlyMap<string, Space>;
  readonly #answers: Answers;
  readonly #ids = new TwoKeys();
  readonly #columns = new TwoKeys();
  readonly #columnNames = new TwoKeys();
  readonly #paths = new Map<string, string>();
  readonly #spaceOf = new Map<string, Space>();

  constructor(answers: Answers, home: string) {
    this.#answers = answers;
    this.spaces = new Map(
      answers.rows("spaces").map((row) => {
        const isHome = row.text("name") === home;
        const space: Space = isHome
          ? { schema: undefined, prefix: "" }
          : { schema: row.text("name"), prefix: `${row.text("quoted")}.` };
        // Every database has it.
        if (!isHome && row.text("name") !== "public") {
          this.#add("pg_namespace", row.text("oid"), `schema ${row.text("quoted")}`);
        }
        return [row.text("oid"), space];
      }),
    );
  }

  find(catalogTable: string, oid: string): string | undefined {
    return this.#ids.get(catalogTable, oid);
  }

  findColumn(relation: string, number: string): string | undefined {
    return this.#columns.get(relation, number);
  }

  columnName(relation: string, number: string): string | undefined {
    return this.#columnNames.get(relation, number);
  }

  addRelations(): void {
    for (const row of this.#answers.rows("relations")) {
      const space = this.spaces.get(row.text("space"));
      if (space === undefined) continue;
      const path = `${space.prefix}${row.text("quoted")}`;
      this.#paths.set(row.text("oid"), path);
      this.#spaceOf.set(row.text("oid"), space);
      const id = `${RELATION_KINDS[row.text("kind")]} ${path}`;
      this.#add("pg_class", row.text("oid"), id);
      // Of a composite type the server says that the relation belongs to the type; of a table it is the other way.
      if (row.text("kind") === "c") this.#add("pg_type", row.text("type"), id);
    }
    for (const row of this.#answers.rows("attributes")) {
      const relation = row.text("relation");
      const path = this.#paths.get(relation);
      if (path === undefined) continue;
      this.#columnNames.set(relation, row.text("number"), row.text("name"));
      if (this.find("pg_class", relation)?.startsWith("table ") !== true) continue;
      const id = `column ${path}.${row.text("quoted")}`;
      this.#columns.set(relation, row.text("number"), id);
      const defaultOid = row.optional("default_oid");
      if (defaultOid !== undefined) this.#add("pg_attrdef", defaultOid, id);
    }
    for (const row of this.#answers.rows("sequences")) {
      const owner = this.findColumn(row.text("owner"), row.text("owner_column"));
      if (row.text("tie") === "i" && owner !== undefined) this.#add("pg_class", row.text("oid"), owner);
    }
  }

  addParts(): void {
    for (const row of this.#answers.rows("types")) {
      this.#addInSpace("pg_type", row, TYPE_KINDS[row.text("kind")] ?? "");
    }
    for (const row of this.#answers.rows("constraints")) {
      const relation = row.text("relation");
      const path = this.#paths.get(relation);
      const id =
        row.text("type") === "n"
          ? this.findColumn(relation, row.list("columns")[0] ?? "")
          : path === undefined
            ? this.find("pg_type", row.text("domain"))
            : `constraint ${path}.${row.text("quoted")}`;
      if (id !== undefined) this.#add("pg_constraint", row.text("oid"), id);
    }
    for (const row of this.#answers.rows("indexes")) {
      const owner = row.optional("owner");
      const space = this.#spaceOf.get(row.text("relation"));
      if (space === undefined) continue;
      const id =
        owner === undefined
          ? `index ${space.prefix}${row.text("quoted")}`
          : this.find("pg_constraint", owner);
      if (id !== undefined) this.#add("pg_class", row.text("oid"), id);
    }
    const parts = [
      ["pg_trigger", "triggers", "trigger"],
      ["pg_policy", "policies", "policy"],
      ["pg_rewrite", "rules", "rule"],
    ] as const;
    for (const [catalogTable, question, kind] of parts) {
      for (const row of this.#answers.rows(question)) {
        const path = this.#paths.get(row.text("relation"));
        if (path !== undefined)
          this.#add(catalogTable, row.text("oid"), `${kind} ${path}.${row.text("quoted")}`);
      }
    }
  }

  addOthers(): void {
    for (const row of this.#answers.rows("statistics"))
      this.#addInSpace("pg_statistic_ext", row, "statistics");
    for (const row of this.#answers.rows("routines")) {
      const kind = ROUTINE_KINDS[row.text("kind")] ?? "function";
      this.#addInSpace("pg_proc", row, kind, `(${row.text("signature")})`);
    }
    for (const [question, kind] of OTHERS) {
      for (const row of this.#answers.rows(question)) {
        const prefix = this.spaces.get(row.text("space"))?.prefix ?? "";
        const id = `${kind} ${prefix}${row.text("quoted")}${row.text("suffix")}`;
        this.#add(row.text("class"), row.text("oid"), id);
      }
    }
    for (const row of this.#answers.rows("extensions")) {
      this.#add("pg_extension", row.text("oid"), `extension ${row.text("quoted")}`);
    }
  }

  /** What the server made along with something, or an extension brought. Chains are three long: array, row, table. */
  addInternals(dependencies: readonly Dependency[]): void {
    const internal = dependencies.filter(
      ({ table, neededTable, tie }) =>
        tie === "i" || tie === "e" || (table === "pg_publication_rel" && neededTable === "pg_publication"),
    );
    for (let pass = 0; pass < 3; pass++) {
      for (const { table, oid, neededTable, needed } of internal) {
        const id = this.find(neededTable, needed);
        if (id !== undefined && this.find(table, oid) === undefined) this.#add(table, oid, id);
      }
    }
  }

  #addInSpace(catalogTable: string, row: Row, kind: string, suffix = ""): void {
    const space = this.spaces.get(row.text("space"));
    if (space === undefined) return;
    this.#add(catalogTable, row.text("oid"), `${kind} ${space.prefix}${row.text("quoted")}${suffix}`);
  }

  #add(catalogTable: string, oid: string, id: string): void {
    this.#ids.set(catalogTable, oid, id);
  }
}

/** Found by two texts without joining them first: there are thousands of look-ups. */
class TwoKeys {
  readonly #values = new Map<string, Map<string, string>>();

  get(first: string, second: string): string | undefined {
    return this.#values.get(first)?.get(second);
  }

  set(first: string, second: string, value: string): void {
    const known = this.#values.get(first);
    if (known === undefined) this.#values.set(first, new Map([[second, value]]));
    else known.set(second, value);
  }
}
