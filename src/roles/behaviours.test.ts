import { type AnyPgColumn, text } from "drizzle-orm/pg-core";
import { createDatabase } from "plinth";
import { appSchema, authorship, entity, identityKey, timestamps, ulidKey, versioned } from "plinth/schema";
import { expect, it, onTestFinished } from "vitest";
import { BEHAVIOURS } from "../behaviours.ts";
import { renderSchema } from "../catalog/index.ts";
import { prepareHistory } from "../history/index.ts";
import { describeSchema } from "../schema/index.ts";
import { quoteIdentifier } from "../sql/index.ts";
import { openGround } from "./ground.fixture.ts";

function schemaOf(schemaName: string) {
  const app = appSchema(schemaName);
  const books = entity(
    app,
    "books",
    { id: ulidKey(), title: text().notNull(), ...timestamps(), ...authorship(), ...versioned() },
    { softDelete: true, history: true, search: { columns: ["title"] } },
  );
  const pages = entity(
    app,
    "pages",
    {
      id: identityKey(),
      bookId: text()
        .notNull()
        .references((): AnyPgColumn => books.id, { onDelete: "cascade" }),
    },
    { softDelete: true, history: true },
  );
  return { app, books, pages };
}

it("lets an application do all that Plinth does, as the role that may do no more", async () => {
  const ground = await openGround();
  onTestFinished(() => ground.close());
  const { names, schemaName, target, database } = ground;
  await ground.sync();
  const schema = schemaOf(schemaName);
  const migrator = await ground.as(names.migrator);
  const { up } = renderSchema(describeSchema(schema), BEHAVIOURS);
  await migrator.script(`set search_path to ${quoteIdentifier(schemaName)}; ${up.join(";\n")}`);
  await prepareHistory({ connection: migrator, schemaName });
  await ground.sync({ connection: migrator });
  expect(await ground.check()).toEqual([]);

  const url = `postgres://${names.app}@${target.host}:${target.port}/${database}`;
  const db = await createDatabase({ schema, url, pool: { max: 2 } });
  onTestFinished(() => db.close());
  const [books, pages] = [db.repository(schema.books), db.repository(schema.pages)];
  await db.as({ userId: "ada", reason: "reading" }, async () => {
    const book = await books.create({ title: "Release notes" });
    await pages.createMany([{ bookId: book.id }, { bookId: book.id }]);
    await books.update(book.id, { title: "Release notes, again" });
    expect((await books.search("release")).data).toHaveLength(1);
    await books.delete(book.id);
    expect([await books.count(), await pages.count()]).toEqual([0, 0]);
    await books.restore(book.id);
    expect(await pages.count()).toBe(2);
    const { data } = await books.history(book.id);
    expect(data.map(({ operation, actor }) => [operation, actor.userId, actor.role])).toEqual([
      ["restore", "ada", names.app],
      ["delete", "ada", names.app],
      ["update", "ada", names.app],
      ["insert", "ada", names.app],
    ]);
    await books.delete(book.id);
    await books.purge(book.id);
    expect(await books.withDeleted().count()).toBe(0);
  });
  expect((await db.health()).status).toBe("ok");
  expect((await db.diagnose()).problems).toEqual([]);
  // And nothing about the record of it: the right is missing, before any guard.
  const history = `${quoteIdentifier(schemaName)}.books_history`;
  const app = await ground.as(names.app);
  for (const text of [
    `insert into ${history} (row_key) values ('x')`,
    `update ${history} set reason = null`,
    `delete from ${history}`,
    `truncate ${history}`,
    `select * from ${history}_default`,
  ]) {
    await expect(app.script(text)).rejects.toMatchObject({ code: "PERMISSION_DENIED" });
  }
  const { rows } = await migrator.query({
    text: "select relname from pg_class where relname like 'plinth_books_history_%' and relispartition and relkind = 'r'",
    values: [],
  });
  expect(rows.length).toBeGreaterThan(0);
  for (const [partition] of rows) {
    await expect(
      app.script(`select * from ${quoteIdentifier(schemaName)}.${quoteIdentifier(String(partition))}`),
    ).rejects.toMatchObject({ code: "PERMISSION_DENIED" });
  }
});
