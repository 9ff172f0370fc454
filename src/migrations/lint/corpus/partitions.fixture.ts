import { type Form, form, forms } from "./form.fixture.ts";
import { EVENTS, EVENTS_DEFAULT, MARCH, NOTES } from "./grounds.fixture.ts";

const ATTACH = "alter table events attach partition march for values from ('2026-03-01') to ('2026-04-01')";
const FITS =
  "alter table march add constraint fits check (happened_on >= '2026-03-01' and happened_on < '2026-04-01')";

/** Rows 32 to 34, and partitions elsewhere. */
export const PARTITION_FORMS: readonly Form[] = [
  ...forms(32, EVENTS, [
    "create table events_3 partition of events for values from ('2026-03-01') to ('2026-04-01')",
    "create table events_rest partition of events default",
    "create table events_3 partition of events for values from ('2026-03-01') to ('2026-04-01') partition by list (kind)",
    "create table if not exists events_1 partition of events for values from ('2026-01-01') to ('2026-02-01')",
    "create table events_9 partition of events (id primary key) for values from ('2026-09-01') to ('2026-10-01')",
  ]),
  form(
    32,
    EVENTS,
    "create table events_9 partition of events for values from ('2026-01-15') to ('2026-02-15')",
    {
      fails: "42P17",
    },
  ),
  form(
    32,
    EVENTS_DEFAULT,
    "create table events_9 partition of events for values from ('2026-09-01') to ('2026-10-01')",
  ),
  form(
    32,
    EVENTS_DEFAULT,
    "create table events_9 partition of events for values from ('2026-09-01') to ('2026-10-01')",
    {
      when: "a check on the default partition excludes it",
      also: "alter table events_rest add constraint early check (happened_on < '2026-06-01')",
    },
  ),
  ...[
    "happened_on < '2026-09-01' or happened_on >= '2026-10-01'",
    "happened_on < '2026-09-02' or happened_on >= '2026-10-01'",
    "happened_on < '2026-09-01' or happened_on >= '2026-10-01' or kind is null",
    "happened_on < '2026-09-01' and kind <> '' or happened_on >= '2026-10-01'",
  ].map((check) =>
    form(
      32,
      EVENTS_DEFAULT,
      "create table events_9 partition of events for values from ('2026-09-01') to ('2026-10-01')",
      {
        when: `the default partition checks ${check}`,
        also: `delete from events_rest where not (${check}); alter table events_rest add constraint apart check (${check})`,
      },
    ),
  ),
  form(33, `${EVENTS};\n${MARCH}`, ATTACH),
  form(33, `${EVENTS};\n${MARCH}`, ATTACH, { when: "a check says it fits", also: FITS }),
  form(33, `${EVENTS};\n${MARCH}`, ATTACH, {
    when: "a check that is not valid says it fits",
    also: `${FITS} not valid`,
  }),
  form(33, `${EVENTS};\n${MARCH}`, ATTACH, {
    when: "the parent has an index",
    also: "create index events_kind_idx on events (kind)",
  }),
  form(33, `${EVENTS};\n${MARCH}`, ATTACH, {
    when: "both have the index",
    also: `${FITS}; create index events_kind_idx on events (kind); create index march_kind_idx on march (kind)`,
  }),
  form(33, `${EVENTS};\n${MARCH}`, "alter table events attach partition march default"),
  form(33, `${EVENTS_DEFAULT};\n${MARCH}`, ATTACH),
  form(33, `${EVENTS_DEFAULT};\n${MARCH}`, ATTACH, { when: "a check says it fits", also: FITS }),
  form(33, `${EVENTS_DEFAULT};\n${MARCH}`, ATTACH, {
    when: "checks on both exclude a scan",
    also: `${FITS}; alter table events_rest add constraint early check (happened_on < '2026-03-01')`,
  }),
  form(
    33,
    `${EVENTS_DEFAULT};\n${MARCH}`,
    "alter table events attach partition march for values from ('2026-01-01') to ('2026-02-01')",
    {
      fails: "42P17",
    },
  ),
  ...forms(34, EVENTS, ["alter table events detach partition events_1"]),
  form(34, EVENTS, "alter table events detach partition events_1 concurrently", { outside: true }),
  form(34, EVENTS_DEFAULT, "alter table events detach partition events_1"),
  form(34, EVENTS_DEFAULT, "alter table events detach partition events_rest"),
  form(34, EVENTS_DEFAULT, "alter table events detach partition events_1 concurrently", {
    outside: true,
    fails: "55000",
  }),
  form(34, EVENTS, "alter table events detach partition events_1", {
    when: "with an index",
    also: "create index events_kind_idx on events (kind)",
  }),
  form(34, EVENTS, "alter table events detach partition events_1 concurrently", {
    when: "with an index",
    also: "create index events_kind_idx on events (kind)",
    outside: true,
  }),
  ...forms(28, EVENTS, ["drop table events_1", "drop table events"]),
  form(28, EVENTS_DEFAULT, "drop table events_1"),
  form(28, EVENTS_DEFAULT, "drop table events_rest"),
  ...forms(27, EVENTS, [
    "alter table events_1 rename to events_january",
    "alter table events rename to happenings",
  ]),
  form(38, EVENTS, "truncate events"),
  form(38, EVENTS, "truncate events_1"),
  form(38, EVENTS, "truncate only events", { fails: "42809" }),
  form(41, EVENTS, "alter table events_1 set (fillfactor = 70)"),
  form(
    31,
    `${EVENTS_DEFAULT};\n${NOTES}`,
    "create table visits (id bigint, day date, foreign key (id, day) references events)",
  ),
];
