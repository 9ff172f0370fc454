import { type Connection, MalformedRow, type RowReader } from "../../src/driver/index.ts";
import { call } from "./connection.ts";

/** Reads `(int4, text)`: the first in binary, in place. */
export const pairReader: RowReader<{ n: number | null; word: string | null }> = {
  formats: [1, 0],
  typeIds: [23, 0],
  read(buffer, offset, end) {
    let position = offset + 2;
    const next = () => {
      const length = buffer.readInt32BE(position);
      position += 4 + Math.max(0, length);
      return length === -1 ? null : buffer.subarray(position - length, position);
    };
    const n = next()?.readInt32BE(0) ?? null;
    const word = next()?.toString("utf8") ?? null;
    if (position !== end) throw new MalformedRow();
    return { n, word };
  },
  readCells: ([n = null, word = null]) => ({ n: n === null ? null : Number(n), word }),
};

/**
 * A talk with the server in which every message comes that an open session may get. Answers what each call came to:
 * the same every time it is held on a fresh session.
 */
export async function converse(connection: Connection): Promise<readonly unknown[]> {
  const heard: unknown[] = [];
  const stop = connection.onNotice((notice) => heard.push(notice));
  const hear = async (work: Promise<unknown>) => {
    const [result] = await Promise.allSettled([work]);
    heard.push(result?.status === "fulfilled" ? result.value : summaryOf(result?.reason));
  };
  const pairs = (count: number) => ({
    name: "pairs",
    text: "select case when i <> 2 then i end, case when i <> 3 then repeat('é', i) end from generate_series(1, $1::int4) i",
    values: [String(count)],
    leavesNoTrace: true,
  });
  await hear(connection.query(call("select 1, null, 'ü'", ...[])));
  await hear(connection.query(call("")));
  await hear(connection.query(call("create temp table c (a int primary key, b text)")));
  await hear(connection.query(call("insert into c values (1, $1), (2, $2) returning *", "x", null)));
  for (let run = 0; run < 3; run++) await hear(connection.query({ ...pairs(4), rows: pairReader }));
  await hear(connection.query(call("select 1/0")));
  await hear(
    connection.batch([call("update c set b = 'y'"), call("insert into c values (1)"), call("select 1")]),
  );
  await hear(
    connection.script(
      "select 1; do $$ begin raise notice 'ä'; end $$; set application_name = 'talk'; show application_name",
    ),
  );
  await hear(connection.script("listen news; notify news, 'one'"));
  await hear(connection.query(call("copy c to stdout")));
  await hear(connection.query(call("copy c from stdin")));
  await hear(connection.query(call("select repeat('long ', 2000)")));
  await hear(connection.query({ ...pairs(1), rows: pairReader }, { begin: "begin" }));
  await hear(connection.query(call("rollback")));
  const pipelined = Array.from({ length: 5 }, (_, i) =>
    connection.query(
      {
        name: "divide",
        text: "select 12 / $1::int4, 'w'",
        values: [String(i - 2)],
        leavesNoTrace: true,
        rows: pairReader,
      },
      { pipelined: true },
    ),
  );
  for (const work of pipelined) work.catch(() => {});
  for (const work of pipelined) await hear(work);
  stop();
  return heard;
}

function summaryOf(reason: unknown): unknown {
  if (!(reason instanceof Error)) return reason;
  return { message: reason.message, code: "code" in reason ? reason.code : undefined };
}
