import type { FolderFinding, FolderFormat } from "./model.ts";

const SHOWN_LIMIT = 5;

/** Migrations that are programs: what they do is only known by running them. */
export function notSql(
  format: FolderFormat,
  language: string,
  paths: readonly string[],
): readonly FolderFinding[] {
  const [first] = paths;
  if (first === undefined) return [];
  const count = paths.length === 1 ? "it is a program" : `${paths.length} migrations are programs`;
  return [
    {
      rule: "migration-not-sql",
      level: "warning",
      object: first,
      why: `${count} in ${language} (${listed(paths)}): what ${paths.length === 1 ? "it does" : "they do"} cannot be read from the text`,
      fix: `Write new migrations as SQL. To go on with Plinth: plinth migrate adopt --from ${adoptable(format)}, which starts from the database itself.`,
    },
  ];
}

/** SQL that stands in the folder and that its tool does not run. */
export function passedOver(paths: readonly string[], why: string): readonly FolderFinding[] {
  return paths.map((path) => ({
    rule: "file-passed-over",
    level: "warning",
    object: path,
    why,
    fix: "Nothing to do if that is meant; otherwise correct its name or place.",
  }));
}

export function placeholderUnfilled(path: string, placeholder: string): FolderFinding {
  return {
    rule: "placeholder-unfilled",
    level: "warning",
    object: path,
    why: `${placeholder} is filled in by the tool when it runs the file; here it is read as it stands`,
    fix: "Write the value itself, or check this file by eye.",
  };
}

export function emptyMigration(path: string): FolderFinding {
  return {
    rule: "migration-empty",
    level: "warning",
    object: path,
    why: "there is no statement in it, so it was passed over",
    fix: "Delete it if it was applied nowhere yet.",
  };
}

function adoptable(format: FolderFormat): string {
  return format === "goose" || format === "plain" ? "…" : format;
}

function listed(paths: readonly string[]): string {
  const shown = paths.slice(0, SHOWN_LIMIT).join(", ");
  return paths.length > SHOWN_LIMIT ? `${shown} and ${paths.length - SHOWN_LIMIT} more` : shown;
}
