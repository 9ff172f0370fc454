import type { ParsedStatement } from "../parse-sql.ts";
import type { CatalogView } from "./catalog-view.ts";

/** What the server said instead of running a statement. */
export interface StepFailure {
  readonly sqlstate: string | undefined;
  readonly message: string;
}

/** How a statement stands in its transaction. */
export interface StepPlace {
  /** Its transaction ends with it. */
  readonly isLast: boolean;
}

/**
 * Goes through migrations statement by statement, with a view on the catalog as it is just before each: on a shadow
 * database, or in the mind.
 */
export interface Walk {
  readonly view: CatalogView;
  /**
   * A section begins: what is there now is what others may be using. The way back is walked for its own sake: with `end`
   * the catalog is again as it was. `statements` are those that will be stepped through, where views are asked before them.
   */
  begin(direction: "up" | "down", statements?: readonly ParsedStatement[]): Promise<void>;
  /**
   * The statement happens. Afterwards the view shows what has become of it; and before that already, where the step
   * `isForeseen`. What the view then answers is wrong only if the statement fails.
   */
  step(statement: ParsedStatement, place: StepPlace): Promise<StepFailure | undefined>;
  /** About the step that was begun last: the view can be asked although it is not over. */
  readonly isForeseen: boolean;
  end(): Promise<void>;
  close(): Promise<void>;
}
