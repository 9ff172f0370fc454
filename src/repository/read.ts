import { NotFoundError } from "../errors/index.ts";
import type { EntityDescription, Visibility } from "../schema/index.ts";
import type { Condition, Select, TableReference } from "../sql/index.ts";
import { intentFor, type RepositoryContext } from "./context.ts";
import {
  givenUniqueKey,
  keyCondition,
  keyIdentity,
  keysCondition,
  keyValues,
  uniqueCondition,
} from "./key.ts";
import { intendList, type ListShape } from "./list.ts";
import { refuse, refuseUnknownOptions } from "./options.ts";
import type { Intent } from "./query.ts";
import {
  countIn,
  counting,
  firstRow,
  numberParameter,
  type ReadShape,
  rowsOf,
  type Selected,
  selectWhere,
} from "./selected.ts";
import { orderings } from "./sort.ts";
import type { KeysetPage, Page } from "./types.ts";
import { conditionOf } from "./where.ts";

const READ_OPTION_NAMES = ["with", "reveal"];

type AnyRow = Record<string, unknown>;

/** Works out the reads of one entity as one caller sees it. */
export interface Reader {
  find(key: unknown, options?: ReadShape): Intent<AnyRow | undefined>;
  get(key: unknown, options?: ReadShape): Intent<AnyRow>;
  findBy(unique: object, options?: ReadShape): Intent<AnyRow | undefined>;
  findMany(keys: readonly unknown[], options?: ReadShape): Intent<(AnyRow | undefined)[]>;
  list(options: ListShape): Intent<Page<AnyRow> | KeysetPage<AnyRow>>;
  count(where?: object): Intent<number>;
  exists(where: object): Intent<boolean>;
}

export function createReader(
  context: RepositoryContext,
  entity: EntityDescription,
  visibility: Visibility,
): Reader {
  const single = (condition: (table: TableReference) => Condition, options: ReadShape = {}): Selected => {
    refuseUnknownOptions(options, READ_OPTION_NAMES);
    return selectWhere(context, entity, visibility, options, condition);
  };
  return {
    find(key, options) {
      const { select, map } = single((table) => keyCondition(entity, table, key), options);
      return intentFor(select, ([outcome]) => firstRow(outcome, map));
    },
    get(key, options) {
      const { select, map } = single((table) => keyCondition(entity, table, key), options);
      return intentFor(select, ([outcome]) => firstRow(outcome, map) ?? refuseMissing(entity), true);
    },
    findBy(unique, options) {
      const { select, map } = single((table) => uniqueCondition(entity, table, unique), options);
      return intentFor(inOrderOfDeath(entity, visibility, unique, select), ([outcome]) =>
        firstRow(outcome, map),
      );
    },
    findMany: (keys, options = {}) => intendFindMany(context, entity, visibility, keys, options),
    list: (options) => intendList(context, entity, visibility, options),
    count: (where) => intendCount(context, entity, visibility, where),
    exists: (where) => intendExists(context, entity, visibility, where),
  };
}

export function refuseMissing(entity: EntityDescription): never {
  throw new NotFoundError(entity.name);
}

/**
 * Among the dead a key that holds for the living only may name several rows: then the living one comes first
 * (`desc` puts nulls there), and after it the one that died last.
 */
function inOrderOfDeath(
  entity: EntityDescription,
  visibility: Visibility,
  unique: object,
  select: Select,
): Select {
  const deletedAt = entity.byRole.get("deletedAt");
  if (visibility === "living" || deletedAt === undefined || !givenUniqueKey(entity, unique).livingOnly)
    return select;
  const order = [deletedAt, ...entity.primaryKey.columns].map((column) => ({ column, descending: true }));
  return { ...select, orderBy: orderings(order, select.from), limit: numberParameter(1) };
}

function intendFindMany(
  context: RepositoryContext,
  entity: EntityDescription,
  visibility: Visibility,
  keys: readonly unknown[],
  options: ReadShape,
): Intent<(AnyRow | undefined)[]> {
  if (!Array.isArray(keys)) refuse("keys", "must be a list");
  // Also visits holes, as undefined, which is no key.
  const asked: readonly unknown[] = Array.from(keys);
  refuseUnknownOptions(options, READ_OPTION_NAMES);
  const { select, map } = selectWhere(context, entity, visibility, options, (table) =>
    keysCondition(entity, table, asked),
  );
  return intentFor(select, ([outcome]) => {
    const found = new Map<string, AnyRow>();
    for (const cells of rowsOf(outcome)) {
      const row = map(cells);
      found.set(
        keyIdentity(
          entity,
          entity.primaryKey.columns.map((column) => row[column.key]),
        ),
        row,
      );
    }
    return asked.map((key) => found.get(keyIdentity(entity, keyValues(entity, key))));
  });
}

function intendCount(
  context: RepositoryContext,
  entity: EntityDescription,
  visibility: Visibility,
  where: object | undefined,
): Intent<number> {
  const { select } = selectWhere(context, entity, visibility, {}, (table) =>
    conditionOf(entity, table, where === undefined ? {} : where),
  );
  return intentFor(counting(select), ([outcome]) => countIn(outcome));
}

function intendExists(
  context: RepositoryContext,
  entity: EntityDescription,
  visibility: Visibility,
  where: object,
): Intent<boolean> {
  const { select } = selectWhere(context, entity, visibility, {}, (table) =>
    conditionOf(entity, table, where),
  );
  return intentFor(
    { ...select, projections: [], limit: numberParameter(1) },
    ([outcome]) => rowsOf(outcome).length > 0,
  );
}
