import { isGeneratedConstraintName, isGeneratedIndexName } from "../generated-names.ts";
import type {
  ConstraintObject,
  IndexObject,
  PolicyObject,
  RuleObject,
  StatisticsObject,
  TriggerObject,
} from "../model.ts";
import type { Ground } from "./ground.ts";
import type { Space } from "./identify.ts";
import type { Row } from "./row.ts";

type Part = ConstraintObject | IndexObject | TriggerObject | PolicyObject | RuleObject | StatisticsObject;

/** Everything that hangs on a table or view. */
export function partObjects(ground: Ground): readonly Part[] {
  const relations = new Map(
    ground.answers.rows("relations").map((row) => [
      row.text("oid"),
      {
        name: row.text("name"),
        space: ground.identities.spaces.get(row.text("space")),
        id: ground.identities.find("pg_class", row.text("oid")) ?? "",
      },
    ]),
  );
  const builders = [
    ["constraints", constraintOf],
    ["indexes", indexOf],
    ["triggers", triggerOf],
    ["policies", policyOf],
    ["rules", ruleOf],
    ["statistics", statisticsOf],
  ] as const;
  return builders.flatMap(([question, build]) =>
    ground.answers.rows(question).flatMap((row): readonly Part[] => {
      const relation = relations.get(row.text("relation"));
      return relation === undefined ? [] : build(ground, row, relation);
    }),
  );
}

/** The table or view of a part. */
interface Holder {
  readonly name: string;
  readonly space: Space | undefined;
  readonly id: string;
}

const CONSTRAINT_TYPES: Readonly<Record<string, ConstraintObject["type"]>> = {
  p: "primary key",
  u: "unique",
  f: "foreign key",
  c: "check",
  x: "exclusion",
};

function constraintOf(ground: Ground, row: Row, table: Holder): readonly ConstraintObject[] {
  const type = CONSTRAINT_TYPES[row.text("type")];
  const base = ground.base("pg_constraint", row, table.space);
  if (type === undefined || base === undefined) return [];
  const relation = row.text("relation");
  const named = row.list("columns").map((number) => ground.identities.columnName(relation, number));
  const columns = named.filter((name) => name !== undefined);
  const referencedName = row.optional("referenced_name");
  const references =
    ground.identities.find("pg_class", row.text("referenced")) ??
    (referencedName === undefined ? undefined : `table ${referencedName}`);
  const definition = row.text("definition");
  return [
    {
      kind: "constraint",
      ...base,
      table: table.id,
      type,
      definition: definition.replace(/ NOT (?:VALID|ENFORCED)$/, ""),
      isValid: row.flag("is_valid"),
      isEnforced: !definition.endsWith(" NOT ENFORCED"),
      isSuspended: row.flag("is_suspended"),
      columns,
      references,
      isInherited: row.flag("is_inherited"),
      isNameGenerated: isGeneratedConstraintName(row.text("name"), {
        type,
        table: table.name,
        columns: named,
        definition,
      }),
    },
  ];
}

/** But those that belong to a constraint. */
function indexOf(ground: Ground, row: Row, table: Holder): readonly IndexObject[] {
  const base = ground.base("pg_class", row, table.space);
  if (base === undefined || row.optional("owner") !== undefined) return [];
  const relation = row.text("relation");
  const named = row.list("columns").map((number) => ground.identities.columnName(relation, number));
  const parent = ground.parentOf(row.text("oid"));
  return [
    {
      kind: "index",
      ...base,
      table: table.id,
      isUnique: row.flag("is_unique"),
      isValid: row.flag("is_valid"),
      method: row.text("method"),
      definition: row.text("definition"),
      columns: named.slice(0, Number(row.text("key_columns"))),
      attachedTo: parent === undefined ? undefined : ground.identities.find("pg_class", parent),
      isNameGenerated: isGeneratedIndexName(row.text("name"), table.name, named),
    },
  ];
}

const ENABLED: Readonly<Record<string, TriggerObject["enabled"]>> = {
  O: "origin",
  D: "disabled",
  R: "replica",
  A: "always",
};

function triggerOf(ground: Ground, row: Row, table: Holder): readonly TriggerObject[] {
  const base = ground.base("pg_trigger", row, table.space);
  if (base === undefined) return [];
  return [
    {
      kind: "trigger",
      ...base,
      table: table.id,
      definition: row.text("definition"),
      enabled: ENABLED[row.text("enabled")] ?? "origin",
      isInherited: row.flag("is_inherited"),
    },
  ];
}

const COMMANDS: Readonly<Record<string, PolicyObject["command"]>> = {
  "*": "all",
  r: "select",
  a: "insert",
  w: "update",
  d: "delete",
};

function policyOf(ground: Ground, row: Row, table: Holder): readonly PolicyObject[] {
  const base = ground.base("pg_policy", row, table.space);
  if (base === undefined) return [];
  return [
    {
      kind: "policy",
      ...base,
      table: table.id,
      command: COMMANDS[row.text("command")] ?? "all",
      isPermissive: row.flag("is_permissive"),
      roles: [...row.list("roles")].sort(),
      using: row.optional("using"),
      check: row.optional("check"),
    },
  ];
}

function ruleOf(ground: Ground, row: Row, table: Holder): readonly RuleObject[] {
  const base = ground.base("pg_rewrite", row, table.space);
  if (base === undefined) return [];
  return [{ kind: "rule", ...base, table: table.id, definition: row.text("definition").replace(/;$/, "") }];
}

/** Its definition names it with its schema, whatever `search_path` is. */
function statisticsOf(ground: Ground, row: Row, table: Holder): readonly StatisticsObject[] {
  const space = ground.identities.spaces.get(row.text("space"));
  const base = ground.base("pg_statistic_ext", row, space);
  if (base === undefined) return [];
  const name = `${space?.prefix ?? ""}${row.text("quoted")}`;
  const definition = `CREATE STATISTICS ${name}${row.text("definition").slice(row.text("head").length)}`;
  return [{ kind: "statistics", ...base, table: table.id, definition }];
}
