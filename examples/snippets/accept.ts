/**
 * The acceptance check: brings the database up to date, inserts a snippet and reads it back by its public id.
 * Exits 0 when the same row came back, 1 when not. May run any number of times, on any database.
 */
import { deepStrictEqual } from "node:assert/strict";
import { migratorOn, openDatabase } from "./db.ts";
import { hashPassword } from "./password.ts";
import { type Repositories, repositoriesOn } from "./repositories.ts";

const EMAIL = "ann@example.com";

const say = (line: string): void => void process.stdout.write(`${line}\n`);

const db = await openDatabase();
try {
  say(`database: ${db.target}`);
  const { ran } = await migratorOn(db).up();
  say(
    ran.length === 0
      ? "migrate up: nothing to do"
      : `migrate up: ${ran.map((one) => one.fileName).join(", ")}`,
  );
  await check(repositoriesOn(db));
} finally {
  await db.close();
}

async function check({ users, snippets }: Repositories): Promise<void> {
  const owner =
    (await users.getByEmail(EMAIL)) ??
    (await users.insertUser({ email: EMAIL, passwordHash: await hashPassword("correct horse") }));
  const inserted = await snippets.insertSnippet({
    ownerId: owner.id,
    title: "Hello",
    body: "console.log('hello');",
    language: "typescript",
    isPublic: true,
  });
  say(
    `insertSnippet: id ${inserted.id}, public id ${inserted.publicId}, ${inserted.createdAt.toISOString()}`,
  );
  const found = await snippets.getByPublicId(inserted.publicId);
  deepStrictEqual(found, { ...inserted, owner });
  say(`getByPublicId: the same row, viewed ${found.viewCount} times`);
  const viewed = await snippets.recordView(found.id);
  deepStrictEqual(viewed, { ...inserted, viewCount: 1n });
  const { data } = await snippets.listByOwner(owner.id, { after: null, limit: 1, withPrivate: true });
  deepStrictEqual(data, [viewed]);
  say("recordView, listByOwner: its view was counted, and it is the newest of its owner");
}
