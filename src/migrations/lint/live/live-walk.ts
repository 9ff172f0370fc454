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
import { Lookahead } from "./lookahead.ts";
import { withoutConcurrently } from "./without-concurrently.ts";

const SAVEPOINT = "plinth_lint";

/**
 * The linter's own questions are large statements about little: to plan or compile them again for each answer would take
 * several times as long as to answer. The one plan is made when the catalogs are nearly empty, and must not read them from
 * end to end when they have grown: queries of the migrations are planned without this (`explain.ts`).
 */
const PLANNER = `set plan_cache_mode to force_generic_plan;
set jit to off;
set enable_seqscan to off`;

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

type Forgotten = ReturnType<Lookahead["forgottenBy"]>;

class LiveWalk implements Walk {
  readonly view: LiveView;
  readonly #shadow: Shadow;
  readonly #database: ShadowDatabase;
  #connection: Connection;
  #direction: "up" | "down" = "up";
  readonly #ahead = new Lookahead();
  #isForeseen = false;

  constructor(shadow: Shadow, database: ShadowDatabase, connection: Connection, view: LiveView) {
    this.#shadow = shadow;
    this.#database = database;
    this.#connection = connection;
    this.view = view;
    view.expect(() => this.#ahead.expected());
  }

  async begin(direction: "up" | "down", statements: readonly ParsedStatement[] = []): Promise<void> {
    this.#direction = direction;
    this.#ahead.begin(statements);
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
    const isUndone = this.#connection.transactionStatus !== "idle";
    if (isUndone) await this.#connection.script("rollback");
    if (isUndone || this.#ahead.isDoubtful) this.view.forget();
  }

  get isForeseen(): boolean {
    return this.#isForeseen;
  }

  step(statement: ParsedStatement, place: StepPlace): Promise<StepFailure | undefined> {
    this.#ahead.pass(statement);
    const kind = traceKindOf(statement.tree);
    const isRun = kind !== "boundary" && kind !== "server" && kind !== "refused";
    const forgotten = isRun ? this.#ahead.forgottenBy(statement) : "nothing";
    // Then what stays remembered is true before, during and after, even if the statement fails. What reaches far is
    // forgotten afterwards: it costs most to read again, and need not be when the server refuses it.
    this.#isForeseen = forgotten === "nothing" || (forgotten !== "everything" && !forgotten.isFar);
    if (this.#isForeseen) this.#forget(forgotten);
    const stepping = this.#step(statement, { kind: isRun ? kind : undefined, place, forgotten });
    this.view.waitFor(stepping);
    return stepping;
  }

  async #step(
    statement: ParsedStatement,
    how: {
      /** Undefined: it is not run at all. */
      readonly kind: TraceKind | undefined;
      readonly place: StepPlace;
      readonly forgotten: Forgotten;
    },
  ): Promise<StepFailure | undefined> {
    const isForeseen = this.#isForeseen;
    const roles = rolesNamed(statement);
    if (roles.length > 0) await this.#shadow.ensureRoles(roles);
    if (how.kind === undefined) return undefined;
    try {
      await this.#run(statement, how.kind, how.place);
      if (!isForeseen) this.#forget(how.forgotten);
      return undefined;
    } catch (error) {
      // The doubts that were to end with this are taken for ended.
      if (how.forgotten === "everything") this.view.forget();
      return this.#recover(error);
    }
  }

  #forget(what: Forgotten): void {
    if (what === "everything") this.view.forget();
    else if (what !== "nothing") this.view.forgetChanged(what);
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
    const parts = [
      ...(connection.transactionStatus === "open" ? [] : ["begin"]),
      kind === "setup" ? `${text}\n` : guarded(text),
      ...(place.isLast ? ["commit"] : []),
    ];
    await connection.script(parts.join(";\n"));
  }

  /** What the server refuses leaves the statements before it as they are. */
  async #recover(error: unknown): Promise<StepFailure> {
    if (!isPlinthError(error)) throw error;
    if (!(await this.#isAsBefore())) this.view.forget();
    return { sqlstate: sqlstateOf(error), message: error.summary };
  }

  /** The statement is undone, and nothing else. Otherwise there is a session again, somewhere. */
  async #isAsBefore(): Promise<boolean> {
    const connection = this.#connection;
    if (!connection.isOpen) {
      await this.#reconnect();
      return false;
    }
    if (connection.transactionStatus !== "failed") return false;
    // Without a savepoint of ours the transaction itself is lost: a commit failed, or a statement that sets it up.
    const isUndone = await connection.script(`rollback to ${SAVEPOINT};\nrelease ${SAVEPOINT}`).then(
      () => true,
      () => false,
    );
    if (!isUndone) await connection.script(this.#direction === "down" ? "rollback;\nbegin" : "rollback");
    return isUndone;
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
