/**
 * A Drizzle session on Plinth's connections: the second contact with Drizzle's insides (ADR 0001), for `db.drizzle`
 * alone. Statements join the ambient transaction; `db.drizzle.transaction` is `db.transaction`, so the two nest in
 * each other as savepoints.
 */
import { createTableRelationsHelpers, DrizzleQueryError, extractTablesRelationalConfig } from "drizzle-orm";
import {
  type NodePgClient,
  NodePgDatabase,
  type NodePgQueryResultHKT,
  NodePgSession,
  NodePgTransaction,
} from "drizzle-orm/node-postgres";
import { PgDialect, type PgTransaction, type PgTransactionConfig } from "drizzle-orm/pg-core";
import type { Outcome } from "../driver/index.ts";
import { encodePlainValue } from "../statement/index.ts";
import {
  type Place,
  refuseTransactionControl,
  type TransactionOptions,
  type UnitOfWork,
} from "../transaction/index.ts";

type Schema = Record<string, unknown>;
type RelationalSchema = ConstructorParameters<typeof NodePgSession<Schema, Record<string, never>>>[2];
// Drizzle's own session is written against these type parameters; nothing here depends on their content.
type AnyPgTransaction = PgTransaction<NodePgQueryResultHKT, Schema, Record<string, never>>;

interface DrizzleStatement {
  readonly text: string;
  readonly rowMode?: "array";
  readonly types?: { getTypeParser(typeId: number, format: "text"): (cell: string) => unknown };
}

/** Makes `db.drizzle`: a full Drizzle database that shares Plinth's pool and its ambient transaction. */
export function createDrizzle<S extends Schema>(unit: UnitOfWork, schema: S): NodePgDatabase<S> {
  const dialect = new PgDialect();
  const { tables, tableNamesMap } = extractTablesRelationalConfig(schema, createTableRelationsHelpers);
  const relational = { fullSchema: schema, schema: tables, tableNamesMap } as unknown as RelationalSchema;
  const session = new UnitSession(unit, unit, dialect, relational);
  // The class is generic over the schema's type, which its run time never looks at.
  return new NodePgDatabase<Record<string, never>>(
    dialect,
    session as never,
    relational as never,
  ) as unknown as NodePgDatabase<S>;
}

class UnitSession extends NodePgSession<Schema, Record<string, never>> {
  readonly #unit: UnitOfWork;
  readonly #place: Place;
  readonly #dialect: PgDialect;
  readonly #schema: RelationalSchema;

  constructor(unit: UnitOfWork, place: Place, dialect: PgDialect, schema: RelationalSchema) {
    super(clientOf(place), dialect, schema);
    this.#unit = unit;
    this.#place = place;
    this.#dialect = dialect;
    this.#schema = schema;
  }

  override prepareQuery(...args: Parameters<NodePgSession<Schema, Record<string, never>>["prepareQuery"]>) {
    const prepared = super.prepareQuery(...args);
    const execute = prepared.execute.bind(prepared);
    prepared.execute = async (values) => {
      try {
        return await execute(values);
      } catch (error) {
        // Drizzle's wrapper prints the parameters' values into its message; what it wraps says enough.
        throw error instanceof DrizzleQueryError && error.cause !== undefined ? error.cause : error;
      }
    };
    return prepared as never;
  }

  override async transaction<T>(
    work: (tx: AnyPgTransaction) => Promise<T>,
    config?: PgTransactionConfig,
  ): Promise<T> {
    return this.#place.transaction(
      (scope) => {
        // Bound to it, so that a handle kept past the end fails instead of running on its own.
        const session = new UnitSession(this.#unit, this.#unit.bind(scope), this.#dialect, this.#schema);
        return work(new UnitTransaction(this.#dialect, session, this.#schema));
      },
      config === undefined ? {} : optionsOf(config),
    );
  }
}

class UnitTransaction extends NodePgTransaction<Schema, Record<string, never>> {
  readonly #session: UnitSession;

  constructor(dialect: PgDialect, session: UnitSession, schema: RelationalSchema) {
    super(dialect, session, schema);
    this.#session = session;
  }

  override async transaction<T>(
    work: (tx: NodePgTransaction<Schema, Record<string, never>>) => Promise<T>,
  ): Promise<T> {
    return this.#session.transaction((tx) => work(tx as NodePgTransaction<Schema, Record<string, never>>));
  }
}

function optionsOf({ isolationLevel, accessMode, deferrable }: PgTransactionConfig): TransactionOptions {
  return {
    ...(isolationLevel === undefined
      ? {}
      : { isolation: isolationLevel === "read uncommitted" ? "read committed" : isolationLevel }),
    ...(accessMode === undefined ? {} : { readOnly: accessMode === "read only" }),
    ...(deferrable === undefined ? {} : { deferrable }),
  };
}

/** The one method of a `pg` client that Drizzle's session calls. */
function clientOf(place: Place): NodePgClient {
  const client = {
    async query(statement: DrizzleStatement, params: readonly unknown[] = []) {
      refuseTransactionControl(statement.text);
      const values = params.map((value, i) => encodePlainValue(value, `$${i + 1}`));
      return resultOf(await place.run({ text: statement.text, values }), statement);
    },
  };
  return client as unknown as NodePgClient;
}

function resultOf({ rows, fields, command, rowCount }: Outcome, { rowMode, types }: DrizzleStatement) {
  const parsers = fields.map(
    (field) => types?.getTypeParser(field.typeId, "text") ?? ((cell: string) => cell),
  );
  const parsed = rows.map((cells) => cells.map((cell, i) => (cell === null ? null : parsers[i]?.(cell))));
  const named = () =>
    parsed.map((cells) => Object.fromEntries(fields.map((field, i) => [field.name, cells[i]])));
  return {
    command,
    rowCount,
    fields: fields.map((field) => ({ name: field.name, dataTypeID: field.typeId })),
    rows: rowMode === "array" ? parsed : named(),
  };
}
