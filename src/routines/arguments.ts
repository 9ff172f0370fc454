import { InputError, type InputIssue, unknownName } from "../errors/index.ts";
import type { ArgumentDescription, RoutineDescription } from "../schema/index.ts";
import { quoteIdentifier } from "../sql/index.ts";
import { encodeValue } from "../statement/index.ts";

/** What stands between the parentheses of a call, and its parameters. */
export interface EncodedArguments {
  readonly texts: readonly string[];
  readonly values: readonly (string | Buffer | null)[];
}

/**
 * Arguments by name and with their types, so that the order of the declaration does not matter and no literal is
 * guessed at. What has a default may be left out.
 *
 * @throws {INVALID_VALUE} with everything that is wrong at once.
 */
export function encodeArguments(routine: RoutineDescription, input: object): EncodedArguments {
  const given = givenValues(input);
  const issues: InputIssue[] = [];
  const texts: string[] = [];
  const values: (string | Buffer | null)[] = [];
  const taken = routine.arguments.filter((argument) => argument.mode !== "out").map(({ key }) => key);
  for (const key of given.keys()) {
    if (!taken.includes(key)) issues.push({ path: key, message: unknownName("argument", key, taken) });
  }
  for (const argument of routine.arguments) {
    const name = quoteIdentifier(argument.name);
    if (argument.mode === "out") {
      // CALL wants something in the place of what only comes back.
      texts.push(`${name} => null::${argument.castType}`);
      continue;
    }
    const value = given.get(argument.key);
    if (value === undefined && argument.defaultSql !== undefined) continue;
    const issue = complaintOf(argument, value);
    if (issue === undefined) {
      collect(issues, () => {
        const encoded = encodeValue(argument, value, argument.key);
        texts.push(`${name} => $${values.push(encoded)}::${argument.castType}`);
      });
    } else {
      issues.push({ path: argument.key, message: issue });
    }
  }
  if (issues.length > 0) throw new InputError("INVALID_VALUE", issues);
  return { texts, values };
}

/** A property that is undefined was not given. */
function givenValues(input: object): ReadonlyMap<string, unknown> {
  if (typeof input !== "object" || input === null || Array.isArray(input)) {
    throw new InputError("INVALID_VALUE", [{ path: "", message: "must be an object of arguments" }]);
  }
  return new Map(Object.entries(input).filter(([, value]) => value !== undefined));
}

function complaintOf({ notNull }: ArgumentDescription, value: unknown): string | undefined {
  if (value === undefined) return "is required";
  return value === null && notNull ? "must not be null" : undefined;
}

function collect(issues: InputIssue[], encode: () => void): void {
  try {
    encode();
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    issues.push(...error.issues);
  }
}
