import { type Form, form, forms } from "./form.fixture.ts";
import { EVENTS, EVENTS_DEFAULT, NOTES, TASKS, VIEWS } from "./grounds.fixture.ts";

const INDEXED =
  "create index notes_rating_idx on notes (rating); create unique index notes_body_key on notes (body)";
const OUTSIDE = { outside: true } as const;

/** Rows 1 to 5 of the table, and what else can be done to an index. */
export const INDEX_FORMS: readonly Form[] = [
  ...forms(1, NOTES, [
    "create index on notes (rating)",
    "create index notes_rating_idx on notes (rating)",
    "create index if not exists notes_rating_idx on notes (rating)",
    "create unique index notes_body_key on notes (body)",
    "create index notes_body_idx on notes (lower(body))",
    "create index notes_open_idx on notes (written_at) where not is_done",
    "create index notes_words_idx on notes using gin (to_tsvector('simple', body))",
    "create index notes_when_idx on notes using brin (written_at)",
    "create index notes_hash_idx on notes using hash (body)",
    "create index notes_cover_idx on notes (rating) include (body)",
    'create index notes_c_idx on notes (body collate "C" desc nulls last)',
    "create index notes_full_idx on notes (rating) with (fillfactor = 70)",
    "create unique index notes_nulls_key on notes (rating, body) nulls not distinct",
  ]),
  form(1, NOTES, "create index if not exists notes_rating_idx on notes (rating)", {
    when: "it exists",
    also: INDEXED,
  }),
  form(1, NOTES, "create index fresh_idx on notes (tablename)", { fails: "42703" }),
  form(1, VIEWS, "create index note_counts_notes_idx on note_counts (notes)"),
  form(1, EVENTS, "create index events_kind_idx on events (kind)"),
  form(1, EVENTS, "create index events_kind_idx on only events (kind)"),
  form(1, EVENTS, "create index events_1_kind_idx on events_1 (kind)"),
  form(1, EVENTS_DEFAULT, "create unique index events_key on events (happened_on, id)"),
  form(1, EVENTS, "create index events_kind_idx on events (kind)", {
    when: "a partition has one",
    also: "create index events_1_kind_idx on events_1 (kind)",
  }),
  form(2, EVENTS, "create index concurrently events_kind_idx on events (kind)", {
    outside: true,
    fails: "0A000",
  }),
  ...forms(
    3,
    NOTES,
    [
      "create index concurrently notes_rating_idx on notes (rating)",
      "create unique index concurrently notes_body_key on notes (body)",
      "create index concurrently if not exists notes_rating_idx on notes (rating)",
      "create index concurrently notes_open_idx on notes (written_at) where not is_done",
    ],
    OUTSIDE,
  ),
  form(3, NOTES, "create index concurrently if not exists notes_rating_idx on notes (rating)", {
    when: "it exists",
    also: INDEXED,
    outside: true,
  }),
  form(3, VIEWS, "create index concurrently note_counts_notes_idx on note_counts (notes)", OUTSIDE),
  form(3, TASKS, "create index concurrently tasks_status_idx on tasks (status)", OUTSIDE),
  ...forms(
    4,
    NOTES,
    [
      "drop index notes_rating_idx",
      "drop index if exists notes_rating_idx",
      "drop index notes_rating_idx, notes_body_key",
      "drop index notes_body_key cascade",
      "drop index if exists notes_absent_idx",
    ],
    { also: INDEXED },
  ),
  form(4, NOTES, "drop index notes_pkey", { fails: "2BP01" }),
  form(4, TASKS, "drop index tasks_project_id_idx"),
  form(4, VIEWS, "drop index note_counts_rating_idx"),
  form(4, EVENTS, "drop index events_kind_idx", { also: "create index events_kind_idx on events (kind)" }),
  form(4, NOTES, "drop index concurrently notes_rating_idx", { also: INDEXED, outside: true }),
  form(4, NOTES, "drop index concurrently if exists notes_body_key", { also: INDEXED, outside: true }),
  form(4, NOTES, "drop index concurrently if exists notes_absent_idx", OUTSIDE),
  ...forms(5, NOTES, ["reindex index notes_rating_idx", "reindex table notes"], { also: INDEXED }),
  form(5, TASKS, "reindex table tasks"),
  form(5, TASKS, "reindex index tasks_pkey"),
  form(5, VIEWS, "reindex table note_counts"),
  form(5, NOTES, "reindex (verbose) table notes", { also: INDEXED }),
  ...forms(
    5,
    NOTES,
    [
      "reindex index concurrently notes_rating_idx",
      "reindex table concurrently notes",
      "reindex (concurrently) table notes",
    ],
    { also: INDEXED, outside: true },
  ),
  form(5, EVENTS, "reindex table events", {
    also: "create index events_kind_idx on events (kind)",
    fails: "25001",
  }),
  ...forms(
    41,
    NOTES,
    [
      "alter index notes_rating_idx rename to notes_score_idx",
      "alter index notes_rating_idx set (fillfactor = 50)",
      "alter index notes_rating_idx reset (fillfactor)",
      "alter index if exists notes_absent_idx rename to other_idx",
      "alter table notes_rating_idx rename to notes_score_idx",
      "alter index notes_rating_idx depends on extension plpgsql",
    ],
    { also: INDEXED },
  ),
  form(41, NOTES, "alter index notes_body_lower_idx alter column 1 set statistics 500", {
    also: "create index notes_body_lower_idx on notes (lower(body))",
  }),
  form(37, NOTES, "alter index notes_rating_idx set tablespace pg_default", { also: INDEXED }),
  form(0, EVENTS, "alter index events_kind_idx attach partition events_1_kind_idx", {
    also: "create index events_kind_idx on only events (kind); create index events_1_kind_idx on events_1 (kind)",
  }),
];
