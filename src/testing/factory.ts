/** The part of a repository that a factory needs. */
export interface FactoryRepository<I extends object, R> {
  create(input: I): PromiseLike<R>;
  createMany(inputs: readonly I[]): PromiseLike<R[]>;
}

/** A value, or a function that makes it when no override stands in for it: a parent row's key, say. */
export type FactoryDefaults<I extends object> = {
  readonly [K in keyof I]: I[K] | (() => I[K] | PromiseLike<I[K]>);
};

/** Makes rows for tests: valid without arguments, special where a test says so. */
export interface Factory<I extends object, R> {
  /** Makes a row. One round trip, besides those of its parents. */
  (overrides?: Partial<I>): Promise<R>;
  /** Makes several rows in one statement; the overrides of each by its position, or the same for all. */
  many(count: number, overrides?: Partial<I> | ((position: number) => Partial<I>)): Promise<R[]>;
  /** What `create` would be given, for a test that sends it another way. Makes parents, not the row. */
  build(overrides?: Partial<I>): Promise<I>;
}

/**
 * Makes a factory of rows.
 *
 * `defaults` is called with 1, 2, 3, … so that unique columns stay unique. A default that is a function runs only
 * when the test gives no value for it, and may be asynchronous: that is how a child makes its parent.
 *
 * @example
 * ```ts
 * const makeUser = factory(repo.users, (n) => ({ email: `user${n}@example.com`, fullName: `User ${n}` }));
 * const makeProject = factory(repo.projects, (n) => ({
 *   name: `Project ${n}`,
 *   ownerId: async () => (await makeUser()).id,
 * }));
 * await makeProject();                          // insert into users …; insert into projects …
 * await makeProject({ ownerId: ann.id });       // insert into projects …
 * await makeUser.many(3, (i) => ({ fullName: `Ann ${i}` }));
 * ```
 */
export function factory<I extends object, R>(
  repository: FactoryRepository<I, R>,
  defaults: (n: number) => FactoryDefaults<NoInfer<I>>,
): Factory<I, R> {
  let count = 0;
  const build = (overrides: Partial<I> = {}): Promise<I> => {
    count += 1;
    return resolved(defaults(count), overrides);
  };
  const make = async (overrides?: Partial<I>): Promise<R> => repository.create(await build(overrides));
  const many = async (
    rows: number,
    overrides: Partial<I> | ((position: number) => Partial<I>) = {},
  ): Promise<R[]> => {
    const inputs: I[] = [];
    for (let i = 0; i < rows; i++) {
      inputs.push(await build(typeof overrides === "function" ? overrides(i) : overrides));
    }
    return repository.createMany(inputs);
  };
  return Object.assign(make, { many, build });
}

/** One after the other, so that rows made on the way come in the order they are written down. */
async function resolved<I extends object>(defaults: FactoryDefaults<I>, overrides: Partial<I>): Promise<I> {
  const input: Record<string, unknown> = { ...defaults, ...overrides };
  for (const [key, value] of Object.entries(input)) {
    if (typeof value === "function") input[key] = await value();
  }
  // Defaults have every required key, and each value is now one of its type: what a loop cannot tell the compiler.
  return input as I;
}
