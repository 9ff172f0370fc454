/** When a hook runs. */
export type HookMoment = "beforeCommit" | "afterCommit" | "afterRollback";

/** What runs at the end of a transaction. */
export type Hook = () => unknown;

interface Registered {
  readonly moment: HookMoment;
  readonly run: Hook;
  /** Its savepoint was rolled back: what follows a rollback follows the transaction's end, whichever that is. */
  readonly isUndone: boolean;
}

/**
 * The hooks of one transaction or savepoint, in the order they were given. A savepoint hands its own to the transaction
 * around it when it ends, because only the outermost COMMIT makes anything real.
 */
export class Hooks {
  readonly #registered: Registered[] = [];

  add(moment: HookMoment, run: Hook): void {
    this.#registered.push({ moment, run, isUndone: false });
  }

  /** Of a savepoint that was released: they count as if they had been given here. */
  adopt(inner: Hooks): void {
    this.#registered.push(...inner.#registered);
  }

  /** Of a savepoint that was rolled back: its commits never happen, its rollback has. */
  adoptUndone(inner: Hooks): void {
    const left = inner.#registered.filter(({ moment }) => moment === "afterRollback");
    this.#registered.push(...left.map((hook) => ({ ...hook, isUndone: true })));
  }

  /** Runs what is to run inside, before COMMIT; what such a hook registers runs too. The first error stops it. */
  async beforeCommit(): Promise<void> {
    for (let i = 0; i < this.#registered.length; i++) {
      const hook = this.#registered[i];
      if (hook?.moment === "beforeCommit") await hook.run();
    }
  }

  /** Runs what follows the end, each once. An error goes to `report` and stops no other. */
  async after(
    end: "commit" | "rollback" | "unknown",
    report: (error: unknown, moment: HookMoment) => void,
  ): Promise<void> {
    for (const { moment, run, isUndone } of this.#registered.splice(0)) {
      const isDue =
        moment === "afterCommit"
          ? end === "commit"
          : moment === "afterRollback" && (isUndone || end === "rollback");
      if (!isDue) continue;
      try {
        await run();
      } catch (error) {
        report(error, moment);
      }
    }
  }
}
