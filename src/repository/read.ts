import { NotFoundError } from "../errors/index.ts";
import type { EntityDescription } from "../schema/index.ts";
import type { Call, Select } from "../sql/index.ts";
import { decoderOf } from "../statement/index.ts";
import { type Aggregator, createAggregator } from "./aggregate.ts";
import { countIn, rowsOf } from "./answer.ts";
import { planByKey } from "./by-key.ts";
import type { Scope } from "./context.ts";
import { argument } from "./given.ts";
import type { Intent } from "./intent.ts";
import { givenUniqueKey, keyIdentity, keysCondition, keysOf, keyValues, uniqueCondition } from "./key.ts";
import { createLister } from "./list.ts";
import type { ListShape } from "./list-options.ts";
import type { KeysetPage } from "./list-types.ts";
import { descendingBy } from "./order.ts";
import type { NumberedPage } from "./page.ts";
import { intentOf, type Plan, Plans, planOf } from "./plan.ts";
import { counting, NO_OPTIONS, ONE, planRows, readOptions, selectWhere } from "./selected.ts";
import type { ReadShape } from "./selection.ts";
import { shapeOf, valuesShapeOf } from "./shape.ts";
import { conditionOf, optionalCondition } from "./where.ts";

type AnyRow = Record<string, unknown>;

/** Works out the reads of one entity as one caller sees it. */
export interface Reader extends Aggregator {
  find(key: unknown, options?: ReadShape): Intent<AnyRow | undefined>;
  get(key: unknown, options?: ReadShape): Intent<AnyRow>;
  findBy(unique: object, options?: ReadShape): Intent<AnyRow | undefined>;
  findMany(keys: readonly unknown[], options?: ReadShape): Intent<(AnyRow | undefined)[]>;
  list(options: ListShape): Intent<NumberedPage | KeysetPage<AnyRow>>;
  count(where?: object): Intent<number>;
  exists(where: object): Intent<boolean>;
}

export function createReader(scope: Scope): Reader {
  const { context, entity } = scope;
  const list = createLister(scope);
  const [finds, gets] = [new Plans<AnyRow | undefined>(), new Plans<AnyRow>()];
  const [findBys, findManys] = [new Plans<AnyRow | undefined>(), new Plans<(AnyRow | undefined)[]>()];
  const [counts, existences] = [new Plans<number>(), new Plans<boolean>()];
  const callWith = (...input: readonly unknown[]): Call => ({ input, actor: context.actor() });
  return {
    find(key, options) {
      const call = callWith(key, options);
      const plan = finds.find(shapeOf(options), () => planByKey(scope, call, (row) => row, false));
      return intentOf(plan, call);
    },
    get(key, options) {
      const call = callWith(key, options);
      const found = (row: AnyRow | undefined): AnyRow => row ?? refuseMissing(entity);
      const plan = gets.find(shapeOf(options), () => planByKey(scope, call, found, true));
      return intentOf(plan, call);
    },
    findBy(unique, options) {
      const call = callWith(unique, options);
      const plan = findBys.find(both(valuesShapeOf(unique), shapeOf(options)), () => {
        const selected = selectWhere(scope, readOptions(call), "row", ({ table }) =>
          uniqueCondition(entity, table, unique),
        );
        const select = inOrderOfDeath(scope, unique, selected.select);
        return planRows(selected, select, { finish: ([row]) => row });
      });
      return intentOf(plan, call);
    },
    findMany(keys, options) {
      const call = callWith(keys, options);
      return intentOf(
        findManys.find(shapeOf(options), () => planFindMany(scope, call)),
        call,
      );
    },
    list,
    ...createAggregator(scope),
    count(where) {
      const call = callWith(where);
      const plan = counts.find(where === undefined ? "" : valuesShapeOf(where), () => {
        const { select } = selectWhere(scope, NO_OPTIONS, "rows", (at) =>
          optionalCondition(at, argument(call, 0, "where")),
        );
        return planOf(counting(select), ([outcome]) => countIn(outcome));
      });
      return intentOf(plan, call);
    },
    exists(where) {
      const call = callWith(where);
      const plan = existences.find(valuesShapeOf(where), () => {
        const { select } = selectWhere(scope, NO_OPTIONS, "rows", (at) =>
          conditionOf(at, argument(call, 0, "where")),
        );
        return planOf({ ...select, projections: [], limit: ONE }, ([outcome]) => rowsOf(outcome).length > 0);
      });
      return intentOf(plan, call);
    },
  };
}

function both(one: string | undefined, other: string | undefined): string | undefined {
  return one === undefined || other === undefined ? undefined : `${one}/${other}`;
}

export function refuseMissing(entity: EntityDescription): never {
  throw new NotFoundError(entity.name);
}

/**
 * Among the dead a key that holds for the living only may name several rows: then the living one comes first
 * (`desc` puts nulls there), and after it the one that died last.
 */
function inOrderOfDeath({ entity, visibility }: Scope, unique: object, select: Select): Select {
  const deletedAt = entity.byRole.get("deletedAt");
  if (visibility === "living" || deletedAt === undefined || !givenUniqueKey(entity, unique).livingOnly)
    return select;
  const orderBy = descendingBy([deletedAt, ...entity.rowKey], select.from);
  return { ...select, orderBy, limit: ONE };
}

function planFindMany(scope: Scope, call: Call): Plan<(AnyRow | undefined)[]> {
  const { entity } = scope;
  const decoders = entity.rowKey.map(decoderOf);
  const selected = selectWhere(scope, readOptions(call), "rows", ({ table }) => keysCondition(entity, table));
  const columns = entity.rowKey;
  return planRows(selected, selected.select, {
    extras: columns.map(({ name }) => ({ kind: "column", table: selected.scope.table, name })),
    finish(rows, { call: { input }, extras }) {
      const found = new Map<string, AnyRow>();
      for (const [i, row] of rows.entries()) {
        const values = extras(i).map((cell, part) => decoders[part]?.(cell ?? ""));
        found.set(keyIdentity(entity, values), row);
      }
      return keysOf(input[0]).map((key) => found.get(keyIdentity(entity, keyValues(entity, key))));
    },
  });
}
