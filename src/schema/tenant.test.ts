import { sql } from "drizzle-orm";
import {
  bigint,
  boolean,
  check,
  foreignKey,
  index,
  integer,
  pgPolicy,
  primaryKey,
  text,
  unique,
  uniqueIndex,
  uuid,
  varchar,
} from "drizzle-orm/pg-core";
import { describe, expect, expectTypeOf, it } from "vitest";
import { appSchema } from "./app-schema.ts";
import { authorship, identityKey, secret, ulidKey } from "./columns.ts";
import { describeTable } from "./drizzle-adapter.ts";
import { entity } from "./entity.ts";
import type { CreateInput, Key, Row, UpdateInput } from "./inference.ts";
import { describeSchema } from "./schema-description.ts";

const app = appSchema("shop");
const shopId = () => text().notNull();

const boxes = entity(
  app,
  "boxes",
  { id: ulidKey(), shopId: shopId(), name: text().notNull().unique(), size: integer().notNull().default(1) },
  {
    tenant: "shopId",
    constraints: (t) => [
      unique().on(t.size, t.name),
      uniqueIndex().on(t.size),
      index().on(t.size),
      index("by_size_first").on(t.size, t.shopId),
      index("words").using("gin", sql`to_tsvector('simple', ${t.name})`),
      check("sized", sql`${t.size} > 0`),
    ],
  },
);

describe("tenant", () => {
  it("leads every key in the database, and no key of a caller", () => {
    const { primaryKey: key, rowKey, uniques, indexes, tenant } = describeTable(boxes);
    const names = (columns: readonly { readonly name: string }[]) => columns.map(({ name }) => name);
    expect(tenant?.key).toBe("shopId");
    expect(names(key.columns)).toEqual(["shop_id", "id"]);
    expect(names(rowKey)).toEqual(["id"]);
    expect(uniques.map(({ columns }) => names(columns))).toEqual([
      ["shop_id", "name"],
      ["shop_id", "size", "name"],
    ]);
    expect(indexes.map(({ parts, uniqueColumns }) => [parts, names(uniqueColumns ?? [])])).toEqual([
      [
        ['"shop_id"', '"size"'],
        ["shop_id", "size"],
      ],
      [['"shop_id"', '"size"'], []],
      [['"size"', '"shop_id"'], []],
      [[`to_tsvector('simple', "name")`], []],
    ]);
  });

  it("is carried by foreign keys between tenants' rows, declared with it or without", () => {
    const items = entity(
      app,
      "items",
      {
        id: identityKey(),
        owner: text().notNull(),
        boxId: text().references(() => boxes.id, { onDelete: "set null" }),
        otherId: text(),
      },
      {
        tenant: "owner",
        constraints: (t) => [
          foreignKey({
            columns: [t.otherId, t.owner],
            foreignColumns: [boxes.id, boxes.shopId],
            name: "other",
          }),
        ],
      },
    );
    const keys = describeTable(items).foreignKeys.map(
      ({ columns, targetColumns, carriesTenant, onDelete }) => ({
        columns: columns.map(({ name }) => name),
        targets: targetColumns.map(({ name }) => name),
        carriesTenant,
        onDelete,
      }),
    );
    expect(keys).toEqual([
      { columns: ["owner", "box_id"], targets: ["shop_id", "id"], carriesTenant: true, onDelete: "set null" },
      {
        columns: ["owner", "other_id"],
        targets: ["shop_id", "id"],
        carriesTenant: true,
        onDelete: "no action",
      },
    ]);
  });

  it("may be text, a UUID or a whole number", () => {
    for (const [i, column] of [
      text(),
      varchar({ length: 9 }),
      uuid(),
      integer(),
      bigint({ mode: "bigint" }),
    ].entries()) {
      const own = entity(app, `t${i}`, { id: ulidKey(), shopId: column.notNull() }, { tenant: "shopId" });
      expect(describeTable(own).tenant?.key).toBe("shopId");
    }
  });

  it("is in rows and conditions, and in no input", () => {
    expectTypeOf<CreateInput<typeof boxes>>().toEqualTypeOf<{
      id?: string | undefined;
      name: string;
      size?: number | undefined;
    }>();
    expectTypeOf<UpdateInput<typeof boxes>>().toEqualTypeOf<{ name?: string; size?: number | undefined }>();
    expectTypeOf<Row<typeof boxes>>().toEqualTypeOf<{
      id: string;
      shopId: string;
      name: string;
      size: number;
    }>();
    expectTypeOf<Key<typeof boxes>>().toEqualTypeOf<string>();
    // @ts-expect-error there is no such column
    expect(() => entity(app, "x", { id: ulidKey() }, { tenant: "shopId" })).toThrow();
  });
});

const thrown = (make: () => unknown): string => {
  try {
    make();
  } catch (error) {
    return error instanceof Error && "code" in error
      ? `${String(error.code)}: ${error.message}`
      : String(error);
  }
  return "nothing";
};

/** An entity `t` with a tenant column, described. */
const made = (columns: Parameters<typeof entity>[2], options: object = {}) => {
  const own = entity(appSchema("shop"), "t", { id: ulidKey(), ...columns }, {
    tenant: "shopId",
    ...options,
  } as object);
  describeSchema({ own });
};

describe("a tenant that cannot be", () => {
  it.each<[string, () => unknown, string]>([
    [
      "unknown",
      () => made({ shopID: text().notNull() }),
      'SCHEMA_INVALID: tenant of "t": unknown column "shopId"; did you mean "shopID"?\n  Name the property that says whose row it is: tenant: "workspaceId".',
    ],
    [
      "null",
      () => made({ shopId: text() }),
      'SCHEMA_INVALID: "shopId" is the tenant of "t" and can be null, so that a row could be nobody\'s\n  Say .notNull(). Rows that all tenants share belong into an entity without a tenant.',
    ],
    [
      "of another type",
      () => made({ shopId: boolean().notNull() }),
      'SCHEMA_INVALID: "shopId" is the tenant of "t", and boolean is no type that db.as({ tenantId }) can say\n  Use text, varchar, uuid, smallint, integer, bigint.',
    ],
    [
      "with a default",
      () => made({ shopId: text().notNull().default("main") }),
      'SCHEMA_INVALID: "shopId" is the tenant of "t" and has a default, which would be some other tenant\'s\n  Leave the default out: a new row takes the tenant of db.as({ tenantId }).',
    ],
    [
      "another role",
      () => made({ ...authorship() }, { tenant: "createdBy" }),
      'SCHEMA_INVALID: "createdBy" is the tenant of "t" and also its createdBy\n  Give the tenant a column of its own.',
    ],
    [
      "secret",
      () => made({ shopId: secret(text().notNull()) }),
      'SCHEMA_INVALID: "shopId" is the tenant of "t" and cannot be secret',
    ],
    [
      "beside a permissive policy",
      () => made({ shopId: shopId() }, { constraints: () => [pgPolicy("open", { using: sql`true` })] }),
      'SCHEMA_INVALID: policy "open" of "t" is permissive, and would show what it allows of every tenant\n  PostgreSQL shows a row that any permissive policy allows. Say as: "restrictive": then it takes away from what the tenant sees.',
    ],
  ])("is refused: %s", (_, make, message) => {
    expect(thrown(make)).toBe(message);
  });

  it("is refused in a declared primary key", () => {
    const own = entity(
      app,
      "t",
      { id: text().notNull(), shopId: shopId() },
      {
        tenant: "shopId",
        constraints: (t) => [primaryKey({ columns: [t.shopId, t.id] })],
      },
    );
    expect(thrown(() => describeTable(own))).toBe(
      'SCHEMA_INVALID: "shopId" is the tenant of "t" and part of its primary key\n  The tenant leads every key by itself: leave it out of the primary key.',
    );
  });

  it("takes a restrictive policy beside it", () => {
    const policy = () => [pgPolicy("office", { as: "restrictive", using: sql`current_user <> 'guest'` })];
    expect(() => made({ shopId: shopId() }, { constraints: policy })).not.toThrow();
  });
});

describe("a view of tenants' rows", () => {
  const made = (options: readonly Parameters<ReturnType<typeof app.view>["with"]>[0][]) => {
    const own = appSchema("shop");
    const crates = entity(own, "crates", { id: ulidKey(), shopId: shopId() }, { tenant: "shopId" });
    let from: object = crates;
    const views = options.map((option, i) => {
      const view = own.view(`view_${i}`, { id: text() }).with(option).as(sql`select id from ${from}`);
      from = view;
      return view;
    });
    return () =>
      describeSchema({ crates, ...Object.fromEntries(views.map((view, i) => [`view${i}`, view])) });
  };

  it("reads as whoever asks, and so does a view of it", () => {
    const invoker = { securityInvoker: true };
    expect(made([invoker, invoker])).not.toThrow();
    const refusal = (view: string, table: string) =>
      `SCHEMA_INVALID: view "${view}" reads "${table}" as its owner, who may see every tenant's rows\n  Let it read as whoever asks: .with({ securityInvoker: true }).`;
    expect(thrown(made([{ securityBarrier: true }]))).toBe(refusal("view_0", "crates"));
    expect(thrown(made([{ securityInvoker: false }]))).toBe(refusal("view_0", "crates"));
    expect(thrown(made([invoker, { securityBarrier: true }]))).toBe(refusal("view_1", "view_0"));
  });
});

describe("a foreign key across tenants", () => {
  const referring = (columns: Parameters<typeof entity>[2], options: object = {}) => {
    const own = entity(appSchema("shop"), "t", { id: ulidKey(), ...columns }, options);
    return () => describeTable(own).foreignKeys;
  };
  const boxId = () => text().references(() => boxes.id);

  it("is refused from a row of nobody, between different types, and where it would change a tenant", () => {
    expect(thrown(referring({ boxId: boxId() }))).toBe(
      'SCHEMA_INVALID: foreign key "t_box_id_boxes_id_fk" of "t" names a row of "boxes", which belongs to a tenant\n  Give "t" a tenant too: a row of nobody could not say whose row it means.',
    );
    expect(thrown(referring({ boxId: boxId(), shopId: uuid().notNull() }, { tenant: "shopId" }))).toBe(
      'SCHEMA_INVALID: foreign key "t_box_id_boxes_id_fk" of "t" joins tenants of different types: "shopId" is uuid, "shopId" of "boxes" is text\n  Give both columns one type.',
    );
    const cascading = text().references(() => boxes.id, { onUpdate: "cascade" });
    expect(thrown(referring({ boxId: cascading, shopId: shopId() }, { tenant: "shopId" }))).toBe(
      'SCHEMA_INVALID: foreign key "t_box_id_boxes_id_fk" of "t" says on update cascade, which could change whose row it is\n  Leave onUpdate out: neither a tenant nor a key is ever changed.',
    );
    const shops = entity(appSchema("shop"), "shops", { id: ulidKey() });
    const emptying = shopId().references(() => shops.id, { onDelete: "set null" });
    expect(thrown(referring({ shopId: emptying }, { tenant: "shopId" }))).toBe(
      'SCHEMA_INVALID: foreign key "t_shop_id_shops_id_fk" of "t" says on delete set null, which would leave rows without a tenant\n  Let it restrict or cascade: onDelete: "restrict".',
    );
    const crossed = shopId().references(() => boxes.id);
    expect(thrown(referring({ shopId: crossed }, { tenant: "shopId" }))).toBe(
      'SCHEMA_INVALID: foreign key "t_shop_id_boxes_id_fk" of "t" compares a tenant with what is none\n  Leave "shopId" out: the key carries it by itself.',
    );
  });
});
