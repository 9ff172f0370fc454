import type { Constraint, CreateStmt, IndexStmt } from "libpg-query";
import { columnConstraints } from "../effects/add-column.ts";
import { nameOfNode, qualified, relationName, sqlName, stringsIn } from "../names.ts";
import { insertBehind } from "../statement-text.ts";
import { madeName } from "./backfill.ts";
import { outside, references, steps } from "./recipe.ts";
import { type Draft, listed, type Subject, worksOn } from "./subject.ts";

/** Rules about locks of statements other than `alter table`. */
export async function statementLocks(subject: Subject): Promise<readonly Draft[]> {
  const { tree } = subject;
  if ("IndexStmt" in tree) return createdIndex(subject, tree.IndexStmt);
  if ("DropStmt" in tree && tree.DropStmt.removeType === "OBJECT_INDEX") return droppedIndex(subject);
  if ("ReindexStmt" in tree) return reindexed(subject);
  if ("CreateStmt" in tree) return createdTable(subject);
  if ("RefreshMatViewStmt" in tree) return refreshed(subject);
  if ("ClusterStmt" in tree || "VacuumStmt" in tree) return rewritten(subject);
  if ("AlterDomainStmt" in tree) return domainRule(subject);
  if ("LockStmt" in tree) return lockedByHand(subject);
  return [];
}

async function createdIndex(subject: Subject, statement: IndexStmt): Promise<readonly Draft[]> {
  const relation = await subject.view.find(relationName(statement.relation));
  if (relation === undefined || statement.concurrent === true || subject.effects.scans.length === 0)
    return [];
  const name = statement.idxname ?? madeName(relation.name, "idx");
  const why = `inserts, updates and deletes on ${relation.label} wait until the index is built; reads go on`;
  if (relation.kind === "partitioned") {
    const parts = `-- a partitioned table cannot build concurrently, its parts can:
${insertBehind(subject.text, /\bon\s+/i, "only ")};
-- for each part:
${outside(subject.tool, `create index concurrently part_idx on part …`)}
alter index ${sqlName(name)} attach partition part_idx;`;
    return [{ rule: "lock/index", why, fix: parts }];
  }
  const named =
    statement.idxname === undefined
      ? insertBehind(
          subject.text,
          /^\s*create\s+(?:unique\s+)?index/i,
          ` ${sqlName(madeName(relation.name, ...indexColumns(statement), "idx"))}`,
        )
      : subject.text;
  const text = insertBehind(named, /^\s*create\s+(?:unique\s+)?index/i, " concurrently");
  return [{ rule: "lock/index", why, fix: outside(subject.tool, text) }];
}

function indexColumns(statement: IndexStmt): readonly string[] {
  return (statement.indexParams ?? []).flatMap((node) =>
    "IndexElem" in node && node.IndexElem.name !== undefined ? [node.IndexElem.name] : [],
  );
}

async function droppedIndex(subject: Subject): Promise<readonly Draft[]> {
  const { tree, view } = subject;
  if (!("DropStmt" in tree) || tree.DropStmt.concurrent === true) return [];
  const drafts: Draft[] = [];
  for (const object of tree.DropStmt.objects ?? []) {
    const index = await view.find(nameOfNode(object));
    const table = await view.get(index?.tableId ?? "");
    if (index === undefined || table === undefined || !index.isOld) continue;
    drafts.push({
      rule: "lock/drop-index",
      why: `it is instant, but needs ${table.label} for itself: it waits for everybody who reads it, and everybody else waits behind`,
      fix:
        index.kind === "partitioned-index"
          ? `-- an index of a partitioned table cannot be dropped concurrently. In a quiet hour, allow it:
-- plinth:allow lock/drop-index: …
${subject.text};`
          : outside(subject.tool, `drop index concurrently ${index.label}`),
    });
  }
  return drafts;
}

function reindexed(subject: Subject): readonly Draft[] {
  const { effects, isBlocking, text } = subject;
  if (!isBlocking || effects.rewrites.length === 0) return [];
  return [
    {
      rule: "lock/reindex",
      why: `writers of ${listed(effects.scans)} wait, and readers that use ${listed(effects.rewrites)}, until it is built again`,
      fix: outside(
        subject.tool,
        insertBehind(
          text,
          /^\s*reindex\s*(?:\([^)]*\)\s*)?(?:index|table|schema|database|system)/i,
          " concurrently",
        ),
      ),
    },
  ];
}

async function createdTable(subject: Subject): Promise<readonly Draft[]> {
  const { tree, view, effects } = subject;
  if (!("CreateStmt" in tree)) return [];
  const own = relationName(tree.CreateStmt.relation);
  const drafts: Draft[] = [];
  for (const { constraint, names, behind } of foreignKeysIn(tree.CreateStmt)) {
    const target = await view.find(relationName(constraint.pktable));
    if (
      target === undefined ||
      !target.isOld ||
      !effects.locks.some(({ relation }) => relation === target.label)
    )
      continue;
    const columns = names.map(sqlName).join(", ");
    const name =
      constraint.conname === undefined ? madeName(own.name, ...names, "fkey") : sqlName(constraint.conname);
    const key = `foreign key (${columns}) ${references(constraint, behind)}`;
    drafts.push({
      rule: "lock/create-foreign-key",
      why: `it is instant, but writers of ${target.label} wait for it, and it waits for them`,
      fix: `-- the table first, and each foreign key alone, so that the wait is short and nothing else is held:
alter table ${qualified(own)} add constraint ${name} ${key} not valid;
alter table ${qualified(own)} validate constraint ${name};`,
    });
  }
  return [...drafts, ...(await createdPart(subject))];
}

interface NewForeignKey {
  readonly constraint: Constraint;
  readonly names: readonly string[];
  /** Everything written behind the same column. */
  readonly behind: readonly Constraint[];
}

/** Foreign keys of a new table with their columns. */
function foreignKeysIn({ tableElts, constraints }: CreateStmt): readonly NewForeignKey[] {
  const found = [...(tableElts ?? []), ...(constraints ?? [])].flatMap(
    (element): readonly NewForeignKey[] => {
      if ("Constraint" in element) {
        const { Constraint: constraint } = element;
        return [{ constraint, names: stringsIn(constraint.fk_attrs), behind: [] }];
      }
      if (!("ColumnDef" in element)) return [];
      const behind = columnConstraints(element.ColumnDef);
      return behind.map((constraint) => ({ constraint, names: [element.ColumnDef.colname ?? ""], behind }));
    },
  );
  return found.filter(({ constraint }) => constraint.contype === "CONSTR_FOREIGN");
}

async function createdPart({ tree, view, text, effects, tool }: Subject): Promise<readonly Draft[]> {
  if (!("CreateStmt" in tree) || tree.CreateStmt.partbound === undefined) return [];
  const [range] = tree.CreateStmt.inhRelations ?? [];
  const parent =
    range !== undefined && "RangeVar" in range ? await view.find(relationName(range.RangeVar)) : undefined;
  if (parent === undefined || !parent.isOld || effects.locks.length === 0) return [];
  const name = qualified(relationName(tree.CreateStmt.relation));
  const bound = /\b(?:for\s+values\b.*|default\s*)$/is.exec(text)?.[0] ?? "…";
  const isScan = effects.scans.length > 0;
  const recipe = [
    `create table ${name} (like ${parent.label} including all)`,
    ...(isScan
      ? [
          `alter table ${listed(effects.scans)} add constraint ${madeName(parent.name, "rest", "bound")} check (…) not valid`,
          `alter table ${listed(effects.scans)} validate constraint ${madeName(parent.name, "rest", "bound")}`,
        ]
      : []),
    `alter table ${parent.label} attach partition ${name} ${bound}`,
  ];
  return [
    {
      rule: isScan ? "lock/partition-scan" : "lock/partition",
      why: isScan
        ? `nobody can read or write ${parent.label} while ${listed(effects.scans)} is read to see that none of its rows belongs to ${name}`
        : `it is instant, but needs the whole of ${parent.label} for itself: it waits for every query on it, and every other waits behind`,
      fix: `-- a table of its own, attached afterwards, leaves readers and writers alone:\n${steps(tool, recipe)}`,
    },
  ];
}

async function refreshed(subject: Subject): Promise<readonly Draft[]> {
  const { tree, view, text, effects } = subject;
  if (!("RefreshMatViewStmt" in tree)) return [];
  const relation = await view.find(relationName(tree.RefreshMatViewStmt.relation));
  if (relation === undefined || !worksOn({ effects }, relation)) return [];
  if (tree.RefreshMatViewStmt.concurrent === true) {
    return [
      {
        rule: "lock/refresh-concurrently",
        why: `readers of ${relation.label} go on; only another refresh has to wait`,
        fix: "-- nothing to do: nobody writes to a materialized view, so this is no gate",
      },
    ];
  }
  const unique = relation.indexes.some(
    ({ isUnique, predicate, hasExpressions }) => isUnique && predicate === undefined && !hasExpressions,
  );
  const concurrent = `${insertBehind(text, /\bview/i, " concurrently")};`;
  return [
    {
      rule: "lock/refresh",
      why: `nobody can read ${relation.label} until its query is done`,
      fix: unique
        ? concurrent
        : `-- it needs a unique index on columns:\ncreate unique index … on ${relation.label} (…);\n${concurrent}`,
    },
  ];
}

function rewritten({ tree, effects }: Subject): readonly Draft[] {
  if (effects.rewrites.length === 0) return [];
  const isCluster = "ClusterStmt" in tree;
  const tables = listed(effects.scans);
  return [
    {
      rule: isCluster ? "lock/cluster" : "lock/vacuum-full",
      why: `nobody can read or write ${tables} while all of it is written anew`,
      fix: `-- pg_repack does the same while others go on (https://reorg.github.io/pg_repack/). A plain vacuum frees space for new rows:
${effects.scans.map((table) => `vacuum (analyze) ${table};`).join("\n")}`,
    },
  ];
}

function domainRule({ tree, effects, tool, text }: Subject): readonly Draft[] {
  if (!("AlterDomainStmt" in tree) || effects.scans.length === 0) return [];
  const { subtype, typeName } = tree.AlterDomainStmt;
  const domain = stringsIn(typeName).map(sqlName).join(".");
  const why = `writers of ${listed(effects.scans)} wait while every row is checked`;
  if (subtype === "V") {
    return [
      {
        rule: "lock/domain-constraint",
        why,
        fix: `-- there is no weaker lock for a domain. In a quiet hour, allow it:\n-- plinth:allow lock/domain-constraint: …`,
      },
    ];
  }
  const rule = madeName(stringsIn(typeName).at(-1) ?? "", "not_null");
  const added =
    subtype === "O"
      ? `alter domain ${domain} add constraint ${rule} check (value is not null) not valid`
      : `${text} not valid`;
  return [
    {
      rule: "lock/domain-constraint",
      why,
      fix: `-- new values are checked from then on; rows that are there by a check of each table, which can be validated without a lock:
${steps(tool, [added])}`,
    },
  ];
}

function lockedByHand({ effects, text }: Subject): readonly Draft[] {
  const strong = effects.locks.filter(
    ({ mode }) => !/^(?:AccessShare|RowShare|RowExclusive|ShareUpdateExclusive)Lock$/.test(mode),
  );
  if (strong.length === 0) return [];
  return [
    {
      rule: "lock/table",
      why: `others wait for ${listed(strong.map(({ relation }) => relation))} from here to the end of the transaction`,
      fix: `-- leave it out: each statement takes the lock it needs\n-- ${text.replace(/\s+/g, " ")}`,
    },
  ];
}
