import { ConfigError } from "../errors/index.ts";
import { snakeCase } from "../sql/index.ts";

/** What one entity is called in its places. */
export interface EntityNames {
  /** `orderLine` */
  readonly singular: string;
  /** The constant and the property: `orderLines`. */
  readonly plural: string;
  /** `order_lines` */
  readonly table: string;
  /** `OrderLine` */
  readonly type: string;
  /** `order-lines` */
  readonly file: string;
}

/**
 * Derives an entity's names from `Task`, `OrderLine` or `order_line`; `table` overrides the plural.
 *
 * @throws {CONFIG_INVALID} when it is not letters and digits.
 */
export function entityNames(written: string, table: string | undefined): EntityNames {
  const words = snakeCase(written.trim())
    .split("_")
    .filter((word) => word !== "");
  if (words.length === 0 || !words.every((word) => /^[a-z][a-z0-9]*$/.test(word))) {
    throw new ConfigError(
      `${JSON.stringify(written.slice(0, 80))} is no name for an entity; write it like Task or OrderLine`,
      {
        path: "name",
      },
    );
  }
  const plural = table ?? [...words.slice(0, -1), pluralOf(words.at(-1) ?? "")].join("_");
  if (!/^[a-z][a-z0-9_]{0,62}$/.test(plural)) {
    throw new ConfigError(
      `${JSON.stringify(plural.slice(0, 80))} is no name for a table; write it in snake case`,
      { path: "table" },
    );
  }
  const singular = camelCase(words.join("_"));
  return {
    singular,
    plural: camelCase(plural),
    table: plural,
    type: singular.charAt(0).toUpperCase() + singular.slice(1),
    file: plural.replaceAll("_", "-"),
  };
}

function camelCase(snake: string): string {
  return snake.replaceAll(/_+([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

/** English as far as tables go; `--table` is for the rest. */
function pluralOf(word: string): string {
  if (/[^aeiou]y$/.test(word)) return `${word.slice(0, -1)}ies`;
  if (/(s|x|z|ch|sh)$/.test(word)) return `${word}es`;
  return `${word}s`;
}
