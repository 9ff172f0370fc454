import { execFile, execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** The shop every tool builds, one step a migration: what adopting has to find again. */
export const SHOP_STEPS: readonly { readonly name: string; readonly up: string; readonly down: string }[] = [
  {
    name: "customers",
    up: `create type customer_kind as enum ('person', 'company');
create table customers (
  id bigint generated always as identity primary key,
  email varchar(200) not null unique,
  kind customer_kind not null default 'person',
  created_at timestamptz not null default now(),
  constraint email_has_at check (email like '%@%')
);`,
    down: "drop table customers;\ndrop type customer_kind;",
  },
  {
    name: "orders",
    up: `create table orders (
  id serial primary key,
  customer_id bigint not null references customers (id) on delete cascade,
  total numeric(12, 2) not null default 0,
  note text
);
create index orders_customer_id_idx on orders (customer_id) where note is null;
comment on table orders is 'What was bought.';`,
    down: "drop table orders;",
  },
  {
    name: "totals",
    up: `create view customer_totals as
  select c.id, sum(o.total) as total from customers c join orders o on o.customer_id = c.id group by c.id;
create function order_count(customer bigint) returns bigint language sql stable
  as $$ select count(*) from orders where customer_id = customer; $$;`,
    down: "drop function order_count(bigint);\ndrop view customer_totals;",
  },
];

/** A package's folder: among this repository's, or below `PLINTH_TOOLS_DIR`. */
export function packageFolder(name: string): string | undefined {
  const folders = [
    import.meta.url,
    ...(process.env.PLINTH_TOOLS_DIR ? [`${process.env.PLINTH_TOOLS_DIR}/x.js`] : []),
  ];
  for (const from of folders) {
    try {
      return dirname(createRequire(from).resolve(`${name}/package.json`));
    } catch {
      // Not there.
    }
  }
  return undefined;
}

/** Whether a program is installed. */
export function hasProgram(name: string): boolean {
  try {
    execFileSync(name, ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** A folder of its own, deleted with `remove`. */
export interface ToolFolder {
  readonly path: string;
  write(path: string, text: string): void;
  remove(): void;
}

export function toolFolder(): ToolFolder {
  const path = mkdtempSync(join(tmpdir(), "plinth-adopt-"));
  return {
    path,
    write: (name, text) => {
      mkdirSync(dirname(join(path, name)), { recursive: true });
      writeFileSync(join(path, name), text);
    },
    remove: () => rmSync(path, { recursive: true, force: true }),
  };
}

/** Runs the program of a package of npm. */
export async function runPackage(
  name: string,
  arguments_: readonly string[],
  options: { readonly cwd: string; readonly url: string },
): Promise<string> {
  const folder = packageFolder(name);
  if (folder === undefined) throw new Error(`${name} is not installed`);
  const { bin }: { readonly bin: string | Readonly<Record<string, string>> } = JSON.parse(
    readFileSync(join(folder, "package.json"), "utf8"),
  );
  const file = typeof bin === "string" ? bin : bin[name];
  if (file === undefined || !existsSync(join(folder, file))) throw new Error(`${name} has no program`);
  // Knex looks for itself, and for pg, from the folder it runs in.
  const modules = join(options.cwd, "node_modules");
  if (!existsSync(modules)) symlinkSync(dirname(folder), modules);
  return runProgram(process.execPath, [join(folder, file), ...arguments_], options);
}

export async function runProgram(
  program: string,
  arguments_: readonly string[],
  { cwd, url }: { readonly cwd: string; readonly url: string },
): Promise<string> {
  const { stdout, stderr } = await run(program, [...arguments_], {
    cwd,
    env: { ...process.env, DATABASE_URL: url, NODE_OPTIONS: "" },
  });
  return stdout + stderr;
}
