import type { ColumnDescription, EntityDescription } from "../../schema/index.ts";
import { decoderOf } from "../../statement/index.ts";
import {
  cellOf,
  type Image,
  type Recorded,
  type RecordedEvent,
  type Rename,
  type ShownEvent,
} from "./events.ts";

type AnyRow = Record<string, unknown>;

/** A change with the whole row on both sides, by column name. */
export interface Step {
  readonly event: ShownEvent;
  readonly before: Image | null;
  readonly after: Image | null;
}

/**
 * Walks back from the row as it is: an event says what the row was before it in the columns it changed, and the rest was
 * as after it. Names are those that columns have now.
 */
export function stepsBack({ events, live, newer, renames }: Recorded): readonly Step[] {
  let state = live;
  for (const event of newer) state = stateBefore(named(event, renames), state);
  return events.map((given) => {
    const event = named(given, renames);
    const after = stateAfter(event, state);
    state = stateBefore(event, after);
    return { event, before: state, after };
  });
}

/** Where a row begins or ends, the event has all of it. */
function stateAfter({ before, after }: RecordedEvent, state: Image | null): Image | null {
  if (after === null) return null;
  return before === null ? after : { ...state, ...after };
}

function stateBefore({ before, after }: RecordedEvent, state: Image | null): Image | null {
  if (before === null) return null;
  return after === null ? before : { ...state, ...before };
}

function named<T extends RecordedEvent>(event: T, renames: readonly Rename[]): T {
  const later = renames.filter(({ version }) => version > event.version);
  if (later.length === 0) return event;
  const rename = (image: Image | null): Image | null =>
    image === null
      ? null
      : Object.fromEntries(Object.entries(image).map(([name, value]) => [nameNow(name, later), value]));
  return { ...event, before: rename(event.before), after: rename(event.after) };
}

function nameNow(name: string, later: readonly Rename[]): string {
  return later.reduce((current, { from, to }) => (current === from ? to : current), name);
}

/** A step as a repository shows it: properties, and values as in its rows. */
export function versionOf(entity: EntityDescription, { event, before, after }: Step): AnyRow {
  const { version, operation, at, transactionId, actor, concealed } = event;
  return {
    version,
    operation,
    at,
    transactionId,
    actor,
    before: before === null ? null : rowOf(entity, before),
    after: after === null ? null : rowOf(entity, after),
    changes: changesOf(entity, event),
    concealed: concealed.map((name) => columnNamed(entity, name)?.key ?? name),
  };
}

function rowOf(entity: EntityDescription, image: Image): AnyRow {
  return Object.fromEntries(Object.entries(image).map(([name, text]) => readValue(entity, name, text)));
}

function changesOf(entity: EntityDescription, { before, after }: RecordedEvent): AnyRow {
  const names = new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})]);
  return Object.fromEntries(
    [...names].flatMap((name) => {
      const [key, from] = readValue(entity, name, cellOf(before, name));
      const [, to] = readValue(entity, name, cellOf(after, name));
      return from === null && to === null ? [] : [[key, { from, to }]];
    }),
  );
}

/**
 * A column's property and value. What it cannot be read as any more (the column is gone, its type changed) stays the
 * text that was recorded.
 */
function readValue(entity: EntityDescription, name: string, text: string | null): readonly [string, unknown] {
  const column = columnNamed(entity, name);
  if (column === undefined) return [name, text];
  return [column.key, text === null ? null : decoded(column, text)];
}

function decoded(column: ColumnDescription, text: string): unknown {
  try {
    return decoderOf(column)(text);
  } catch {
    return text;
  }
}

function columnNamed({ columns }: EntityDescription, name: string): ColumnDescription | undefined {
  return columns.find((column) => column.name === name);
}
