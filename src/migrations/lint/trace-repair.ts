import type { Constraint, Node, RangeVar } from "libpg-query";
import type { Connection } from "../../driver/index.ts";
import { StatementError } from "../../errors/index.ts";
import { qualifiedName, quoteIdentifier } from "../../sql/index.ts";
import { linkRows, selectForeignKey, selectInvalidIndexes, selectPrimaryKey } from "./trace-queries.ts";

/**
 * Makes room for a statement that the generated rows stand in the way of: `set not null` where some are null, a key
 * where some repeat. A foreign key's rows are pointed at rows that exist, since both sides have to be there to be read;
 * any other table is emptied, and reading it shows all the same. False when the failure has nothing to do with rows.
 *
 * In production these rows would make the migration fail; here they only hide what it does to rows that fit.
 */
export async function repairRows(connection: Connection, tree: Node, failure: unknown): Promise<boolean> {
  if (!(failure instanceof StatementError) || !/^2[23]/.test(failure.sqlstate)) return false;
  const table = failure.table === undefined ? targetOf(tree) : qualifiedName(failure.schema, failure.table);
  if (table === undefined) return false;
  if (failure.sqlstate === "23503" && (await link(connection, tree, table))) return true;
  // Soft-deleted tables take no TRUNCATE without that.
  return succeeds(connection, `begin;\nset local plinth.purging = 'on';\ntruncate ${table} cascade;\ncommit`);
}

/** Drops what a concurrent build that failed has left, so that it can be tried again. */
export async function dropLeftOvers(connection: Connection, known: ReadonlySet<string>): Promise<void> {
  for (const { oid, name } of await selectInvalidIndexes(connection)) {
    if (!known.has(oid)) await succeeds(connection, `drop index ${name}`);
  }
}

/** What the statement is about, for failures that name no table: a value that cannot be cast. */
function targetOf(tree: Node): string | undefined {
  const relation = (
    "AlterTableStmt" in tree
      ? tree.AlterTableStmt
      : "IndexStmt" in tree
        ? tree.IndexStmt
        : "UpdateStmt" in tree
          ? tree.UpdateStmt
          : undefined
  )?.relation;
  return relation === undefined ? undefined : nameOf(relation);
}

function nameOf({ schemaname, relname }: RangeVar): string | undefined {
  return relname === undefined ? undefined : qualifiedName(schemaname, relname);
}

/** Columns of a foreign key and what they refer to. */
interface Reference {
  readonly columns: readonly string[];
  readonly parent: string;
  readonly parentColumns: readonly string[];
}

/** Points each row at one of the parent's, and drops those that are too many. */
async function link(connection: Connection, tree: Node, child: string): Promise<boolean> {
  for (const { columns, parent, parentColumns } of await referencesOf(connection, tree, child)) {
    const isLinked = await succeeds(connection, linkRows(child, columns, parent, parentColumns));
    if (!isLinked) return false;
  }
  return true;
}

async function referencesOf(
  connection: Connection,
  tree: Node,
  child: string,
): Promise<readonly Reference[]> {
  const references: Reference[] = [];
  for (const command of "AlterTableStmt" in tree ? (tree.AlterTableStmt.cmds ?? []) : []) {
    if (!("AlterTableCmd" in command)) continue;
    const { subtype, name, def } = command.AlterTableCmd;
    if (subtype === "AT_ValidateConstraint" && name !== undefined) {
      references.push(...(await selectForeignKey(connection, child, name)));
    } else if (def !== undefined && "Constraint" in def && def.Constraint.contype === "CONSTR_FOREIGN") {
      references.push(...(await declared(connection, def.Constraint)));
    }
  }
  return references;
}

async function declared(connection: Connection, constraint: Constraint): Promise<readonly Reference[]> {
  const parent = constraint.pktable === undefined ? undefined : nameOf(constraint.pktable);
  if (parent === undefined) return [];
  const named = namesIn(constraint.pk_attrs);
  const parentColumns = named.length > 0 ? named : await selectPrimaryKey(connection, parent);
  return [{ columns: namesIn(constraint.fk_attrs), parent, parentColumns }];
}

function namesIn(nodes: readonly Node[] | undefined): readonly string[] {
  return (nodes ?? []).flatMap((node) =>
    "String" in node && node.String.sval !== undefined ? [quoteIdentifier(node.String.sval)] : [],
  );
}

async function succeeds(connection: Connection, text: string): Promise<boolean> {
  try {
    await connection.script(text);
    return true;
  } catch (error) {
    if (!(error instanceof StatementError)) throw error;
    if (connection.transactionStatus !== "idle") await connection.script("rollback");
    return false;
  }
}
