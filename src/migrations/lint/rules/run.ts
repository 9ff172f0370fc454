import type { Node } from "libpg-query";
import { classifyStatement, settingOf } from "../../statement-kind.ts";
import { nodesIn } from "../effects/expressions.ts";
import { nameIn, nameOfNode, sqlName } from "../names.ts";
import { cutOut, oneLine } from "../statement-text.ts";
import { outside } from "./recipe.ts";
import type { Draft, Subject } from "./subject.ts";

/** What makes a statement fail, or not run a second time. */
export function runRules(subject: Subject): readonly Draft[] {
  return [
    ...refused(subject),
    ...concurrentlyInside(subject),
    ...acceptsInvalidIndex(subject),
    ...usesNewValue(subject),
    ...notRepeatable(subject),
    ...serverWide(subject),
    ...searchPath(subject),
    ...tooNew(subject),
  ];
}

/** Tools that send a file as it is: a transaction of its own in it is its own business. */
const SENDS_AS_IT_IS: ReadonlySet<string> = new Set(["plain", "golang-migrate", "prisma"]);

function refused({ tree, tool, text }: Subject): readonly Draft[] {
  if ("TransactionStmt" in tree) {
    if (SENDS_AS_IT_IS.has(tool.format)) return [];
    return [
      {
        rule: "run/transaction-control",
        why: "the tool that runs the file has opened a transaction already, so this one ends or tears the other",
        fix: `-- leave it out: ${oneLine(text)}`,
      },
    ];
  }
  const kind = classifyStatement(tree);
  if (kind.run !== "refused" || tool.format !== "plinth") return [];
  return [{ rule: "run/refused", why: kind.why, fix: `-- ${kind.fix}` }];
}

function concurrentlyInside({ tree, tool, text, isInTransaction }: Subject): readonly Draft[] {
  if (tool.splitsPhases || !isInTransaction || classifyStatement(tree).run !== "outside") return [];
  const isBlock = "DoStmt" in tree || "CallStmt" in tree;
  return [
    {
      rule: "run/concurrently-in-transaction",
      why: isBlock
        ? "it ends transactions itself, which PostgreSQL refuses inside the one that the tool opens"
        : "PostgreSQL refuses it inside a transaction (25001), and the tool opens one around the file",
      fix: outside(tool, text),
    },
  ];
}

function acceptsInvalidIndex({ tree, tool, text }: Subject): readonly Draft[] {
  if (!("IndexStmt" in tree)) return [];
  const { concurrent, if_not_exists, idxname } = tree.IndexStmt;
  if (concurrent !== true || if_not_exists !== true || idxname === undefined) return [];
  const plain = cutOut(text, /\bif\s+not\s+exists\b/i);
  return [
    {
      rule: "run/if-not-exists-index",
      why: `a build that failed leaves ${sqlName(idxname)} behind, invalid and unused, and this statement then does nothing and says it is fine`,
      fix: tool.splitsPhases
        ? `-- the runner finds a left-over and builds it again by itself:\n${plain};`
        : outside(tool, `drop index concurrently if exists ${sqlName(idxname)};\n${plain}`),
    },
  ];
}

function usesNewValue({ tree, newEnumValues, isInTransaction, tool }: Subject): readonly Draft[] {
  if (newEnumValues.size === 0 || !isInTransaction || tool.splitsPhases) return [];
  for (const node of nodesIn(tree)) {
    const text = "sval" in node && typeof node.sval === "string" ? node.sval : undefined;
    if (text === undefined || !newEnumValues.has(text) || "AlterEnumStmt" in tree) continue;
    return [
      {
        rule: "run/enum-value",
        why: `'${text}' is added in the same transaction, and PostgreSQL refuses to use it before that has ended (55P04)`,
        fix: "-- add the value in a migration of its own, and use it in the next",
      },
    ];
  }
  return [];
}

/** Plinth records each statement and goes on behind the last one; other tools begin again. */
function notRepeatable({ tree, tool, isInTransaction, text, earlier }: Subject): readonly Draft[] {
  if (tool.splitsPhases || isInTransaction || tool.format === "plain") return [];
  if ("IndexStmt" in tree && tree.IndexStmt.if_not_exists !== true) {
    const { idxname } = tree.IndexStmt;
    if (idxname === undefined || earlier.some((one) => dropsIfThere(one, idxname))) return [];
    return [
      {
        rule: "run/not-repeatable",
        why: `when the file stops behind it, the next run fails here, because ${sqlName(idxname)} exists`,
        fix: `drop index concurrently if exists ${sqlName(idxname)};\n${text};`,
      },
    ];
  }
  if ("DropStmt" in tree && tree.DropStmt.missing_ok !== true) {
    return [
      {
        rule: "run/not-repeatable",
        why: "when the file stops behind it, the next run fails here, because it is gone already",
        fix: `${text.replace(/^(\s*drop\s+\w+(?:\s+view)?(?:\s+concurrently)?)/i, "$1 if exists")};`,
      },
    ];
  }
  return [];
}

/** `drop index if exists`, so that the index can be built again. */
function dropsIfThere(tree: Node, index: string): boolean {
  if (!("DropStmt" in tree) || tree.DropStmt.missing_ok !== true) return false;
  const { removeType, objects } = tree.DropStmt;
  return removeType === "OBJECT_INDEX" && (objects ?? []).some((object) => nameOfNode(object).name === index);
}

const SERVER_WIDE = [
  "CreateRoleStmt",
  "AlterRoleStmt",
  "AlterRoleSetStmt",
  "DropRoleStmt",
  "GrantRoleStmt",
  "CreatedbStmt",
  "DropdbStmt",
  "AlterDatabaseStmt",
  "AlterDatabaseSetStmt",
  "AlterSystemStmt",
  "CreateTableSpaceStmt",
  "DropTableSpaceStmt",
] as const;

function serverWide({ tree, text }: Subject): readonly Draft[] {
  if (!SERVER_WIDE.some((kind) => kind in tree)) return [];
  return [
    {
      rule: "run/server-wide",
      why: "it holds for every database of the server, so the migrations of the next one, a test's or a tenant's, find it done and fail",
      fix: `-- a step of its own, run by whoever owns the server:\n-- ${oneLine(text)}`,
    },
  ];
}

function searchPath({ tree, text }: Subject): readonly Draft[] {
  const setting = settingOf(tree);
  const calls =
    "SelectStmt" in tree && /\bset_config\s*\(\s*'search_path'/i.test(text) && !/,\s*true\s*\)/i.test(text);
  if (setting !== "search_path" && !calls) return [];
  return [
    {
      rule: "run/search-path",
      why: "names behind it are looked up elsewhere, and so are those of the next file that runs in the same session",
      fix: "-- name the schema: other_schema.table_name. Or for this transaction alone:\nset local search_path to …;",
    },
  ];
}

interface Novelty {
  readonly since: number;
  readonly what: string;
}

function tooNew({ tree, view }: Subject): readonly Draft[] {
  for (const { since, what } of noveltiesIn(tree)) {
    if (since <= view.serverVersion) continue;
    return [
      {
        rule: "run/needs-version",
        why: `${what} needs PostgreSQL ${since}, and this is about ${view.serverVersion}`,
        fix: "-- say it another way, or lint with --dialect-version of the server you run",
      },
    ];
  }
  return [];
}

function* noveltiesIn(tree: Node): Generator<Novelty> {
  for (const node of nodesIn(tree)) {
    if (
      "contype" in node &&
      node.contype === "CONSTR_GENERATED" &&
      "generated_kind" in node &&
      node.generated_kind === "v"
    ) {
      yield { since: 18, what: "a virtual generated column" };
    }
    if ("contype" in node && node.contype === "CONSTR_ATTR_NOT_ENFORCED")
      yield { since: 18, what: "not enforced" };
    if ("without_overlaps" in node && node.without_overlaps === true)
      yield { since: 18, what: "without overlaps" };
    if ("subtype" in node && node.subtype === "AT_SetExpression") yield { since: 17, what: "set expression" };
    if ("matchKind" in node && node.matchKind === "MERGE_WHEN_NOT_MATCHED_BY_SOURCE") {
      yield { since: 17, what: "merge … when not matched by source" };
    }
    if ("funcname" in node && Array.isArray(node.funcname)) {
      const { name } = nameIn(node.funcname);
      if (name === "uuidv7" || name === "uuidv4") yield { since: 18, what: `${name}()` };
    }
  }
  if ("AlterTableStmt" in tree) yield* alterNovelties(tree);
}

function* alterNovelties(tree: Extract<Node, { readonly AlterTableStmt: unknown }>): Generator<Novelty> {
  for (const command of tree.AlterTableStmt.cmds ?? []) {
    if (!("AlterTableCmd" in command)) continue;
    const { subtype, def } = command.AlterTableCmd;
    const isNotNull = def !== undefined && "Constraint" in def && def.Constraint.contype === "CONSTR_NOTNULL";
    if (subtype === "AT_AddConstraint" && isNotNull)
      yield { since: 18, what: "a not null constraint with a name" };
  }
}
