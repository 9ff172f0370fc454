/** A studio: one of everything that can be declared. */
import { eq, sql } from "drizzle-orm";
import {
  type AnyPgColumn,
  bigint,
  boolean,
  check,
  date,
  index,
  integer,
  numeric,
  pgPolicy,
  pgRole,
  primaryKey,
  text,
  timestamp,
  unique,
  uniqueIndex,
} from "drizzle-orm/pg-core";
import { appSchema, comment, entity, inOut, setOf, timestamps, ulidKey } from "plinth/schema";

/** A module of its own each time, as exports may differ. */
export function studio() {
  const app = appSchema("studio");
  const stage = comment(app.enum("stage", ["open", "done"]), "Where a piece stands.");
  const email = app.domain("email", text().notNull(), {
    checks: [check("email_has_at", sql`value like '%_@_%'`)],
    comment: "An address that somebody may read.",
  });
  const place = app.compositeType(
    "place",
    { room: text(), shelf: integer() },
    { comment: "Where it stands." },
  );
  const numbers = comment(
    app.sequence("piece_numbers", {
      startWith: 1000,
      increment: 5,
      minValue: 1,
      maxValue: "9000000000",
      cache: 2,
      cycle: true,
    }),
    "Numbers of pieces.",
  );
  const trigrams = app.extension("pg_trgm", { comment: "Similar titles." });
  const nextNumber = app.function("next_number", {
    returns: bigint({ mode: "bigint" }).notNull(),
    language: "sql",
    body: sql`select nextval('piece_numbers')`,
    comment: "The number of the next piece.",
  });
  const isTidy = app.function("is_tidy", {
    arguments: { title: text() },
    returns: boolean(),
    volatility: "immutable",
    language: "sql",
    parallel: "safe",
    strict: true,
    cost: 5,
    body: "select title = btrim(title)",
  });
  const makers = entity(
    app,
    "makers",
    { id: ulidKey(), email: email(), name: text().notNull(), ...timestamps() },
    { softDelete: true, comment: "Who makes pieces." },
  );
  const pieces = entity(
    app,
    "pieces",
    {
      id: ulidKey(),
      makerId: text()
        .notNull()
        .references((): AnyPgColumn => makers.id, { onDelete: "restrict", onUpdate: "cascade" }),
      number: bigint({ mode: "bigint" }).notNull().default(sql`${nextNumber}()`),
      title: comment(text().notNull(), "As the maker's \"own\" hand wrote it; it's kept."),
      stage: stage().notNull().default("open"),
      place: place(),
      tags: text().array().notNull().default([]),
      size: integer(),
      price: numeric({ precision: 12, scale: 2 }),
      area: integer().notNull().generatedAlwaysAs(sql`coalesce(size, 0) * 2`),
      row: integer().generatedByDefaultAsIdentity({ name: "piece_rows", startWith: 7, increment: 2 }),
    },
    {
      constraints: (t) => [
        comment(index("pieces_title_trgm").using("gin", t.title.op("gin_trgm_ops")), "For searching."),
        index("pieces_area").on(t.area.desc()).with({ fillfactor: 70 }).where(sql`${t.size} > 0`),
        uniqueIndex("pieces_lower_title").on(sql`lower(${t.title})`, t.makerId),
        comment(unique("pieces_number_key").on(t.number).nullsNotDistinct(), "Never twice."),
        comment(check("pieces_tidy", sql`${isTidy}(${t.title})`), "No stray blanks."),
        pgPolicy("pieces_open", {
          for: "select",
          to: ["studio_reader", "public"],
          using: sql`${t.stage} <> 'done'`,
        }),
      ],
    },
  );
  const audit = entity(
    app,
    "audit",
    {
      id: bigint({ mode: "bigint" }).generatedAlwaysAsIdentity(),
      at: timestamp({ withTimezone: true }).notNull(),
      what: text(),
    },
    {
      constraints: (t) => [primaryKey({ columns: [t.id, t.at] })],
      comment: "What happened.",
      partitionBy: {
        range: ["at"],
        partitions: [
          {
            name: "audit_2026",
            from: "2026-01-01",
            to: new Date("2027-01-01T00:00:00Z"),
            comment: "A year.",
          },
          { name: "audit_later", from: "2027-01-01", to: sql`maxvalue` },
          { name: "audit_rest", default: true },
        ],
      },
    },
  );
  const log = app.function("log_change", {
    returns: "trigger",
    body: sql`begin
  insert into ${audit} (at, what) values (now(), tg_argv[0] || ' ' || tg_op);
  return null;
end`,
  });
  const piecesLogged = app.trigger("pieces_logged", {
    on: pieces,
    timing: "after",
    events: ["insert", "update"],
    columns: ["title", "makerId"],
    execute: log,
    arguments: ["it's a piece"],
    comment: "Keeps the audit.",
  });
  const retitled = app.trigger("pieces_retitled", {
    on: pieces,
    timing: "before",
    events: ["update"],
    execute: app.function("tidy_title", {
      returns: "trigger",
      body: "begin new.title := btrim(new.title); return new; end",
    }),
    condition: (row) => sql`${row.old.title} is distinct from ${row.new.title}`,
  });
  const openPieces = app
    .view("open_pieces")
    .with({ securityInvoker: true, checkOption: "cascaded" })
    .as(
      (qb) => qb.select({ id: pieces.id, title: pieces.title }).from(pieces).where(eq(pieces.stage, "open")),
      {
        comment: "Still to do.",
      },
    );
  const openTitles = app
    .view("an_earlier_name")
    .as((qb) => qb.select({ title: openPieces.title }).from(openPieces));
  const makerStats = app
    .materializedView("maker_stats", {
      makerId: text().notNull(),
      pieces: bigint({ mode: "bigint" }).notNull(),
    })
    .with({ fillfactor: 90 })
    .as(sql`select maker_id, count(*) as pieces from ${pieces} group by maker_id`, {
      indexes: (t) => [comment(uniqueIndex("maker_stats_maker").on(t.makerId), "For concurrent refreshes.")],
      comment: "Refreshed at night.",
    });
  const piecesOf = app.function("pieces_of", {
    arguments: { makerId: text().notNull(), atLeast: integer().notNull().default(0) },
    returns: setOf(pieces),
    volatility: "stable",
    language: "sql",
    body: sql`select p.* from ${pieces} p where p.maker_id = pieces_of.maker_id and coalesce(p.size, 0) >= at_least`,
  });
  const archive = app.procedure("archive", {
    arguments: { before: date(), moved: inOut(integer().default(0)) },
    body: sql`begin
  delete from ${audit} where at < before;
  get diagnostics moved = row_count;
end`,
    comment: "Forgets.",
  });
  const rights = [
    app.grant({ on: pieces, to: "studio_reader", privileges: ["select", "insert"] }),
    app.grant({
      on: pieces,
      to: ["studio_reader"],
      privileges: ["update"],
      columns: ["title", "makerId"],
      withGrantOption: true,
    }),
    app.grant({ on: openPieces, to: pgRole("studio_reader").existing(), privileges: ["select"] }),
    app.grant({ on: piecesOf, to: "studio_reader", privileges: ["execute"] }),
    app.grant({ on: archive, to: "studio_reader", privileges: ["execute"] }),
    app.grant({ on: numbers, to: "studio_reader", privileges: ["usage"] }),
    app.grant({ on: stage, to: "public", privileges: ["usage"] }),
    app.grant({ on: email, to: "studio_reader", privileges: ["usage"] }),
  ];
  const [first, ...others] = rights;
  return {
    makers,
    pieces,
    audit,
    openTitles,
    makerStats,
    piecesLogged,
    retitled,
    trigrams,
    archive,
    first,
    ...Object.fromEntries(others.map((grant, i) => [`grant${i}`, grant])),
  };
}
