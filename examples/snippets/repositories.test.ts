import type { Query } from "plinth";
import { type TestDatabase, testDatabase } from "plinth/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { MIGRATIONS } from "./db.ts";
import { factoriesOn } from "./factories.fixture.ts";
import { type Repositories, repositoriesOn, type SnippetsDatabase } from "./repositories.ts";
import * as schema from "./schema.ts";

let database: TestDatabase<typeof schema>;
let repositories: Repositories;
let make: ReturnType<typeof factoriesOn>;
beforeAll(async () => {
  database = await testDatabase({ schema, migrations: MIGRATIONS });
  repositories = repositoriesOn(database.db);
  make = factoriesOn(database.db);
});
afterAll(() => database.close());

const FIRST_PAGE = { after: null, withPrivate: true };

describe("insertSnippet", () => {
  it("gives the row with what the database made: both ids, the counter and the time", async () => {
    const owner = await make.makeUser();
    const input = {
      ownerId: owner.id,
      title: null,
      body: "x = 1",
      language: "python" as const,
      isPublic: false,
    };
    const row = await repositories.snippets.insertSnippet(input);
    expect(row).toEqual({
      ...input,
      id: expect.any(BigInt),
      publicId: expect.stringMatching(/^[0-9A-Za-z]{10}$/),
      viewCount: 0n,
      createdAt: expect.any(Date),
    });
    expect(await repositories.snippets.getByPublicId(row.publicId)).toEqual({ ...row, owner });
  });

  it("is refused for an owner who does not exist, an empty body and a language that is none of ours", async () => {
    const { snippets } = repositories;
    const owner = await make.makeUser();
    await expect(snippets.insertSnippet({ ownerId: 0n, body: "x" })).rejects.toMatchObject({
      code: "FOREIGN_KEY_VIOLATION",
      columns: ["owner_id"],
    });
    await expect(snippets.insertSnippet({ ownerId: owner.id, body: "" })).rejects.toMatchObject({
      code: "CHECK_VIOLATION",
      constraint: "snippets_body_not_empty",
    });
    // The type allows no other language; another client of the database has no types.
    const foreign = database.db.sql`insert into snippets.snippets (public_id, owner_id, body, language)
      values ('foreign', ${owner.id}, 'x', 'cobol')`;
    await expect(foreign).rejects.toMatchObject({
      code: "CHECK_VIOLATION",
      constraint: "snippets_language_one_of",
    });
  });
});

describe("getByPublicId", () => {
  it("finds nothing where there is nothing", async () => {
    expect(await repositories.snippets.getByPublicId("nothing")).toBeUndefined();
  });

  it("never reads a password hash", async () => {
    const { publicId } = await make.makeSnippet();
    const found = await repositories.snippets.getByPublicId(publicId);
    expect(Object.keys(found?.owner ?? {})).toEqual(["id", "publicId", "email", "createdAt"]);
  });
});

describe("recordView", () => {
  it("loses none of many at once", async () => {
    const { id } = await make.makeSnippet();
    await Promise.all(Array.from({ length: 50 }, async () => repositories.snippets.recordView(id)));
    expect((await database.db.repository(schema.snippets).get(id)).viewCount).toBe(50n);
  });
});

describe("listByOwner", () => {
  it("gives the owner's own, newest first, page by page, each once", async () => {
    const owner = await make.makeUser();
    await make.makeSnippet();
    // Rows of one statement share their created_at, so that only the public id tells them apart.
    const all = [
      ...(await make.makeSnippet.many(4, { ownerId: owner.id })),
      await make.makeSnippet({ ownerId: owner.id }),
    ];
    const seen: string[] = [];
    let after: string | null = null;
    do {
      const page: Awaited<ReturnType<Repositories["snippets"]["listByOwner"]>> =
        await repositories.snippets.listByOwner(owner.id, { ...FIRST_PAGE, after, limit: 2 });
      seen.push(...page.data.map((row) => row.publicId));
      after = page.meta.nextCursor;
    } while (after !== null);
    const expected = all.toSorted(
      (a, b) => b.createdAt.getTime() - a.createdAt.getTime() || (a.publicId < b.publicId ? 1 : -1),
    );
    expect(seen).toEqual(expected.map((row) => row.publicId));
  });

  it("leaves private ones out unless they are asked for", async () => {
    const owner = await make.makeUser();
    await make.makeSnippet.many(2, (i) => ({ ownerId: owner.id, isPublic: i === 0 }));
    const count = async (withPrivate: boolean): Promise<number> =>
      (await repositories.snippets.listByOwner(owner.id, { after: null, withPrivate })).data.length;
    expect([await count(true), await count(false)]).toEqual([2, 1]);
  });

  it("has no internal id in its cursor", async () => {
    const owner = await make.makeUser();
    const [snippet] = await make.makeSnippet.many(2, { ownerId: owner.id });
    const { meta } = await repositories.snippets.listByOwner(owner.id, { ...FIRST_PAGE, limit: 1 });
    const cursor = Buffer.from(meta.nextCursor ?? "", "base64url").toString();
    expect(cursor).toMatch(/\["\d{4}-[^"]+","[0-9A-Za-z]{10}"\]$/);
    expect(cursor).not.toContain(`"${snippet?.id}"`);
  });
});

describe("the indexes", () => {
  let large: TestDatabase<typeof schema>;
  beforeAll(async () => {
    large = await testDatabase({ schema, migrations: MIGRATIONS, setup: fill });
  });
  afterAll(() => large.close());

  /** Five thousand users; a hundred of them have five hundred snippets each, a third of them public. */
  async function fill(db: SnippetsDatabase): Promise<void> {
    await db.sql`insert into snippets.users (public_id, email, password_hash)
      select 'u' || n, n || '@example.org', 'none' from generate_series(1, 5000) n`;
    await db.sql`insert into snippets.snippets (public_id, owner_id, body, is_public, created_at)
      select 's' || n, 1 + n % 100, 'select 1', n % 3 = 0, now() - n * interval '1 minute'
      from generate_series(1, 50000) n`;
    await db.sql`analyze snippets.users, snippets.snippets`;
  }

  it("serve every query at the size of a real application, without sorting", async () => {
    const { users, snippets } = repositoriesOn(large.db);
    const owner = await users.getByPublicId("u7");
    const page = await snippets.listByOwner(owner?.id ?? 0n, FIRST_PAGE);
    expect(page.data).toHaveLength(20);
    for (const withPrivate of [true, false]) {
      for (const after of [null, page.meta.nextCursor]) {
        const plan = await planOf(large.db, snippets.listByOwner(owner?.id ?? 0n, { after, withPrivate }));
        expect(plan).toContain("Index Scan on snippets_of_owner");
        expect(plan.filter((node) => /Sort|Seq Scan/.test(node))).toEqual([]);
      }
    }
    expect(await planOf(large.db, snippets.getByPublicId("s7"))).toEqual(
      expect.arrayContaining(["Index Scan on snippets_public_id_unique", "Index Scan on users_pkey"]),
    );
    expect(await planOf(large.db, users.getByEmail("7@example.org"))).toContain(
      "Index Scan on users_email_unique",
    );
  });
});

interface PlanNode {
  readonly "Node Type": string;
  readonly "Index Name"?: string;
  readonly Plans?: readonly PlanNode[];
}

/** The nodes of a query's plan, outermost first: `Index Scan on snippets_of_owner`. */
async function planOf(db: SnippetsDatabase, query: Query<unknown>): Promise<readonly string[]> {
  const { text, values } = query.toSQL();
  const { rows } = await db.pool.use((connection) =>
    connection.query({ text: `explain (format json) ${text}`, values }),
  );
  const [{ Plan }]: [{ Plan: PlanNode }] = JSON.parse(rows[0]?.[0] ?? "");
  return nodesOf(Plan);
}

function nodesOf(node: PlanNode): readonly string[] {
  const index = node["Index Name"];
  const name = index === undefined ? node["Node Type"] : `${node["Node Type"]} on ${index}`;
  return [name, ...(node.Plans ?? []).flatMap(nodesOf)];
}
