import { ConstraintError } from "../../errors/index.ts";
import type { ColumnDescription, EntityDescription } from "../../schema/index.ts";
import type { Conflict, Tree } from "../../sql/index.ts";
import type { Slot } from "../../statement/index.ts";
import type { Scope } from "../context.ts";
import { encodeNewRow, isGiven } from "../input.ts";
import type { Intent } from "../intent.ts";
import { refuse, refuseUnknownOptions } from "../options.ts";
import { additionsOf, intentOf, Plans, planOf, type ReadAnswer, statementOf } from "../plan.ts";
import { callWith } from "./call.ts";
import { columnsOf, keyOn } from "./conflict.ts";
import { groupRows, Inserts, inInputOrder, insertTree, statementFor } from "./insert.ts";
import { rowShape } from "./patch.ts";
import { planOne, returnedBy, rowOf, rowsOrCount, slotsOf, touchedBy } from "./returning.ts";

/** A random public id is drawn again this often before giving up; with 62^10 ids the second draw is already rare. */
const PUBLIC_ID_DRAWS_LIMIT = 5;

/** Untyped options of `create`. */
export interface CreateShape {
  readonly returning?: unknown;
}

export interface CreateManyShape extends CreateShape {
  readonly onConflict?: unknown;
  readonly on?: unknown;
}

/** Calls that make rows. */
export interface Creator {
  create(input: object, options: CreateShape): Intent<unknown>;
  createMany(inputs: readonly object[], options: CreateManyShape): Intent<unknown>;
}

export function createCreator(scope: Scope): Creator {
  const { entity } = scope;
  const creates = new Plans<unknown>();
  const inserts = new Inserts(scope);
  return {
    create(input, options) {
      refuseUnknownOptions(options, ["returning"]);
      const returned = returnedBy(entity, options.returning);
      const encoded = encodeNewRow(entity, input);
      const drawn = drawnPublicId(entity, input);
      const shape = `${rowShape(encoded)}/${drawn === undefined ? "given" : "drawn"}/${returned.shape}`;
      const plan = creates.find(shape, () => {
        const conflictOn = drawn === undefined ? undefined : () => ({ columns: [drawn.name] });
        const tree = insertTree(scope, encoded, "one", { returned, conflictOn });
        if (drawn === undefined) return planOne(tree, entity, returned, false);
        const slots = slotsOf(returned);
        return planOf(tree, redrawing(scope, tree, drawn, slots), { mayRefuse: true, slots });
      });
      return intentOf(plan, callWith(scope, encoded, input));
    },
    createMany(inputs, options) {
      if (!Array.isArray(inputs)) refuse("inputs", "must be a list");
      refuseUnknownOptions(options, ["onConflict", "on", "returning"]);
      const returned = returnedBy(entity, options.returning);
      const conflict = ignored(entity, options);
      const groups = groupRows(
        Array.from(inputs, (input, i) => encodeNewRow(entity, input, { path: String(i) })),
      );
      const variant = `${returned.shape}/${conflict === undefined ? "fail" : rowShape(conflict.on)}`;
      const conflictOn = conflict === undefined ? undefined : () => conflict.then;
      const plans = groups.map((group) => inserts.plan(group, variant, { returned, conflictOn }));
      const call = callWith(scope);
      return {
        calls: plans.map((plan, i) => statementFor(plan, groups[i] ?? NO_ROWS, call)),
        get additions() {
          return plans.slice(0, 1).flatMap(({ tree }) => additionsOf(tree));
        },
        read: (outcomes) =>
          returned.columns.length > 0 && conflict === undefined
            ? inInputOrder(groups, outcomes)
            : rowsOrCount(outcomes, returned),
      };
    },
  };
}

const NO_ROWS = { shape: "", rows: [], positions: [] };

/** Which taken keys leave a row out: any, or that of `on`. */
function ignored(
  entity: EntityDescription,
  { onConflict, on }: CreateManyShape,
): { readonly on: ReadonlyMap<ColumnDescription, null>; readonly then: Conflict } | undefined {
  if (onConflict !== undefined && onConflict !== "ignore")
    refuse("onConflict", "must be ignore, or left out");
  if (onConflict === undefined) {
    if (on !== undefined) refuse("on", "says which key is ignored, and belongs to onConflict: ignore");
    return undefined;
  }
  const columns = on === undefined ? [] : keyOn(entity, columnsOf(entity, on));
  return {
    on: new Map(columns.map((column) => [column, null])),
    then: { columns: columns.map(({ name }) => name) },
  };
}

/** The public id that Plinth drew for this row; undefined when the caller gave one, or there is none. */
function drawnPublicId(entity: EntityDescription, input: object): ColumnDescription | undefined {
  const column = entity.byRole.get("publicId");
  return column === undefined || isGiven(input, column.key) ? undefined : column;
}

/**
 * A taken public id makes no row (`on conflict do nothing`), which fails no transaction; then another is drawn. Any
 * other unique key still fails as itself.
 */
function redrawing(
  { entity }: Scope,
  tree: Tree,
  drawn: ColumnDescription,
  slots: readonly Slot[],
): ReadAnswer<unknown> {
  const again = planOf(tree, () => undefined, { slots });
  return async ([first], ask, call) => {
    const [, input] = call.input;
    let outcome = first;
    for (let draws = 1; touchedBy(outcome) === 0; draws++) {
      if (draws >= PUBLIC_ID_DRAWS_LIMIT) {
        throw new ConstraintError(
          "UNIQUE_VIOLATION",
          `every ${drawn.name} drawn for "${entity.name}" was taken (${draws} draws)`,
          { sqlstate: "23505", schema: entity.schema, table: entity.name, columns: [drawn.name] },
          { hint: "The ids are too short for the number of rows: publicId({ length: … })." },
        );
      }
      const row = encodeNewRow(entity, typeof input === "object" && input !== null ? input : {});
      [outcome] = await ask([statementOf(again, { ...call, input: [row, input] })]);
    }
    return rowOf(outcome);
  };
}
