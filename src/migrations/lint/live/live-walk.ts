import type { Connection } from "../../../driver/index.ts";
import { isPlinthError } from "../../../errors/index.ts";
import type { Shadow, ShadowDatabase } from "../../../shadow/index.ts";
import { quoteIdentifier } from "../../../sql/index.ts";
import { type ParsedStatement, rolesIn } from "../../parse-sql.ts";
import { pinSession } from "../../session.ts";
import { sqlstateOf } from "../../sqlstate.ts";
import { mayCommitInside } from "../../statement-kind.ts";
import { type TraceKind, traceKindOf } from "../trace-transaction.ts";
import type { StepFailure, StepPlace, Walk } from "../walk.ts";
import { type LiveView, openLiveView } from "./live-view.ts";
import { withoutConcurrently } from "./without-concurrently.ts";

const SAVEPOINT = "plinth_lint";

/**
 * The linter's own questions are large statements about little: to plan or compile them again for each answer would take
 * several times as long as to answer.
 */
const PLANNER = "set plan_cache_mode to force_generic_plan;\nset jit to off";

/** Tables are empty here: what takes longer waits, or never ends. */
const STATEMENT_TIMEOUT_MS = 60_000;
const LOCK_TIMEOUT_MS = 10_000;

/** Walks on a new database of the shadow server, which `close` drops. */
export async function openLiveWalk(shadow: Shadow, home: string, serverVersion: number): Promise<Walk> {
  const database = await shadow.createDatabase();
  const connection = await database.connect();
  await connection.script(`create schema if not exists ${quoteIdentifier(home)}`);
  const view = await openLiveView(connection, home, serverVersion);
  return new LiveWalk(shadow, database, connection, view);
}

class LiveWalk implements Walk {
  readonly view: LiveView;
  readonly #shadow: Shadow;
  readonly #database: ShadowDatabase;
  #connection: Connection;
  #direction: "up" | "down" = "up";

  constructor(shadow: Shadow, database: ShadowDatabase, connection: Connection, view: LiveView) {
    this.#shadow = shadow;
    this.#database = database;
    this.#connection = connection;
    this.view = view;
  }

  async begin(direction: "up" | "down"): Promise<void> {
    this.#direction = direction;
    await this.#pin();
    await this.view.beginFile();
    if (direction === "down") await this.#connection.script("begin");
  }

  async #pin(): Promise<void> {
    const pins = { lockTimeoutMs: LOCK_TIMEOUT_MS, statementTimeoutMs: STATEMENT_TIMEOUT_MS };
    const schemaName = this.view.home;
    await this.#connection.script(
      `${pinSession({ ...pins, schemaName, noticesDeadClient: false })};\n${PLANNER}`,
    );
  }

  async end(): Promise<void> {
    if (this.#connection.transactionStatus !== "idle") await this.#connection.script("rollback");
    this.view.forget();
  }

  async step(statement: ParsedStatement, place: StepPlace): Promise<StepFailure | undefined> {
    const kind = traceKindOf(statement.tree);
    const roles = rolesNamed(statement);
    if (roles.length > 0) await this.#shadow.ensureRoles(roles);
    if (changesCatalog(statement)) this.view.forget();
    if (kind === "boundary" || kind === "server" || kind === "refused") return undefined;
    try {
      await this.#run(statement, kind, place);
      return undefined;
    } catch (error) {
      return this.#recover(error);
    }
  }

  async #run({ tree, text }: ParsedStatement, kind: TraceKind, place: StepPlace): Promise<void> {
    const connection = this.#connection;
    if (this.#direction === "down") {
      const inside = kind === "outside" ? withoutConcurrently(tree, text) : text;
      if (inside !== undefined) await connection.script(guarded(inside));
      return;
    }
    if (kind === "outside" || mayCommitInside(tree)) {
      if (connection.transactionStatus !== "idle") await connection.script("commit");
      await connection.script(text);
      return;
    }
    const isOpen = connection.transactionStatus === "open";
    await connection.script(`${isOpen ? "" : "begin;\n"}${kind === "setup" ? text : guarded(text)}`);
    if (place.isLast) await connection.script("commit");
  }

  /** What the server refuses leaves the statements before it as they are. */
  async #recover(error: unknown): Promise<StepFailure> {
    if (!isPlinthError(error)) throw error;
    if (!this.#connection.isOpen) await this.#reconnect();
    else if (this.#connection.transactionStatus === "failed") {
      // Without a savepoint of ours the transaction itself is lost: a commit failed, or a statement that sets it up.
      await this.#connection
        .script(`rollback to ${SAVEPOINT};\nrelease ${SAVEPOINT}`)
        .catch(() => this.#connection.script(this.#direction === "down" ? "rollback;\nbegin" : "rollback"));
    }
    this.view.forget();
    return { sqlstate: sqlstateOf(error), message: error.summary };
  }

  /** A statement may end its own session. */
  async #reconnect(): Promise<void> {
    this.#connection = await this.#database.connect();
    this.view.attach(this.#connection);
    await this.#pin();
    if (this.#direction === "down") await this.#connection.script("begin");
  }

  async close(): Promise<void> {
    if (this.#connection.isOpen) await this.#connection.close();
    await this.#database.drop();
  }
}

function guarded(text: string): string {
  // The line end keeps a comment at the end of the text from reaching further.
  return `savepoint ${SAVEPOINT};\n${text}\n;\nrelease ${SAVEPOINT}`;
}

/** Roles that a statement names, or makes: on Plinth's own server they are there before. */
function rolesNamed({ tree }: ParsedStatement): readonly string[] {
  const made =
    "CreateRoleStmt" in tree && tree.CreateRoleStmt.role !== undefined ? [tree.CreateRoleStmt.role] : [];
  return [...made, ...rolesIn(tree)];
}

const READS = [
  "SelectStmt",
  "InsertStmt",
  "UpdateStmt",
  "DeleteStmt",
  "MergeStmt",
  "CommentStmt",
  "VariableShowStmt",
];

/** Queries may call functions that change tables, which is rare enough to look for by name only. */
function changesCatalog({ tree, text }: ParsedStatement): boolean {
  const [kind = ""] = Object.keys(tree);
  if (!READS.includes(kind)) return true;
  return "SelectStmt" in tree && (tree.SelectStmt.intoClause !== undefined || /\(/.test(text));
}
