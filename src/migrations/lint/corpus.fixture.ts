import { COLUMN_FORMS } from "./corpus/columns.fixture.ts";
import { COMBINED_FORMS } from "./corpus/combined.fixture.ts";
import { CONSTRAINT_FORMS } from "./corpus/constraints.fixture.ts";
import { type Form, form } from "./corpus/form.fixture.ts";
import { INDEX_FORMS } from "./corpus/indexes.fixture.ts";
import { OBJECT_FORMS } from "./corpus/objects.fixture.ts";
import { PARTITION_FORMS } from "./corpus/partitions.fixture.ts";
import { TABLE_FORMS } from "./corpus/tables.fixture.ts";
import { TYPE_FORMS } from "./corpus/types.fixture.ts";
import { WRITE_FORMS } from "./corpus/writes.fixture.ts";

export type { Form };

/** Every statement form whose effects are known from a server: the rows of the reference table and what it leaves out. */
export const CORPUS: readonly Form[] = [
  ...INDEX_FORMS,
  ...COLUMN_FORMS,
  ...TYPE_FORMS,
  ...CONSTRAINT_FORMS,
  ...PARTITION_FORMS,
  ...TABLE_FORMS,
  ...OBJECT_FORMS,
  ...WRITE_FORMS,
  ...COMBINED_FORMS,
];

/** A statement that is in no list, on a ground of its own. */
export function formOf(sql: string, setup: string): Form {
  return form(0, setup, sql);
}

/** What a form is called in a report: its text, and what is special about its ground. */
export function titleOf({ sql, when }: Form): string {
  return when === "" ? sql : `${sql} [${when}]`;
}

/** The role that forms name. Roles are the server's, and files that run side by side share it: nobody drops it. */
export const ENSURE_CORPUS_ROLE = `do $$ begin
  create role plinth_corpus;
exception when duplicate_object or unique_violation then null;
end $$`;
