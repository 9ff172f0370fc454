import { type Form, form, forms } from "./form.fixture.ts";
import { DOMAINS, EVENTS, EVENTS_DEFAULT, FAMILY, NOTES, ORDERS, TASKS } from "./grounds.fixture.ts";

const CHECK_NOT_VALID = "alter table notes add constraint rating_range check (rating >= 0) not valid";
const FK_NOT_VALID =
  "alter table orders add constraint orders_customer_fk foreign key (customer_id) references customers not valid";

const CHECKS: readonly Form[] = [
  ...forms(17, NOTES, [
    "alter table notes add constraint rating_range check (rating >= 0)",
    "alter table notes add check (rating >= 0 and body <> '')",
    "alter table notes add constraint rating_range check (rating >= 0) no inherit",
    "alter table notes add constraint rating_range check (rating >= 0) not valid",
    "alter table notes add constraint a check (rating >= 0) not valid, add constraint b check (id > 0)",
    "alter table only notes add constraint rating_range check (rating >= 0)",
  ]),
  form(17, NOTES, "alter table notes add constraint rating_range check (rating >= 0) not enforced", {
    since: 18,
  }),
  form(17, NOTES, "alter table notes add constraint rating_range check (rating > 0)", { fails: "23514" }),
  form(17, NOTES, "alter table notes validate constraint rating_range", { also: CHECK_NOT_VALID }),
  form(17, NOTES, "alter table notes validate constraint rating_range", {
    when: "it is valid",
    also: "alter table notes add constraint rating_range check (rating >= 0)",
  }),
  form(17, NOTES, "alter table notes add constraint rating_range check (rating >= 0)", {
    when: "another one implies it",
    also: "alter table notes add constraint rating_other check (rating >= 0)",
  }),
  form(17, EVENTS, "alter table events add constraint kind_there check (kind is not null)"),
  form(17, EVENTS, "alter table events add constraint kind_there check (kind is not null) not valid"),
  form(17, EVENTS, "alter table events validate constraint kind_there", {
    also: "alter table events add constraint kind_there check (kind is not null) not valid",
  }),
  form(17, FAMILY, "alter table animals add constraint name_there check (name <> '')"),
  form(17, DOMAINS, "alter table boxes add constraint box_size check (size < 1000)"),
  form(28, NOTES, "alter table notes drop constraint rating_range", { also: CHECK_NOT_VALID }),
  form(28, NOTES, "alter table notes drop constraint if exists absent"),
  form(28, EVENTS, "alter table events drop constraint kind_there", {
    also: "alter table events add constraint kind_there check (kind is not null)",
  }),
  form(27, NOTES, "alter table notes rename constraint rating_range to rating_limits", {
    also: CHECK_NOT_VALID,
  }),
  form(27, NOTES, "alter table notes rename constraint notes_pkey to notes_key"),
];

const FOREIGN_KEYS: readonly Form[] = [
  ...forms(18, ORDERS, [
    "alter table orders add constraint orders_customer_fk foreign key (customer_id) references customers",
    "alter table orders add foreign key (customer_id) references customers (id) on delete set null",
    "alter table orders add constraint fk foreign key (email, region) references customers (email, region)",
    "alter table orders add constraint fk foreign key (customer_id) references customers deferrable initially deferred",
    "alter table orders add constraint fk foreign key (id) references orders",
    "alter table orders add constraint fk foreign key (customer_id) references customers not valid",
    "alter table orders add constraint a foreign key (customer_id) references customers not valid, add constraint b foreign key (id) references customers",
  ]),
  form(
    18,
    ORDERS,
    "alter table orders add constraint fk foreign key (customer_id) references customers not enforced",
    {
      since: 18,
    },
  ),
  form(18, ORDERS, "alter table orders add constraint fk foreign key (customer_id) references customers", {
    when: "the column has an index",
    also: "create index orders_customer_idx on orders (customer_id)",
  }),
  form(18, ORDERS, "alter table orders add constraint fk foreign key (customer_id) references customers", {
    when: "there are orphans",
    also: "update orders set customer_id = 999 where id = 1",
    fails: "23503",
  }),
  form(18, ORDERS, "alter table orders validate constraint orders_customer_fk", { also: FK_NOT_VALID }),
  form(18, ORDERS, "alter table orders validate constraint orders_customer_fk", {
    when: "the column has an index",
    also: `${FK_NOT_VALID}; create index orders_customer_idx on orders (customer_id)`,
  }),
  form(18, TASKS, "alter table tasks validate constraint tasks_project_id_fkey"),
  form(
    18,
    `${EVENTS_DEFAULT};\n${NOTES}`,
    "alter table events add constraint fk foreign key (id) references notes",
  ),
  form(
    18,
    `${EVENTS_DEFAULT};\n${NOTES}`,
    "alter table notes add constraint fk foreign key (id, day) references events",
    {
      also: "alter table notes add column day date; update notes set day = date '2026-01-01' + (id % 59)::integer",
    },
  ),
  form(29, TASKS, "alter table tasks drop constraint tasks_project_id_fkey"),
  form(29, TASKS, "alter table comments drop constraint comments_task_id_fkey cascade"),
  form(29, TASKS, "alter table tasks drop constraint tasks_pkey", { fails: "2BP01" }),
  form(29, TASKS, "alter table tasks drop constraint tasks_pkey cascade"),
  form(29, TASKS, "alter table projects drop constraint projects_pkey cascade"),
  ...forms(0, TASKS, [
    "alter table tasks alter constraint tasks_project_id_fkey deferrable initially deferred",
    "alter table tasks alter constraint tasks_project_id_fkey not deferrable",
    "alter table tasks rename constraint tasks_project_id_fkey to tasks_project_fk",
  ]),
  ...forms(0, TASKS, ["alter table tasks alter constraint tasks_project_id_fkey not enforced"], {
    since: 18,
  }),
  form(0, ORDERS, "alter table orders alter constraint fk enforced", {
    since: 18,
    also: "alter table orders add constraint fk foreign key (customer_id) references customers not enforced",
  }),
  form(0, NOTES, "alter table notes alter constraint body_there no inherit", {
    since: 18,
    also: "alter table notes add constraint body_there not null body",
  }),
];

const KEYS: readonly Form[] = [
  ...forms(20, NOTES, [
    "alter table notes add constraint notes_body_key unique (body)",
    "alter table notes add unique (body, rating)",
    "alter table notes add constraint notes_body_key unique (body) include (rating)",
    "alter table notes add constraint notes_body_key unique nulls not distinct (body)",
    "alter table notes add constraint notes_body_key unique (body) deferrable",
  ]),
  form(20, NOTES, "alter table notes add primary key (id)", {
    when: "the column is not null",
    also: "alter table notes drop constraint notes_pkey; alter table notes alter column id set not null",
  }),
  form(20, NOTES, "alter table notes add primary key (body)", {
    when: "the column may be null",
    also: "alter table notes drop constraint notes_pkey",
  }),
  form(20, NOTES, "alter table notes add primary key (body)", { fails: "42P16" }),
  form(20, NOTES, "alter table notes add constraint rating_key unique (rating)", { fails: "23505" }),
  form(20, NOTES, "alter table notes add constraint notes_body_key unique using index notes_body_idx", {
    also: "create unique index notes_body_idx on notes (body)",
  }),
  form(20, NOTES, "alter table notes add constraint notes_key primary key using index notes_id_idx", {
    when: "the column is not null",
    also: `alter table notes drop constraint notes_pkey; alter table notes alter column id set not null;
create unique index notes_id_idx on notes (id)`,
  }),
  form(20, EVENTS, "alter table events add primary key (id, happened_on)"),
  form(20, EVENTS, "alter table events add constraint events_key unique (id, happened_on)"),
  form(21, NOTES, "alter table notes add constraint notes_key primary key using index notes_body_idx", {
    also: "alter table notes drop constraint notes_pkey; create unique index notes_body_idx on notes (body)",
  }),
  form(21, NOTES, "alter table notes add constraint notes_key primary key using index notes_body_idx", {
    when: "a valid check says not null",
    also: `alter table notes drop constraint notes_pkey; create unique index notes_body_idx on notes (body);
alter table notes add constraint body_there check (body is not null)`,
  }),
  form(28, NOTES, "alter table notes drop constraint notes_pkey"),
  form(28, ORDERS, "alter table customers drop constraint customers_email_region_key"),
  ...forms(22, NOTES, [
    "alter table notes add constraint one_rating exclude using btree (id with =)",
    "alter table notes add exclude using hash (body with =)",
  ]),
  form(
    22,
    "create table stays (id bigint primary key, room integer, during tstzrange);\ninsert into stays select i, i, tstzrange(now(), now() + interval '1 day') from generate_series(1, 200) i",
    "alter table stays add constraint no_overlap exclude using gist (during with &&) where (room < 2)",
  ),
  form(
    20,
    "create table stays (id bigint not null, room integer, during tstzrange not null);\ninsert into stays select i, i, tstzrange(now(), now() + interval '1 day') from generate_series(1, 200) i",
    "alter table stays add primary key (id, during without overlaps)",
    { since: 18 },
  ),
];

/** Rows 17 to 22 and 29: constraints. */
export const CONSTRAINT_FORMS: readonly Form[] = [...CHECKS, ...FOREIGN_KEYS, ...KEYS];
