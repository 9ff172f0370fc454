/** What is known about a type without asking the server. */
export interface BaseType {
  readonly name: string;
  /** The server's category: `S` for strings. */
  readonly category: string;
  /** `atttypmod`; -1 for none. */
  readonly modifier: number;
}

/** Writes the n-th value; as long as a type has that many, all differ. */
type Writer = (n: number, modifier: number) => string;

/**
 * The n-th value of a type as text, or undefined for a type nobody has told Plinth about. Values differ as long as the
 * type has that many, and grow with n where that is easy, so that two neighbours make a range.
 */
export function baseValue({ name, category, modifier }: BaseType, n: number): string | undefined {
  const writer = WRITERS[name];
  if (writer !== undefined) return writer(n, modifier);
  // `citext` and other strings of extensions.
  return category === "S" ? textValue(n, -1) : undefined;
}

/** Whether the server can sort values of the type, which is how bounds of a range are found. */
export function isSortable(name: string): boolean {
  return SORTABLE.has(name);
}

const SORTABLE = new Set(
  "int2 int4 int8 numeric float4 float8 money text varchar bpchar name date time timetz timestamp timestamptz interval inet uuid pg_lsn oid".split(
    " ",
  ),
);

const WORDS = ["alpha", "beta", "gamma", "delta", "omega"];

/** With and without a blank, in both cases, and now and then something that breaks SQL put together from strings. */
function textValue(n: number, length: number): string {
  const word = WORDS[n % WORDS.length] ?? "x";
  const text =
    [`${word} ${n}`, `${word}${n}`, `${word.toUpperCase()}${n}`, `${word} Ü'"\\ ${n}`][n % 4] ?? word;
  return length < 0 || text.length <= length ? text : shortText(n, length);
}

/** As many different texts as fit: letters and digits, never a trailing blank. */
function shortText(n: number, length: number): string {
  const digits = n.toString(36);
  return digits.length <= length ? digits.padStart(Math.min(length, 4), "a") : digits.slice(-length);
}

function decimal(n: number, modifier: number): string {
  if (modifier < 0) return `${n + 1}.5`;
  const [precision, scale] = numericScale(modifier);
  const whole = Math.max(0, Math.min(precision - scale, 15));
  if (scale < 0) return `${(n % 10 ** Math.min(precision, 15)) + 1}${"0".repeat(-scale)}`;
  if (whole === 0) return `0.${String((n % 9) + 1).padStart(scale, "0")}`;
  const number = (n + 1) % 10 ** whole;
  return scale === 0 ? String(number) : `${number}.${String(n % 10).padStart(scale, "0")}`;
}

/** Precision and scale of `numeric(p, s)`; the scale may be negative from PostgreSQL 15 on. */
function numericScale(modifier: number): readonly [number, number] {
  const packed = modifier - 4;
  return [(packed >> 16) & 0xffff, ((packed & 0x7ff) ^ 1024) - 1024];
}

/** Counts from 1, with a zero and a negative number on the way. */
function integer(n: number): string {
  return n === 2 ? "0" : n === 4 ? "-1" : String(n < 2 ? n + 1 : n < 4 ? n : n - 1);
}

function day(n: number): string {
  if (n === 5) return "1969-07-20";
  if (n === 6) return "2999-12-31";
  return new Date(Date.UTC(2024, 0, 1 + n)).toISOString().slice(0, 10);
}

function clock(n: number): string {
  const pad = (value: number): string => String(value).padStart(2, "0");
  return `${pad(n % 24)}:${pad((n * 7) % 60)}:${pad((n * 13) % 60)}`;
}

function bits(n: number, length: number): string {
  return n.toString(2).slice(-length).padStart(length, "0");
}

function hex(n: number, length: number): string {
  return n.toString(16).padStart(length, "0").slice(-length);
}

const LENGTH_HEADER = 4;

const stringWriter: Writer = (n, modifier) => textValue(n, modifier < 0 ? -1 : modifier - LENGTH_HEADER);
const integerWriter: Writer = (n) => integer(n);

/** Of one value, where no other is of use in a table. */
const always =
  (...texts: readonly string[]): Writer =>
  (n) =>
    texts[n % texts.length] ?? "";

const json: Writer = (n) =>
  ['{"a": 1}', "{}", '[1, "x"]', '"text"', "7", "true"][n] ?? `{"n": ${n}, "label": "it's ${n}"}`;

const WRITERS: Readonly<Record<string, Writer>> = {
  bool: always("true", "false"),
  int2: integerWriter,
  int4: integerWriter,
  int8: integerWriter,
  oid: (n) => String(n + 20_000),
  float4: (n) => String(n + 0.5),
  float8: (n) => String(n + 0.5),
  numeric: decimal,
  money: (n) => `${n + 1}.50`,
  text: stringWriter,
  varchar: stringWriter,
  // Without a length `bpchar` is any text; with one it is padded.
  bpchar: stringWriter,
  name: (n) => `name_${n}`,
  char: (n) => String.fromCharCode(97 + (n % 26)),
  bytea: (n) => `\\x${hex(n, 8)}`,
  date: day,
  time: clock,
  timetz: (n) => `${clock(n)}+00`,
  timestamp: (n) => `${day(n)} ${clock(n)}.123456`,
  timestamptz: (n) => `${day(n)} ${clock(n)}.123456+00`,
  interval: (n) => `${n + 1} days ${n % 24} hours`,
  uuid: (n) => `00000000-0000-4000-8000-${hex(n + 1, 12)}`,
  json,
  jsonb: json,
  jsonpath: (n) => `$."a${n}"`,
  xml: (n) => `<row n="${n}">text</row>`,
  inet: (n) => (n % 5 === 4 ? `2001:db8::${hex(n, 4)}` : `10.0.${(n >> 8) % 256}.${n % 256}`),
  cidr: (n) => `10.${(n >> 8) % 256}.${n % 256}.0/24`,
  macaddr: (n) => `08:00:2b:01:${hex(n >> 8, 2)}:${hex(n, 2)}`,
  macaddr8: (n) => `08:00:2b:01:02:03:${hex(n >> 8, 2)}:${hex(n, 2)}`,
  bit: (n, modifier) => bits(n, Math.max(1, modifier)),
  varbit: (n, modifier) => bits(n, modifier < 0 ? 16 : modifier),
  tsvector: (n) => `'row':1 'word${n}':2`,
  tsquery: (n) => `'row' & 'word${n}'`,
  point: (n) => `(${n},${n + 1})`,
  line: (n) => `{1,-1,${n}}`,
  lseg: (n) => `[(${n},0),(${n + 1},1)]`,
  box: (n) => `(${10 * n + 5},5),(${10 * n},0)`,
  path: (n) => `[(${n},0),(${n + 1},1),(${n + 2},0)]`,
  polygon: (n) => `((${10 * n},0),(${10 * n + 5},5),(${10 * n + 5},0))`,
  circle: (n) => `<(${10 * n},0),2>`,
  pg_lsn: (n) => `0/${hex(n + 1, 8).toUpperCase()}`,
  tid: (n) => `(0,${n + 1})`,
  xid: (n) => String(n + 3),
  xid8: (n) => String(n + 3),
  cid: (n) => String(n),
  txid_snapshot: (n) => `${10 + n}:${20 + n}:`,
  pg_snapshot: (n) => `${10 + n}:${20 + n}:`,
  int2vector: (n) => `${n} 1`,
  oidvector: (n) => `${n} 1`,
  refcursor: (n) => `cursor_${n}`,
  regclass: always("pg_class", "pg_type", "pg_proc"),
  regtype: always("integer", "text", "boolean"),
  regproc: always("pg_sleep", "now"),
  regprocedure: always("abs(integer)", "now()", "lower(text)"),
  regoper: always("||/", "!!"),
  regoperator: always("+(integer,integer)", "-(integer,integer)"),
  regrole: always("pg_monitor", "pg_read_all_data"),
  regnamespace: always("pg_catalog", "information_schema"),
  regcollation: always('"C"', '"POSIX"'),
  regconfig: always("simple", "english"),
  regdictionary: always("simple", "english_stem"),
  // Of extensions, by the names they go by.
  hstore: (n) => `"a"=>"${n}"`,
  ltree: (n) => `top.node${n}`,
  lquery: (n) => `top.node${n}`,
  cube: (n) => `(${n}, ${n + 1})`,
  geometry: (n) => `POINT(${n % 90} ${n % 90})`,
  geography: (n) => `POINT(${n % 90} ${n % 90})`,
  vector: (n, modifier) =>
    `[${Array.from({ length: modifier < 0 ? 3 : modifier }, (_, at) => n + at + 1).join(",")}]`,
};
