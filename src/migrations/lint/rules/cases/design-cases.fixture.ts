import { NOTES, ORDERS, TASKS } from "../../corpus/grounds.fixture.ts";
import { asColumn, behind, filled, type Paste, ruleCase } from "./rule-case.fixture.ts";

const LONG = "a_name_that_says_so_much_about_what_it_holds_that_nobody_can_read_it";
const PAIRS = `${NOTES};
create table pairs (first bigint not null, second bigint not null, primary key (first, second))`;

const shelves = (column: string): string => `create table shelves (shelf_id bigint primary key, ${column})`;
const asTable: Paste = (fix) => `create table shelves (${fix})`;

/** A rule about one column of a new table; the near miss is another column. */
const columnCase = (
  rule: Parameters<typeof ruleCase>[0],
  fires: string,
  near: string,
  fix: Paste = asColumn,
) => ruleCase(rule, NOTES, shelves(fires), shelves(near), { fix });

const COLUMN_CASES = [
  columnCase("design/serial", "number serial", "number bigint generated always as identity"),
  columnCase("design/char", "code char(3)", 'code "char"', (fix) => asColumn(fix.replace("…", "3"), "")),
  columnCase("design/varchar", "code varchar(30)", "code varchar"),
  columnCase("design/money", "price money", "price numeric(12, 2)"),
  columnCase("design/float-amount", "total_price real", "weight real"),
  columnCase("design/timetz", "opens_at timetz", "opens_at time"),
  columnCase("design/timestamp", "made_at timestamp", "made_at timestamptz"),
  columnCase("design/json", "data json", "data jsonb"),
  ruleCase(
    "design/numbered-columns",
    NOTES,
    shelves("phone1 text, phone2 text, phone3 text"),
    shelves("phone1 text, phone2 text"),
    {
      fix: (fix, statement) => `${shelves("name text")};\n${filled("shelf_id", "shelf_id")(fix, statement)}`,
    },
  ),
];

const KEY_CASES = [
  ruleCase(
    "design/no-primary-key",
    NOTES,
    "create table shelves (name text)",
    "create temporary table shelves (name text)",
    {
      fix: behind,
    },
  ),
  ruleCase(
    "design/small-key",
    NOTES,
    "create table shelves (id integer primary key)",
    "create table shelves (id bigint primary key)",
    {
      fix: asTable,
    },
  ),
  ruleCase(
    "design/text-key",
    NOTES,
    "create table shelves (code varchar(8) primary key)",
    "create table shelves (code text primary key)",
    { fix: (fix) => asTable(`code varchar(8), ${fix}`, "") },
  ),
  ruleCase(
    "design/foreign-key-index",
    TASKS,
    "create table labels (id bigint primary key, task_id bigint references tasks)",
    "create table labels (id bigint primary key, task_id bigint references tasks);\ncreate index on labels (task_id)",
    { fix: behind },
  ),
  ruleCase(
    "design/foreign-key-index",
    ORDERS,
    "alter table orders add foreign key (customer_id) references customers not valid",
    "alter table orders add foreign key (customer_id) references customers not valid;\ncreate index concurrently orders_customer_id_idx on orders (customer_id)",
    { when: "of a table that is there", fix: behind },
  ),
  ruleCase(
    "design/foreign-key-type",
    TASKS,
    "create table labels (id bigint primary key, task_id integer references tasks)",
    "create table labels (id bigint primary key, task_id bigint references tasks)",
    { fix: (fix) => `create table labels (id bigint primary key, ${fix} references tasks)` },
  ),
  ruleCase(
    "design/nullable-composite-key",
    PAIRS,
    "create table links (id bigint primary key, a bigint, b bigint, foreign key (a, b) references pairs)",
    "create table links (id bigint primary key, a bigint not null, b bigint not null, foreign key (a, b) references pairs)",
    { fix: "advice" },
  ),
  ruleCase(
    "design/nullable-composite-key",
    PAIRS,
    "create table links (id bigint primary key, a bigint, b bigint, foreign key (a, b) references pairs)",
    "create table links (id bigint primary key, a bigint, b bigint, foreign key (a, b) references pairs match full)",
    { when: "all or none", fix: "advice" },
  ),
];

const INDEX_CASES = [
  ruleCase(
    "design/duplicate-index",
    TASKS,
    "create index concurrently tasks_by_project on tasks (project_id)",
    "create index concurrently tasks_by_project on tasks (project_id desc)",
    { fix: "advice" },
  ),
  ruleCase(
    "design/covered-index",
    TASKS,
    "create index concurrently tasks_by_project on tasks (project_id, status)",
    "create index concurrently tasks_by_project on tasks (status, project_id)",
    { fix: behind },
  ),
  ruleCase(
    "design/boolean-index",
    NOTES,
    "create index concurrently notes_done_idx on notes (is_done)",
    "create index concurrently notes_done_idx on notes (written_at) where is_done",
    { fix: filled("written_at") },
  ),
  ruleCase(
    "design/hash-index",
    NOTES,
    "create index concurrently notes_body_idx on notes using hash (body)",
    "create index concurrently notes_body_idx on notes (body)",
  ),
];

const NAME_CASES = [
  ruleCase(
    "design/long-name",
    NOTES,
    `create table ${LONG} (id bigint primary key)`,
    `create table shelves (id bigint primary key);\ncomment on table shelves is '${LONG}'`,
    { fix: "advice" },
  ),
  ruleCase(
    "design/mixed-case",
    NOTES,
    'create table "noteShelves" (id bigint primary key)',
    "create table noteShelves (id bigint primary key)",
    { fix: "advice" },
  ),
  ruleCase(
    "design/reserved-name",
    NOTES,
    shelves('"user" text'),
    shelves("users text, position integer, date date"),
    { fix: "advice" },
  ),
];

/** `design/*`. */
export const DESIGN_CASES = [...COLUMN_CASES, ...KEY_CASES, ...INDEX_CASES, ...NAME_CASES];
