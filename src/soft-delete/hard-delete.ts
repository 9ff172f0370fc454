import type { DatabaseObject, EntityDescription } from "../schema/index.ts";
import { quoteIdentifier, quoteLiteral } from "../sql/index.ts";
import { HAS_LEAVE, LEAVE_BY_HAND } from "./purge-leave.ts";
import {
  namedFunction,
  nameOf,
  ownKey,
  triggerFunction,
  triggerObject,
  triggerWithFunction,
} from "./trigger-object.ts";

/**
 * What makes a DELETE of any client a soft one:
 *
 * - `<table>_delete_softly` stamps the row in place of its removal. The command says `DELETE 0`: no row was removed.
 * - `<table>_after_delete`, where a row's death can reach other rows of its own table: there the rows are stamped once
 *   the statement has met all of them, as PostgreSQL refuses to go on to a row that its own triggers have changed.
 * - `<table>_no_truncate` refuses a TRUNCATE, which has no rows to stamp.
 * - `<table>_note_move`, of a divided table: PostgreSQL moves a row to another partition by a DELETE and an INSERT, and that
 *   DELETE has to happen.
 *
 * All of them stand aside for whoever has the leave to purge (`purge-leave.ts`).
 */
export function hardDeleteObjects(
  entity: EntityDescription,
  schema: readonly EntityDescription[],
): readonly DatabaseObject[] {
  const { partitioning } = entity;
  return [
    // A statement on one partition fires none of the whole table's statement triggers, so nothing can wait for them.
    ...(partitioning === undefined && reachesItself(entity, schema)
      ? stampingLater(entity)
      : stampingAtOnce(entity, partitioning === undefined ? [] : LETTING_MOVE(entity))),
    ...(partitioning === undefined
      ? []
      : notingMoves(
          entity,
          partitioning.columns.map(({ name }) => name),
        )),
    ...refusingTruncate(entity, partitioning?.partitions.map(({ name }) => name) ?? []),
  ];
}

const BEFORE_DELETE = "before delete";
const AUTHOR = "nullif(current_setting('plinth.user_id', true), '')";

function stampingAtOnce(entity: EntityDescription, first: readonly string[]): readonly DatabaseObject[] {
  const table = quoteIdentifier(entity.name);
  const body = [
    ...withLeave("old"),
    ...first,
    `  if old.${nameOf(entity, "deletedAt")} is null then`,
    `    update ${table} set ${stamps(entity)} where ${ownKey(entity, "old")};`,
    "    if not found then",
    ...refusal(entity),
    "    end if;",
    "  end if;",
    "  return null;",
  ].join("\n");
  return triggerWithFunction(entity, "delete_softly", BEFORE_DELETE, body);
}

/** Keys are kept in settings of the transaction, some hundreds in each: one text of all would be copied for every row. */
const KEYS_IN_A_SETTING = 200;
const ROOM = "  room text := 'plinth.dying_' || tg_relid;";

function stampingLater(entity: EntityDescription): readonly DatabaseObject[] {
  const table = quoteIdentifier(entity.name);
  const parts = entity.primaryKey.columns.map(
    ({ name }) => `${quoteLiteral(name)}, old.${quoteIdentifier(name)}`,
  );
  const remember = [
    "declare",
    ROOM,
    "  number integer := coalesce(nullif(current_setting(room, true), '')::integer, 0);",
    `  shelf text := room || '_' || number / ${KEYS_IN_A_SETTING};`,
    "begin",
    ...withLeave("old"),
    `  if old.${nameOf(entity, "deletedAt")} is null then`,
    `    perform set_config(shelf, case number % ${KEYS_IN_A_SETTING} when 0 then '' else current_setting(shelf) || ',' end`,
    `      || json_build_object(${parts.join(", ")}), true), set_config(room, (number + 1)::text, true);`,
    "  end if;",
    "  return null;",
    "end;",
  ].join("\n");
  const living = `${ownKey(entity, "dying", "own.")} and own.${nameOf(entity, "deletedAt")} is null`;
  const stamp = [
    "declare",
    ROOM,
    "  number integer := coalesce(nullif(current_setting(room, true), '')::integer, 0);",
    "  keys json;",
    "begin",
    "  if number = 0 then",
    "    return null;",
    "  end if;",
    "  perform set_config(room, '', true);",
    "  select ('[' || string_agg(current_setting(room || '_' || shelf), ',') || ']')::json into keys",
    `    from generate_series(0, (number - 1) / ${KEYS_IN_A_SETTING}) shelf;`,
    `  update ${table} own set ${stamps(entity)}`,
    `    from ${remembered(entity)} where ${living};`,
    `  if exists (select from ${table} own, ${remembered(entity)} where ${living}) then`,
    ...refusal(entity),
    "  end if;",
    "  return null;",
    "end;",
  ].join("\n");
  return [
    ...triggerWithFunction(entity, "delete_softly", BEFORE_DELETE, remember),
    ...triggerWithFunction(entity, "after_delete", "after delete", stamp, "for each statement"),
  ];
}

/**
 * The keys as rows, typed by the table itself. Where a column is of a domain that would mean its check on the columns that no
 * key has, so there the types are written out.
 */
function remembered(entity: EntityDescription): string {
  if (entity.columns.every(({ domain }) => domain === undefined)) {
    return `json_populate_recordset(null::${quoteIdentifier(entity.name)}, keys) dying`;
  }
  const own = `${quoteIdentifier(entity.schema)}.`;
  const columns = entity.primaryKey.columns.map(({ name, castType }) => {
    // Bare, as migrations run with the schema in their path, whatever it is called there.
    const type = castType.startsWith(own) ? castType.slice(own.length) : castType;
    return `${quoteIdentifier(name)} ${type}`;
  });
  return `json_to_recordset(keys) dying (${columns.join(", ")})`;
}

function stamps(entity: EntityDescription): string {
  return `${nameOf(entity, "deletedAt")} = clock_timestamp(), ${nameOf(entity, "deletedBy")} = ${AUTHOR}`;
}

function withLeave(answer: "old" | "null"): readonly string[] {
  return [`  if ${HAS_LEAVE} then`, `    return ${answer};`, "  end if;"];
}

/** The row is there, locked and living: only a policy can hide it from the update. */
function refusal({ name }: EntityDescription): readonly string[] {
  return [
    "      raise exception using errcode = 'insufficient_privilege', schema = tg_table_schema, table = tg_table_name,",
    `        message = ${quoteLiteral(`a row of "${name}" is deleted by stamping it, and a policy keeps this role from that`)};`,
  ];
}

const MOVING = "plinth.moving";
const MOVED_ROW = (entity: EntityDescription): string =>
  `tg_relid || row(${entity.primaryKey.columns.map(({ name }) => `old.${quoteIdentifier(name)}`).join(", ")})::text`;

const LETTING_MOVE = (entity: EntityDescription): readonly string[] => [
  `  if current_setting('${MOVING}', true) = ${MOVED_ROW(entity)} then`,
  `    perform set_config('${MOVING}', '', true);`,
  "    return old;",
  "  end if;",
];

/** Before, the row is noted; afterwards, where it stayed in its partition after all, the note is taken back. */
function notingMoves(entity: EntityDescription, columns: readonly string[]): readonly DatabaseObject[] {
  const body = [
    "  if tg_when = 'BEFORE' then",
    `    perform set_config('${MOVING}', ${MOVED_ROW(entity)}, true);`,
    "    return new;",
    "  end if;",
    `  perform set_config('${MOVING}', '', true);`,
    "  return null;",
  ].join("\n");
  const changed = columns
    .map((name) => `old.${quoteIdentifier(name)} is distinct from new.${quoteIdentifier(name)}`)
    .join(" or ");
  const [purpose, level] = ["note_move", `for each row when (${changed})`];
  return [
    triggerFunction(entity, purpose, body),
    triggerObject(entity, { purpose, when: "before update", level }),
    triggerObject(entity, { purpose, when: "after update", level, name: "forget_move" }),
  ];
}

/** One function serves every table. PostgreSQL fires the triggers of every partition that a TRUNCATE empties. */
function refusingTruncate(
  entity: EntityDescription,
  partitions: readonly string[],
): readonly DatabaseObject[] {
  const execute = "refuse_truncate";
  const body = [
    ...withLeave("null"),
    "  raise exception using errcode = 'insufficient_privilege', schema = tg_table_schema, table = tg_table_name,",
    "    message = format('rows of \"%s\" are stamped when they are deleted, and TRUNCATE would remove them for good', tg_table_name),",
    `    hint = ${quoteLiteral(`Use DELETE. To remove them for good: begin; ${LEAVE_BY_HAND}; truncate …; commit.`)};`,
  ].join("\n");
  const trigger = { purpose: "no_truncate", when: "before truncate", level: "for each statement", execute };
  return [
    namedFunction(entity, execute, body),
    ...[entity.name, ...partitions].map((table) => triggerObject(entity, { ...trigger, table })),
  ];
}

/** Whether what follows a row's death can come to rows of the same table. */
function reachesItself(entity: EntityDescription, schema: readonly EntityDescription[]): boolean {
  const seen = new Set<EntityDescription>();
  const waiting = [entity];
  for (let parent = waiting.pop(); parent !== undefined; parent = waiting.pop()) {
    for (const child of schema) {
      for (const key of child.foreignKeys) {
        if (key.target !== parent) continue;
        if (child === entity) return true;
        if (key.onDelete !== "cascade" || seen.has(child)) continue;
        seen.add(child);
        waiting.push(child);
      }
    }
  }
  return false;
}
