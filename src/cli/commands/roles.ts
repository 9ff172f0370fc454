import type { Command } from "commander";
import type { Connection } from "../../driver/index.ts";
import type { Project } from "../../project.ts";
import type { LoginKind, RoleNames, RolePassword } from "../../roles/index.ts";
import type { GrantDescription } from "../../schema/index.ts";
import { type CommandContext, type CommandHost, type CommandResult, runAction } from "../action.ts";
import { EXIT } from "../exit-code.ts";
import { announceTarget, openProject, withTarget } from "../open-project.ts";

interface SyncFlags {
  readonly dryRun?: boolean;
}

/** Adds `roles sync|check`. */
export function addRolesCommands(program: Command, host: CommandHost): void {
  const roles = program.command("roles").description("who may do what in the database");
  roles
    .command("sync")
    .description("make the roles of the application's schema, and bring their rights in order")
    .option("--dry-run", "print the exact SQL and run nothing")
    .action((flags: SyncFlags, command: Command) =>
      runAction(host, command, (context) => sync(context, flags)),
    );
  roles
    .command("check")
    .description("tell which rights are missing, and which are too many")
    .action((_flags: object, command: Command) => runAction(host, command, check));
}

async function sync(context: CommandContext, { dryRun = false }: SyncFlags): Promise<CommandResult> {
  const project = await openProject(context);
  const { findingOf, LOGIN_KINDS, syncRoles } = await import("../../roles/index.ts");
  const passwords = passwordsOf(project, LOGIN_KINDS);
  const isEmbedded = project.readDatabase().url === undefined;
  const { statements, left } = await onRoles(context, project, !dryRun, async (ground) => {
    const own = isEmbedded ? await embeddedPasswordsOf(project, ground.names) : {};
    return syncRoles({ ...ground, passwords: { ...own, ...passwords }, opensNewTables: isEmbedded, dryRun });
  });
  const lines = statements.map((one) => (one.startsWith("--") ? `${one}\n` : `${one};\n`));
  const done = statements.length === 0 ? "nothing to do\n" : `ran ${statements.length} statements\n`;
  return {
    data: { statements },
    text: dryRun ? ["begin;\n", ...lines, "commit;\n"].join("") : done,
    findings: left.map(findingOf),
    exitCode: left.length === 0 ? EXIT.ok : EXIT.findings,
  };
}

async function check(context: CommandContext): Promise<CommandResult> {
  const project = await openProject(context);
  const { checkRoles } = await import("../../roles/index.ts");
  const opensNewTables = project.readDatabase().url === undefined;
  const findings = await onRoles(context, project, false, (ground) =>
    checkRoles({ ...ground, opensNewTables }),
  );
  return {
    data: { findings: findings.length },
    text: findings.length === 0 ? "roles and rights are in order\n" : "",
    findings,
    exitCode: findings.length === 0 ? EXIT.ok : EXIT.findings,
  };
}

/** What both work on. */
interface Ground {
  readonly connection: Connection;
  readonly schemaName: string;
  readonly names: RoleNames;
  readonly declared: readonly GrantDescription[];
}

async function onRoles<T>(
  context: CommandContext,
  project: Project,
  writes: boolean,
  work: (ground: Ground) => Promise<T>,
): Promise<T> {
  const schemaName = await project.readSchemaName();
  const { roleNames } = await import("../../roles/index.ts");
  const names = roleNames(schemaName, project.config.roles);
  const { describeSchema } = await import("../../schema/index.ts");
  const { objects } = describeSchema(await project.loadSchema());
  const declared = objects.filter((object) => object.kind === "grant");
  const { connect, describeTarget, retarget } = await import("../../driver/index.ts");
  return withTarget(project, async ({ target }) => {
    if (writes) announceTarget(context, describeTarget(target), schemaName);
    const session = { ...target.session, applicationName: "plinth roles", statementTimeoutMs: 0 };
    const connection = await connect(retarget(target, { session }), { signal: context.signal });
    const onAbort = (): void => {
      // What was begun is rolled back with the session.
      connection.cancel().catch(() => undefined);
    };
    context.signal.addEventListener("abort", onAbort, { once: true });
    try {
      return await work({ connection, schemaName, names, declared });
    } finally {
      context.signal.removeEventListener("abort", onAbort);
      await connection.close();
    }
  });
}

/** So that `plinth db url --role` and a program without DATABASE_URL know them. */
async function embeddedPasswordsOf(
  { directory }: Project,
  names: RoleNames,
): Promise<Partial<Record<LoginKind, RolePassword>>> {
  const { embeddedRoleUrl, embeddedStatus } = await import("../../embedded/index.ts");
  const { embeddedPasswords } = await import("../../roles/index.ts");
  const { url } = await embeddedStatus(directory);
  return url === undefined ? {} : embeddedPasswords(url, embeddedRoleUrl, names);
}

/** From the environment only: a password has no place in a file that is committed, and none on a command line. */
function passwordsOf(
  { environment }: Project,
  kinds: readonly LoginKind[],
): Partial<Record<LoginKind, RolePassword>> {
  const found = kinds.flatMap((kind): readonly (readonly [LoginKind, RolePassword])[] => {
    const source = `DATABASE_ROLES_${kind.replace(/[A-Z]/g, "_$&").toUpperCase()}_PASSWORD`;
    const password = environment[source];
    return password === undefined || password === "" ? [] : [[kind, { password, source }]];
  });
  return Object.fromEntries(found);
}
