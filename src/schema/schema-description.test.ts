import { type AnyPgColumn, text } from "drizzle-orm/pg-core";
import { describe, expect, it } from "vitest";
import * as domain from "../../test/support/domain.ts";
import { appSchema, describeSchema, describeTable, entity, relations, ulidKey } from "./index.ts";

const app = appSchema("library");
const messageOf = (schema: Record<string, unknown>) => {
  try {
    describeSchema(schema);
  } catch (error) {
    return error instanceof Error ? error.message : error;
  }
  return "accepted";
};

const people = entity(app, "people", { id: ulidKey(), name: text().notNull() });
const letters = entity(app, "letters", {
  id: ulidKey(),
  senderId: text().references((): AnyPgColumn => people.id),
  receiverId: text().references((): AnyPgColumn => people.id),
});

describe("describeSchema", () => {
  it("finds entities and relations, and passes over enums and types", () => {
    const { entities, relationsOf } = describeSchema(domain);
    expect(entities.map((found) => found.name)).toContain("books");
    expect(entities).toHaveLength(10);
    expect(
      [...relationsOf(describeTable(domain.books)).values()].map(({ name, kind, target }) => [
        name,
        kind,
        target.name,
      ]),
    ).toEqual([
      ["author", "one", "authors"],
      ["samples", "many", "samples"],
      ["loans", "many", "loans"],
    ]);
  });

  it("joins a self reference both ways", () => {
    const found = describeSchema(domain).relationsOf(describeTable(domain.categories));
    expect(found.get("parent")).toMatchObject({
      kind: "one",
      sourceColumns: ["parent_id"],
      targetColumns: ["id"],
    });
    expect(found.get("children")).toMatchObject({
      kind: "many",
      sourceColumns: ["id"],
      targetColumns: ["parent_id"],
    });
  });

  it("asks which foreign key a relation means where there are two", () => {
    const letterRelations = relations(letters, (r) => ({ person: r.one(people) }));
    expect(messageOf({ people, letters, letterRelations })).toBe(
      'relation "person" of "letters": several foreign keys join it to "people"\n  Say which: { via: "senderId" or "receiverId" }.',
    );
    const chosen = relations(letters, (r) => ({ sender: r.one(people, { via: "senderId" }) }));
    expect(messageOf({ people, letters, chosen })).toBe("accepted");
  });

  it("refuses a relation that no foreign key stands for, and suggests the key that was meant", () => {
    const none = relations(people, (r) => ({ books: r.many(domain.books) }));
    expect(messageOf({ people, none })).toContain(
      'relation "books" of "people": no foreign key joins it to "books"',
    );
    const misspelt = relations(letters, (r) => ({ sender: r.one(people, { via: "sendrId" }) }));
    expect(messageOf({ letters, misspelt })).toContain(
      'unknown foreign key "sendrId"; did you mean "senderId"?',
    );
  });

  it("refuses one row where several may refer to this one", () => {
    const one = relations(domain.authors, (r) => ({ book: r.one(domain.books) }));
    expect(messageOf({ ...domain, one })).toContain(
      'relation "book" of "authors": several rows of "books" may refer to one, as "authorId" is not unique\n  Declare it as r.many(…)',
    );
  });

  it("refuses a relation with the name of a column", () => {
    const clash = relations(domain.books, (r) => ({ title: r.one(domain.authors) }));
    expect(messageOf({ ...domain, clash })).toContain('relation "title" of "books" has the name of a column');
  });

  it("refuses two entities of one name", () => {
    expect(messageOf({ people, again: entity(app, "people", { id: ulidKey() }) })).toBe(
      'two entities are called "people" in schema "library"',
    );
  });

  it("refuses a foreign key onto a unique key that holds among the living only", () => {
    const child = entity(app, "children", {
      id: ulidKey(),
      email: text().references((): AnyPgColumn => domain.authors.email),
    });
    expect(messageOf({ ...domain, child })).toContain(
      'names a unique key of "authors", which is soft-deleted',
    );
  });
});
