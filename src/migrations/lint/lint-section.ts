import type { Node } from "libpg-query";
import { NewTables, namedIn, reachesFar } from "./about-new.ts";
import { checkAllowances, isAllowed } from "./allowances.ts";
import { EffectSet } from "./effects/effect-set.ts";
import { effectsOf } from "./effects/effects.ts";
import { keepsWritersOut } from "./lock-mode.ts";
import type { LintFinding, LintStatement, StatementEffects } from "./model.ts";
import { designedTables, type Made, madeBy } from "./rules/design-tables.ts";
import { findingsOf } from "./rules/find.ts";
import { RULES } from "./rules/registry.ts";
import type { Draft, Subject, Tool } from "./rules/subject.ts";
import type { LintSection, PlacedStatement } from "./section.ts";
import { isOurTransaction, isWrapped, transactionsOf } from "./trace-transaction.ts";
import { TransactionLocks } from "./transaction-locks.ts";
import type { StepFailure, StepPlace, Walk } from "./walk.ts";

/** What one statement does, as somebody else has found out: trace. */
export type KnownOutcome = {
  readonly effects: StatementEffects | undefined;
  readonly failure: StepFailure | undefined;
};

/** How a section is looked at. */
export interface SectionOptions {
  readonly walk: Walk;
  readonly tool: Tool;
  /** Undefined: not known, so it is worked out. */
  readonly outcomeOf: (section: LintSection, index: number) => KnownOutcome | undefined;
  /** Of a down: what its up has made. */
  readonly madeByUp: ReadonlySet<string>;
  /** The file has a down. */
  readonly hasDown: boolean;
}

/** What was found in a section. */
export interface SectionReport {
  readonly statements: readonly LintStatement[];
  readonly findings: readonly LintFinding[];
}

/** Walks through a section and looks at every statement just before it happens. */
export async function lintSection(section: LintSection, options: SectionOptions): Promise<SectionReport> {
  const run = new SectionRun(section, options);
  if (section.problem !== undefined) return run.unparsed();
  await options.walk.begin(section.direction, section.statements);
  const rules = { isTransactional: section.section.isTransactional, splitsPhases: options.tool.splitsPhases };
  for (const transaction of transactionsOf(section.statements, rules)) {
    const placed = section.statements.slice(run.seen, run.seen + transaction.length);
    await run.transaction(placed);
  }
  await run.finish();
  await options.walk.end();
  return run.report();
}

/** One statement with what was found in it so far: tables are looked at again when the file is done. */
interface Found {
  readonly statement: PlacedStatement;
  readonly effects: StatementEffects;
  readonly isBlocking: boolean;
  readonly drafts: Draft[];
  readonly made: readonly Made[];
}

/** Where in its transaction a statement stands. */
interface Place {
  readonly locks: TransactionLocks;
  readonly newEnumValues: Set<string>;
  readonly isInTransaction: boolean;
}

/** What was seen at a statement, which happens if the one before it succeeds. */
interface Look {
  readonly statement: PlacedStatement;
  readonly subject: Subject;
  readonly drafts: readonly Draft[];
}

class SectionRun {
  readonly #section: LintSection;
  readonly #options: SectionOptions;
  readonly #found: Found[] = [];
  readonly #earlier: Node[] = [];
  readonly #new = new NewTables();
  #hasTimeout = false;
  #isTimeoutTold = false;
  /** The last statement happens; false when it fails. */
  #stepping: Promise<boolean> = Promise.resolve(true);

  constructor(section: LintSection, options: SectionOptions) {
    this.#section = section;
    this.#options = options;
  }

  get seen(): number {
    return this.#found.length;
  }

  async transaction(statements: readonly PlacedStatement[]): Promise<void> {
    const isInTransaction = isWrapped(statements, {
      isTransactional: this.#section.section.isTransactional,
      splitsPhases: this.#options.tool.splitsPhases,
    });
    const place = { locks: new TransactionLocks(), newEnumValues: new Set<string>(), isInTransaction };
    const found: Found[] = [];
    for (const [at, statement] of statements.entries()) {
      const one = this.#accept(await this.#lookPastStep(statement, place), place);
      found.push(one);
      const isLast = at === statements.length - 1;
      this.#stepping = this.#step(one, { isLast, isInTransaction });
      if ("AlterEnumStmt" in statement.tree && statement.tree.AlterEnumStmt.newVal !== undefined) {
        place.newEnumValues.add(statement.tree.AlterEnumStmt.newVal);
      }
    }
    this.#stepping = this.#thenTakeBack(found, statements);
    // Two that ask the same session at once could find it in the middle of what the other one does there.
    const asks = found.some(({ drafts }) => drafts.some(({ unless }) => unless !== undefined));
    if (asks || !this.#options.walk.isForeseen) await this.#stepping;
  }

  /** Looks at a statement while the one before it happens, where the view can be asked; again if that one fails. */
  async #lookPastStep(statement: PlacedStatement, place: Place): Promise<Look> {
    if (!this.#options.walk.isForeseen) {
      await this.#stepping;
      return this.#look(statement, place);
    }
    const [look, isDone] = await Promise.all([this.#look(statement, place), this.#stepping]);
    return isDone ? look : this.#look(statement, place);
  }

  /** False when the server refuses it. */
  async #step(
    { statement, drafts }: Found,
    { isLast, isInTransaction }: StepPlace & Pick<Place, "isInTransaction">,
  ): Promise<boolean> {
    const undo = this.#new.note(statement.tree);
    const failure = await this.#options.walk.step(statement, { isLast });
    const refused = failure ?? this.#options.outcomeOf(this.#section, statement.index)?.failure;
    const told = isOurTransaction(refused, statement, isInTransaction) ? undefined : refused;
    if (told !== undefined) undo();
    if (told !== undefined && !drafts.some(({ rule }) => FAILS.has(rule))) drafts.push(failed(told));
    return refused === undefined;
  }

  async #thenTakeBack(found: readonly Found[], statements: readonly PlacedStatement[]): Promise<boolean> {
    const isDone = await this.#stepping;
    // What the last statement takes away nothing can bring back.
    await this.#takeBack(found.slice(0, -1), statements);
    return isDone;
  }

  /** What a statement breaks may be whole again: dropped, and made anew. */
  async #takeBack(found: readonly Found[], statements: readonly PlacedStatement[]): Promise<void> {
    const end = { view: this.#options.walk.view, trees: statements.map(({ tree }) => tree) };
    for (const { drafts } of found) {
      for (const draft of [...drafts]) {
        if ((await draft.unless?.(end)) === true) drafts.splice(drafts.indexOf(draft), 1);
      }
    }
  }

  async #look(statement: PlacedStatement, place: Place): Promise<Look> {
    const { walk, tool, madeByUp, outcomeOf } = this.#options;
    const { tree, text, index } = statement;
    const isAboutNew = this.#new.covers(tree);
    if (!isAboutNew) await walk.view.prefetch(namedIn(tree), reachesFar(tree));
    const set = isAboutNew ? new EffectSet() : await effectsOrUnknown(statement, walk);
    const known = outcomeOf(this.#section, index)?.effects;
    const effects = known ?? set.effects();
    const unknowns = known === undefined ? set.unknowns : [];
    const isBlocking = place.locks.isBlocking(effects, unknowns.length > 0);
    const subject: Subject = {
      tree,
      text,
      direction: this.#section.direction,
      view: walk.view,
      effects,
      isBlocking,
      tables: set.tables,
      unknowns,
      isAboutNew,
      held: [...place.locks.held],
      isInTransaction: place.isInTransaction,
      tool,
      madeByUp,
      newEnumValues: new Set(place.newEnumValues),
      earlier: this.#earlier,
    };
    return { statement, subject, drafts: await findingsOf(subject) };
  }

  /** From here on what was found counts. */
  #accept({ statement, subject, drafts }: Look, { locks }: Place): Found {
    const { tree, index, line } = statement;
    const { effects, isBlocking, tables } = subject;
    locks.take(effects, tables, line);
    const made = this.#section.direction === "up" ? madeBy(tree) : [];
    const all = [...drafts, ...this.#aboutFile(subject, index)];
    const found = { statement, effects, isBlocking, drafts: all, made };
    this.#found.push(found);
    this.#earlier.push(tree);
    return found;
  }

  /** What is told once a file. */
  #aboutFile(subject: Subject, index: number): readonly Draft[] {
    const drafts: Draft[] = [];
    const { tool, hasDown } = this.#options;
    if (index === 0 && this.#section.direction === "up" && tool.format === "plinth" && !hasDown) {
      drafts.push({
        rule: "run/no-way-back",
        why: "plinth migrate down stops here, and nobody can take the change back",
        fix: "-- migrate:down\n-- … or allow it, with what cannot be undone:\n-- plinth:allow run/no-way-back: …",
      });
    }
    if (setsLockTimeout(subject)) this.#hasTimeout = true;
    const strong = subject.effects.locks.find(
      ({ mode, relation }) => keepsWritersOut(mode) && subject.tables.has(relation),
    );
    if (strong !== undefined && !this.#hasTimeout && !this.#isTimeoutTold && !tool.splitsPhases) {
      this.#isTimeoutTold = true;
      drafts.push({
        rule: "lock/no-timeout",
        why: `while it waits for one long query on ${strong.relation}, everybody else waits behind it, for as long as that takes`,
        fix: "set lock_timeout = '2s'; -- above it, and try again when it gives up",
      });
    }
    return drafts;
  }

  /** Tables as they are now, with everything that came later in the file. */
  async finish(): Promise<void> {
    await this.#stepping;
    const told = new Set<string>();
    // With what they refer to.
    const tables = this.#found.flatMap(({ made, statement }) =>
      made.length === 0 ? [] : [...made.map(({ table }) => table), ...namedIn(statement.tree)],
    );
    await this.#options.walk.view.prefetch(tables);
    for (const { made, drafts } of this.#found) {
      for (const one of made) {
        for (const draft of await designedTables(this.#options.walk.view, one)) {
          const key = `${draft.rule} ${draft.why}`;
          if (told.has(key)) continue;
          told.add(key);
          drafts.push(draft);
        }
      }
    }
  }

  unparsed(): SectionReport {
    const { problem, fileName } = this.#section;
    if (problem === undefined) return { statements: [], findings: [] };
    return {
      statements: [],
      findings: [
        place({ rule: "run/syntax", why: problem.why, fix: `-- ${problem.fix}` }, fileName, problem.line),
      ],
    };
  }

  report(): SectionReport {
    const { fileName, direction, stray } = this.#section;
    const findings: LintFinding[] = [];
    const statements = this.#found.map(({ statement, effects, isBlocking, drafts }): LintStatement => {
      const rules = new Set(drafts.map(({ rule }) => rule));
      const open = drafts.filter(({ rule }) => !isAllowed(statement.allowances, rule));
      findings.push(...open.map((draft) => place(draft, fileName, statement.line)));
      findings.push(...checkAllowances(statement.allowances, rules, fileName));
      return {
        file: fileName,
        line: statement.line,
        direction,
        sql: statement.text,
        rules: [...rules].sort(),
        blocking: isBlocking,
        ...effects,
      };
    });
    findings.push(...checkAllowances(stray, new Set(), fileName));
    return { statements, findings };
  }
}

/** Rules that say already why the statement fails. */
const FAILS: ReadonlySet<string> = new Set([
  "run/concurrently-in-transaction",
  "run/refused",
  "run/needs-version",
  "run/enum-value",
]);

function failed({ message }: StepFailure): Draft {
  return {
    rule: "run/fails",
    why: message,
    fix: "-- correct it: the same statement fails on a database that the files before it have built",
  };
}

/** An expression can be nested deeper than this process can follow. */
async function effectsOrUnknown({ tree, text }: PlacedStatement, walk: Walk): Promise<EffectSet> {
  try {
    return await effectsOf(tree, text, walk.view);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const effects = new EffectSet();
    effects.unknown("it is nested too deep to be looked into");
    return effects;
  }
}

function setsLockTimeout({ tree, text }: Subject): boolean {
  if ("VariableSetStmt" in tree) return tree.VariableSetStmt.name === "lock_timeout";
  return "SelectStmt" in tree && /\bset_config\s*\(\s*'lock_timeout'/i.test(text);
}

function place({ rule, why, fix }: Draft, file: string, line: number): LintFinding {
  return { rule, level: RULES[rule].level, object: `${file}:${line}`, why, fix, file, line };
}
