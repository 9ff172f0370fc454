import { MigrationError } from "../../errors/index.ts";
import { compareVersions } from "../migration-file.ts";
import { FLYWAY_FILE, FLYWAY_REPEATABLE, GOLANG_FILE } from "./detect.ts";
import { passedOver, placeholderUnfilled } from "./findings.ts";
import type { FolderFinding, FolderText, FoundFolder, FoundMigration } from "./model.ts";
import { compareDotted, isSql, nestedSql, topSql } from "./paths.ts";
import { sentWhole, unlessEmpty, wholeText } from "./sections.ts";

/** Formats with a file for each way. */

/**
 * `1_init.up.sql` and `1_init.down.sql`, as golang-migrate and sqlx name them.
 *
 * @see https://github.com/golang-migrate/migrate/blob/master/MIGRATIONS.md
 */
export async function readGolangMigrate(content: FolderText): Promise<FoundFolder> {
  const files = topSql(content).flatMap(([path, text]) => {
    const [, version = "", name = "", way = ""] = GOLANG_FILE.exec(path) ?? [];
    return version === "" ? [] : [{ path, text, version, name, way: way.toLowerCase() }];
  });
  const ups = files.filter(({ way }) => way === "up");
  const downs = new Map(
    files.filter(({ way }) => way === "down").map((file) => [BigInt(file.version), file]),
  );
  const migrations: FoundMigration[] = [];
  for (const { path, text, version, name } of ups) {
    const down = downs.get(BigInt(version));
    downs.delete(BigInt(version));
    migrations.push({
      version,
      name,
      fileName: path,
      up: await sentWhole(text),
      down: down && unlessEmpty(await sentWhole(down.text, down.path)),
    });
  }
  const [orphan] = downs.values();
  if (orphan !== undefined) throw noWayUp(orphan.path, `${orphan.version}_${orphan.name}.up.sql`);
  migrations.sort((a, b) => compareVersions(a.version, b.version));
  const known = new Set(files.map(({ path }) => path));
  const others = [...content.keys()].filter((path) => isSql(path) && !known.has(path));
  return {
    migrations,
    findings: passedOver(others, "golang-migrate runs N_name.up.sql and N_name.down.sql"),
  };
}

/**
 * `V1.2__name.sql`, its way back `U1.2__name.sql`, and `R__name.sql`, which run after all versions. A `V….sql.conf` beside
 * a file can switch its transaction off.
 *
 * @see https://documentation.red-gate.com/flyway/flyway-concepts/migrations
 */
export function readFlyway(content: FolderText): FoundFolder {
  const files = [...content].flatMap(([path, text]) => {
    const file = path.slice(path.lastIndexOf("/") + 1);
    const [, kind = "", version = "", name = ""] = FLYWAY_FILE.exec(file) ?? [];
    const repeatable = FLYWAY_REPEATABLE.exec(file)?.[1];
    if (repeatable !== undefined) return [{ path, text, kind: "R", version: "", name: repeatable }];
    return kind === "" ? [] : [{ path, text, kind, version: version.replaceAll("_", "."), name }];
  });
  const undo = new Map(files.filter(({ kind }) => kind === "U").map((file) => [file.version, file]));
  const versioned = files
    .filter(({ kind }) => kind === "V")
    .sort((a, b) => compareDotted(a.version, b.version));
  const repeatable = files.filter(({ kind }) => kind === "R").sort((a, b) => (a.name < b.name ? -1 : 1));
  const isTransactional = (path: string): boolean =>
    !/^\s*executeInTransaction\s*=\s*false\s*$/im.test(content.get(`${path}.conf`) ?? "");
  const migrations = [...versioned, ...repeatable].map(({ path, text, kind, version, name }) => {
    const back = kind === "V" ? undo.get(version) : undefined;
    const down = back && wholeText(back.text, isTransactional(back.path), back.path);
    const up = wholeText(text, isTransactional(path));
    return { version: version || "R", name, fileName: path, up, down: unlessEmpty(down) };
  });
  const known = new Set(files.map(({ path }) => path));
  return { migrations, findings: [...flywayFindings(files), ...flywayOthers(content, known)] };
}

function flywayFindings(
  files: readonly { readonly path: string; readonly text: string; readonly kind: string }[],
): readonly FolderFinding[] {
  const baselines = files.filter(({ kind }) => kind === "B").map(({ path }) => path);
  return [
    ...passedOver(baselines, "a baseline stands for the versions before it, which are read themselves"),
    ...files.flatMap(({ path, text }) => {
      const placeholder = /\$\{[\w.:-]+\}/.exec(text)?.[0];
      return placeholder === undefined ? [] : [placeholderUnfilled(path, placeholder)];
    }),
  ];
}

function flywayOthers(content: FolderText, known: ReadonlySet<string>): readonly FolderFinding[] {
  const others = [...topSql(content).map(([path]) => path), ...nestedSql(content)];
  const callbacks = others.filter((path) => !known.has(path));
  return passedOver(
    callbacks,
    "Flyway runs V…__name.sql, U…__name.sql and R__name.sql; callbacks are not read",
  );
}

function noWayUp(path: string, missing: string): MigrationError {
  return new MigrationError("MIGRATION_INVALID", `${path} is a way back, but ${missing} is not there`, {
    file: path,
    hint: "Restore the file of the way up, or delete this one.",
  });
}
