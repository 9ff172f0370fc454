import { list, quoted } from "./literal.ts";

/** What the file may import: a constant of one of these names would hide it. */
const IMPORTABLE = {
  "drizzle-orm": ["sql"],
  "drizzle-orm/pg-core": [
    "type AnyPgColumn",
    "bigint",
    "bigserial",
    "boolean",
    "char",
    "check",
    "cidr",
    "customType",
    "date",
    "doublePrecision",
    "foreignKey",
    "index",
    "inet",
    "integer",
    "interval",
    "json",
    "jsonb",
    "macaddr",
    "macaddr8",
    "numeric",
    "pgPolicy",
    "primaryKey",
    "real",
    "serial",
    "smallint",
    "smallserial",
    "text",
    "time",
    "timestamp",
    "unique",
    "uniqueIndex",
    "uuid",
    "varchar",
  ],
  "plinth/schema": [
    "appSchema",
    "comment",
    "entity",
    "identityKey",
    "inOut",
    "oneOf",
    "out",
    "relations",
    "setOf",
    "timestamps",
    "uuidKey",
  ],
} as const;

export type ImportName = (typeof IMPORTABLE)[keyof typeof IMPORTABLE][number];

/** Every name that may be imported, and the one that is always there. */
export const FILE_NAMES: readonly string[] = [
  "app",
  ...Object.values(IMPORTABLE).flatMap((names) => names.map((name) => name.replace("type ", ""))),
];

/** The parts of a file, collected while they are written. */
export interface SourceFile {
  /** Notes that the file imports it, and gives its name. */
  use(name: ImportName): string;
  /** A column type that Drizzle has no builder for: the constant that makes such columns. */
  customType(type: string): string;
  /** Adds a constant that is exported; `after` are statements about it. */
  declare(constant: string, source: string, after?: string): void;
}

/** How the file is read: by people and a compiler, or by Node at once to prove it. */
export type Dialect = "typescript" | "javascript";

export interface OpenFile extends SourceFile {
  readonly dialect: Dialect;
  /** The whole file in TypeScript; in JavaScript the body of a function that takes `modules` and returns its exports. */
  render(banner: string, app: string): string;
}

export function openFile(dialect: Dialect, takeName: (wanted: string) => string): OpenFile {
  const used = new Set<ImportName>();
  const types = new Map<string, string>();
  const declarations: string[] = [];
  const exported = ["app"];
  const isTypeScript = dialect === "typescript";
  const use = (name: ImportName): string => {
    used.add(name);
    return name;
  };
  return {
    dialect,
    use,
    customType: (type) => {
      const name = types.get(type) ?? takeName(type);
      types.set(type, name);
      return name;
    },
    declare: (constant, source, after = "") => {
      exported.push(constant);
      declarations.push(`${isTypeScript ? "export " : ""}const ${constant} = ${source};${after}`);
    },
    render: (banner, app) => {
      const made = [...types].map(([type, name]) => {
        const data = isTypeScript ? "<{ data: string }>" : "";
        return `const ${name} = ${use("customType")}${data}({ dataType: () => ${quoted(type)} });`;
      });
      use("appSchema");
      const imports = Object.entries(IMPORTABLE).flatMap(([module, names]) => {
        const own = names.filter((name) => used.has(name) && (isTypeScript || !name.startsWith("type ")));
        if (own.length === 0) return [];
        const from = isTypeScript ? "import" : "const";
        const rest = isTypeScript ? `from ${quoted(module)}` : `= modules[${quoted(module)}]`;
        return [`${from} ${braces(own)} ${rest};`];
      });
      const head = `${isTypeScript ? "export " : ""}const app = ${app};`;
      const end = isTypeScript ? "" : `return { ${exported.join(", ")} };`;
      const blocks = [
        isTypeScript ? banner : "",
        imports.join("\n"),
        head,
        made.join("\n"),
        ...declarations,
        end,
      ];
      return `${blocks.filter((block) => block !== "").join("\n\n")}\n`;
    },
  };
}

function braces(names: readonly string[]): string {
  const inner = list(names).slice(1, -1);
  return inner.includes("\n") ? `{${inner}}` : `{ ${inner} }`;
}
