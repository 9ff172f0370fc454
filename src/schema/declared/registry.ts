import { SchemaError, unknownName } from "../../errors/index.ts";

/** What was declared, and what it was declared with. Drizzle has no place for it, so it is kept beside the object. */
export interface Declared<Kind extends string, Options> {
  readonly kind: Kind;
  /** The home schema it belongs to. */
  readonly schema: string;
  readonly name: string;
  readonly options: Options;
  /** Later declarations have higher numbers: an order that does not depend on who exports what. */
  readonly order: number;
}

const DECLARED = new WeakMap<object, Declared<string, unknown>>();
const BY_APP = new WeakMap<object, object[]>();

let made = 0;

/** Notes what an object stands for. `app` keeps a list, so that exporting it exports what was declared on it. */
export function declare<T extends object>(
  app: { readonly schemaName: string },
  object: T,
  declaration: { readonly kind: string; readonly name: string; readonly options: unknown },
): T {
  made += 1;
  DECLARED.set(object, { ...declaration, schema: app.schemaName, order: made });
  const list = BY_APP.get(app);
  if (list === undefined) BY_APP.set(app, [object]);
  else list.push(object);
  return object;
}

/** What an object stands for; `undefined` for what was not declared on an `appSchema`. */
export function declaredAs(object: object): Declared<string, unknown> | undefined {
  return DECLARED.get(object);
}

/** Everything declared on an `appSchema`, in order; empty for anything else. */
export function declaredOn(app: object): readonly object[] {
  return BY_APP.get(app) ?? [];
}

/** @throws {SCHEMA_INVALID} with the nearest name, for an option that does not exist. */
export function refuseUnknownOptions(what: string, options: object, allowed: readonly string[]): void {
  for (const key of Object.keys(options)) {
    if (!allowed.includes(key)) throw new SchemaError(`${what}: ${unknownName("option", key, allowed)}`);
  }
}

/** @throws {SCHEMA_INVALID} with the nearest word, for a value that is none of those allowed. */
export function wordOf<const T extends string>(
  what: string,
  option: string,
  value: unknown,
  allowed: readonly T[],
): T {
  const word = allowed.find((candidate) => candidate === value);
  if (word === undefined) throw new SchemaError(`${what}: ${unknownName(option, value, allowed)}`);
  return word;
}
