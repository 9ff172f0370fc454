import { PassThrough } from "node:stream";
import { createDatabase, type Query } from "plinth";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import * as domain from "../../../test/support/domain.ts";
import { openLibrary } from "../../../test/support/library.ts";
import { startProxy } from "../../../test/support/proxy.ts";
import { rejection } from "../../../test/support/rejection.ts";

const { db, url, repo } = await openLibrary();

const AUTHORS = ["a", "b", "c"].map((id) => ({
  id,
  email: `${id}@x`,
  name: `N "${id}", ü`,
  bio: id === "a" ? "1\n2" : null,
  apiToken: "secret",
}));

beforeAll(async () => {
  await repo.authors.createMany(AUTHORS);
  await repo.authors.delete("c");
  await repo.books.createMany(
    ["1", "2", "3"].map((id) => ({ id, authorId: id === "3" ? "b" : "a", title: `T${id}` })),
  );
});

async function textOf(pieces: AsyncIterable<Buffer>): Promise<string> {
  const all: Buffer[] = [];
  for await (const piece of pieces) all.push(piece);
  return Buffer.concat(all).toString();
}

const ENDLESS = "from generate_series(1, 10000) a, generate_series(1, 10000) b";

describe("copyOut of a repository", () => {
  it("gives the living, without secrets, as text", async () => {
    const text = await textOf(repo.authors.copyOut({ sort: "id", columns: ["id", "name", "bio"] }));
    expect(text).toBe('a\tN "a", ü\t1\\n2\nb\tN "b", ü\t\\N\n');
    const all = await textOf(repo.authors.copyOut({ format: "csv", header: true }));
    expect(all.split("\n")[0]).toBe(
      "id,email,name,bio,created_at,updated_at,created_by,updated_by,deleted_at,deleted_by",
    );
    expect(all).not.toContain("secret");
    expect(all).not.toContain("c@x");
  });

  it("gives the dead to whoever asks for them", async () => {
    expect(await textOf(repo.authors.onlyDeleted().copyOut({ columns: ["email"] }))).toBe("c@x\n");
    expect(await textOf(repo.authors.withDeleted().copyOut({ columns: ["id"], sort: "-id" }))).toBe(
      "c\nb\na\n",
    );
  });

  it("takes every option, and the columns in their order", async () => {
    const options = { format: "csv", header: true, delimiter: ";", null: "-", sort: "id" } as const;
    expect(await textOf(repo.authors.copyOut({ ...options, columns: ["bio", "id"] }))).toBe(
      'bio;id\n"1\n2";a\n-;b\n',
    );
    const binary = await textOf(repo.authors.copyOut({ format: "binary", columns: ["id"] }));
    expect(binary.startsWith("PGCOPY\n")).toBe(true);
  });

  it("finds rows as a list does, whatever the values say", async () => {
    const where = (value: string) =>
      textOf(repo.authors.copyOut({ where: { name: value }, columns: ["id"] }));
    expect(await where('N "a", ü')).toBe("a\n");
    for (const value of ["' or true --", "\\' or true --", "$1", "'; drop table library.authors; --", "\\"])
      expect(await where(value)).toBe("");
    const related = {
      where: { author: { is: { name: { startsWith: "N" } } } },
      columns: ["id"],
      sort: ["-author.name", "id"],
    };
    expect(await textOf(repo.books.copyOut(related as never))).toBe("3\n1\n2\n");
    expect(
      await textOf(
        repo.books.copyOut({ where: { id: { in: ["1", "3", "x"] } }, columns: ["id"], sort: "id" }),
      ),
    ).toBe("1\n3\n");
  });

  it("refuses what a list refuses, and bad options, before anything is sent", async () => {
    const wrong = [
      { where: { nope: 1 } },
      { where: { apiToken: "secret" } },
      { sort: "nope" },
      { columns: ["apiToken"] },
      { columns: [] },
      { columns: ["id", "id"] },
      { limit: 5 },
      { format: "json" },
      { header: "match" },
      { header: "true) to program 'x'" },
      { format: "binary", header: true },
      { delimiter: 7 },
    ];
    for (const options of wrong) {
      expect(await rejection(textOf(repo.authors.copyOut(options as never)))).toMatchObject({
        code: "INVALID_QUERY",
      });
    }
    expect(await rejection(textOf(repo.authors.copyOut({ delimiter: "ab" })))).toMatchObject({
      sqlstate: expect.stringMatching(/^(0A000|22023)$/),
    });
    expect(db.pool.stats.inUse).toBe(0);
  });

  it("shows the transaction's own rows, and refuses it other statements until the loop is over", async () => {
    await db
      .transaction(async () => {
        await repo.authors.create({ id: "d", email: "d@x", name: "D" });
        const text: string[] = [];
        for await (const piece of repo.authors.copyOut({ columns: ["id"], sort: "id" })) {
          text.push(piece.toString());
          expect(await rejection(repo.authors.count())).toMatchObject({ code: "TRANSACTION_CONTROL" });
          expect(await rejection(db.batch([repo.authors.count()]))).toMatchObject({
            code: "TRANSACTION_CONTROL",
          });
        }
        expect(text.join("")).toBe("a\nb\nd\n");
        expect(await repo.authors.count()).toBe(3);
        throw new Error("undo");
      })
      .catch((error: unknown) => expect(String(error)).toContain("undo"));
  });
});

describe("db.copyOut", () => {
  it.each(["plinth", "pg"] as const)("gives a query's rows, on the %s wire", async (wire) => {
    const other = await createDatabase({ schema: domain, url, session: { wire } });
    onTestFinished(() => other.close());
    const seen: number[] = [];
    const pieces = other.copyOut(
      other.sql`select i, ${"it's"} as word from generate_series(1, ${50_000}) i -- no`,
      {
        onProgress: ({ bytes }) => seen.push(bytes),
      },
    );
    expect(await rejection(textOf(pieces))).toMatchObject({ code: "INVALID_QUERY" });
    const query = other.sql`select i, ${"it's"} as word from generate_series(1, ${50_000}) i`;
    const text = await textOf(other.copyOut(query, { onProgress: ({ bytes }) => seen.push(bytes) }));
    expect(text).toBe(Array.from({ length: 50_000 }, (_, i) => `${i + 1}\tit's\n`).join(""));
    expect(seen.length).toBeGreaterThan(3);
    expect(seen.at(-1)).toBe(text.length);
    expect(await textOf(other.copyOut(other.sql`select '\\', 1 -- no value, no doubt`))).toBe("\\\\\t1\n");
  });

  it("writes values where parameters stand, and nowhere else", async () => {
    const values = ["", "'", "''", "\\", "\\'", "$1", "--", "/*", "é", "a\nb\tc", "'; select 1; --"];
    for (const value of values) {
      const text = await textOf(
        db.copyOut(db.sql`select ${value} = ${value}, length(${value}), ${null}::text, ${1n} + 1`),
      );
      expect(text).toBe(`t\t${value.length}\t\\N\t2\n`);
    }
    expect(await textOf(db.copyOut(db.sql`select ${Buffer.from([0, 255])}::bytea, ${[1, 2]}::int[]`))).toBe(
      "\\\\x00ff\t{1,2}\n",
    );
  });

  it("refuses a hole of which it is not certain", async () => {
    const x = "' or true";
    const doubtful = [
      db.sql`select '%${x}%'`,
      db.sql`select "a${x}"`,
      db.sql`select a${x} from t`,
      db.sql`select ${x}b`,
      db.sql`select 'a ${x}`,
      db.sql`select "a ${x}`,
      db.sql`select $$ ${x} $$`,
      db.sql`select $a$ ${x} $a$`,
      db.sql`select E'\\' ${x}`,
      db.sql`select '\\' ${x}`,
      db.sql`select 1 /* ${x} */`,
      db.sql`select 1 -- ${x}`,
      db.sql`select '$1', ${x}1`,
    ];
    for (const query of doubtful) {
      expect(await rejection(textOf(db.copyOut(query)))).toMatchObject({ code: "INVALID_QUERY" });
    }
    expect(db.pool.stats.inUse).toBe(0);
  });

  it("keeps values out of its errors", async () => {
    const error = await rejection(textOf(db.copyOut(db.sql`select ${"geheim"}::int`)));
    expect(error).toMatchObject({ code: "INVALID_DATA", statement: expect.stringContaining("$1::int") });
    expect(JSON.stringify(error) + error.stack + String(error)).not.toContain("geheim");
  });

  it("takes a query of this database only, once, and no repository's", async () => {
    const other = await createDatabase({ schema: domain, url });
    onTestFinished(() => other.close());
    const ran = db.sql`select 1`;
    await ran;
    const wrong = [ran, other.sql`select 1`, repo.authors.list(), Promise.resolve([]), "select 1"];
    for (const query of wrong) {
      expect(await rejection(textOf(db.copyOut(query as Query<unknown>)))).toMatchObject({
        code: "INVALID_QUERY",
      });
    }
    expect(await rejection(textOf(db.copyOut(db.sql`select 1; select 2`)))).toMatchObject({
      code: "STATEMENT_INVALID",
    });
  });

  it("frees its connection when the loop is left, also while the server is silent", async () => {
    const started = performance.now();
    for await (const piece of db.copyOut(
      db.sql`select repeat('x', 10000) from generate_series(1, 20) union all select pg_sleep(30)::text`,
    )) {
      expect(piece.length).toBeGreaterThan(0);
      break;
    }
    for await (const _ of db.copyOut(db.sql([`select repeat('x', 1000) ${ENDLESS}`] as never))) break;
    expect(db.pool.stats.inUse).toBe(0);
    const loop = async () => {
      for await (const _ of db.copyOut(db.sql([`select 1 ${ENDLESS}`] as never))) throw new Error("mine");
    };
    await expect(loop()).rejects.toThrow("mine");
    expect(db.pool.stats.inUse).toBe(0);
    expect(performance.now() - started).toBeLessThan(25_000);
  });

  it("goes on in its transaction after a break", async () => {
    await db.transaction(async (tx) => {
      for await (const _ of tx.copyOut(
        tx.sql`select repeat('x', 10000) from generate_series(1, 20) union all select pg_sleep(30)::text`,
      ))
        break;
      expect(await tx.sql`select 1 as one`).toEqual([{ one: 1 }]);
    });
  });

  it("ends with its signal", async () => {
    const signal = AbortSignal.timeout(50);
    expect(await rejection(textOf(db.copyOut(db.sql`select pg_sleep(30)`, { signal })))).toMatchObject({
      code: "QUERY_CANCELED",
    });
    expect(db.pool.stats.inUse).toBe(0);
  });

  it.each(["RST", "FIN"] as const)(
    "fails once, never as if it had ended, when the connection is lost (%s)",
    async (end) => {
      const proxy = await startProxy(url);
      onTestFinished(() => proxy.close());
      const other = await createDatabase({ schema: domain, url: proxy.urlFor(url) });
      onTestFinished(() => other.close({ deadlineMs: 0 }));
      let pieces = 0;
      const reading = (async () => {
        for await (const _ of other.copyOut(other.sql([`select repeat('x', 1000) ${ENDLESS}`] as never))) {
          if (pieces++ === 5) end === "RST" ? proxy.resetAll() : proxy.halfCloseAll();
        }
      })();
      expect(await rejection(reading)).toMatchObject({ code: "CONNECTION_LOST" });
      expect(other.pool.stats.inUse).toBe(0);
    },
  );
});

describe("db.copyIn", () => {
  it("takes the bytes that copyOut gives, in every format", async () => {
    const columns = ["id", "email", "name", "bio"] as const;
    for (const format of ["text", "csv", "binary"] as const) {
      const header = format !== "binary";
      const query = db.sql`select id || '2', email || '2', name, bio from library.authors order by id`;
      const pieces = db.copyOut(query, { format, header });
      const copied = await db.copyIn(domain.authors, pieces, { columns, format, header });
      expect(copied).toEqual({ rows: 3 });
      expect(await repo.authors.get("a2", { columns: [...columns] })).toEqual({
        id: "a2",
        email: "a@x2",
        name: 'N "a", ü',
        bio: "1\n2",
      });
      await repo.authors.withDeleted().purgeMany({ where: { id: { endsWith: "2" } } });
    }
  });

  it("takes pieces of any size, texts and bytes, and says how far it has come", async () => {
    const rows = Array.from({ length: 20_000 }, (_, i) => `m${i},${i}@m,Ü ${i}\n`);
    const seen: number[] = [];
    const source = [
      rows.slice(0, 10_000).join(""),
      ...rows.slice(10_000, 15_000),
      Buffer.from(rows.slice(15_000).join("")),
    ];
    const copied = await db.copyIn(domain.authors, source, {
      columns: ["id", "email", "name"],
      format: "csv",
      onProgress: ({ bytes }) => seen.push(bytes),
    });
    expect(copied).toEqual({ rows: 20_000 });
    expect(seen.at(-1)).toBe(Buffer.byteLength(rows.join("")));
    expect(await repo.authors.get("m19999", { columns: ["name"] })).toEqual({ name: "Ü 19999" });
    expect(
      await db.copyIn(domain.authors, rows[0]?.replaceAll("m", "n") ?? "", {
        columns: ["id", "email", "name"],
        format: "csv",
      }),
    ).toEqual({
      rows: 1,
    });
    await db.sql`delete from library.authors where email like '%@m' or email like '%@n'`;
  });

  it("matches a header, and refuses another", async () => {
    const options = { columns: ["id", "email", "name"], format: "csv", header: "match" } as const;
    expect(await db.copyIn(domain.authors, "id,email,name\nh,h,h\n", options)).toEqual({ rows: 1 });
    expect(await rejection(db.copyIn(domain.authors, "id,name,email\ni,i,i\n", options))).toMatchObject({
      code: "INVALID_DATA",
    });
    await db.sql`delete from library.authors where id = 'h'`;
  });

  it("says where the server met what it refuses, without the value", async () => {
    const source = "1\tb\tT\tx1\n2\tb\tT\tgeheim\n";
    const error = await rejection(
      db.copyIn(domain.books, source, { columns: ["id", "authorId", "title", "pages"] }),
    );
    expect(error).toMatchObject({ code: "INVALID_DATA", line: 1, columns: ["pages"] });
    expect(error.summary).toBe(
      "a value cannot be stored in, or read as, the column's type (line 1, column pages) [22P02]",
    );
    expect(JSON.stringify(error) + String(error)).not.toContain("x1");
  });

  it("refuses what is no byte, and unknown columns and options", async () => {
    const wrong = [[7], [{}], ["a\ud800"], Buffer.from("abc")] as never[];
    for (const source of wrong)
      expect(await rejection(db.copyIn(domain.authors, source))).toMatchObject({ code: "INVALID_VALUE" });
    for (const options of [
      { columns: ["nope"] },
      { header: "x" },
      { delimitr: "," },
      { format: "binary", null: "" },
    ])
      expect(await rejection(db.copyIn(domain.authors, [], options as never))).toMatchObject({
        code: "INVALID_QUERY",
      });
    expect(db.pool.stats.inUse).toBe(0);
  });

  it("lets go of a stream that is silent when its signal is aborted", async () => {
    const source = new PassThrough();
    source.write("t\tt\tt\n");
    const signal = AbortSignal.timeout(50);
    const copying = db.copyIn(domain.authors, source, { columns: ["id", "email", "name"], signal });
    expect(await rejection(copying)).toMatchObject({ code: "QUERY_CANCELED" });
    expect(source.destroyed).toBe(true);
    expect(await repo.authors.find("t")).toBeUndefined();
  });

  it("lets go of a stream that nothing was read from when its signal was aborted before", async () => {
    const source = new PassThrough();
    const copying = db.copyIn(domain.authors, source, { signal: AbortSignal.abort() });
    expect(await rejection(copying)).toMatchObject({ code: "QUERY_CANCELED" });
    expect(source.destroyed).toBe(true);
  });

  it("is part of the transaction whose handle it is called on", async () => {
    await db
      .transaction(async (tx) => {
        await tx.copyIn(domain.authors, "t\tt\tt\n", { columns: ["id", "email", "name"] });
        throw new Error("undo");
      })
      .catch((error: unknown) => expect(String(error)).toContain("undo"));
    expect(await repo.authors.find("t")).toBeUndefined();
  });
});
