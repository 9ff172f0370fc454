import { pythonRevisions } from "../formats/detect.ts";
import type { FolderText } from "../formats/model.ts";
import { selectAlembic } from "./queries.ts";
import { unreadableFolder } from "./refusals.ts";
import type { ToolReader } from "./tool.ts";

/** A revision file, as far as it can be read without running it. */
interface Revision {
  readonly id: string;
  readonly path: string;
  readonly before: readonly string[];
}

/**
 * The table holds the newest revision of each branch; what came before is in the files alone.
 *
 * @see https://alembic.sqlalchemy.org/en/latest/branches.html
 */
export const alembic: ToolReader = {
  table: "alembic_version",
  columns: ["version_num"],
  companions: () => [],
  applyCommand: "alembic upgrade heads",
  read: async (connection, table, content) => {
    const { rows } = await connection.query({ text: selectAlembic(table), values: [] });
    const heads = rows.map(([version]) => version ?? "");
    if (content === undefined) {
      const applied = heads.map((name) => ({ name, appliedAt: undefined }));
      return { applied, pending: [], missing: [], edited: [] };
    }
    const revisions = new Map(revisionsIn(content).map((revision) => [revision.id, revision]));
    const unknown = heads.find((head) => !revisions.has(head));
    if (unknown !== undefined)
      throw unreadableFolder(`no file of the folder is Alembic's revision ${unknown}`);
    const applied = ancestors(heads, revisions);
    return {
      applied: applied.map(({ path }) => ({ name: path, appliedAt: undefined })),
      pending: [...revisions.values()].filter((one) => !applied.includes(one)).map(({ path }) => path),
      missing: applied.flatMap(({ before }) => before.filter((id) => !revisions.has(id))),
      edited: [],
    };
  },
};

/** Oldest first; each once, however many branches it is on. */
function ancestors(heads: readonly string[], revisions: ReadonlyMap<string, Revision>): readonly Revision[] {
  const order: Revision[] = [];
  const seen = new Set<string>();
  // A stack of its own: a chain of ten thousand revisions is too deep for calls.
  const open = heads.map((id) => ({ id, isDone: false }));
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const revision = revisions.get(next.id);
    if (revision === undefined) continue;
    if (next.isDone) order.push(revision);
    else if (!seen.has(next.id)) {
      seen.add(next.id);
      open.push({ id: next.id, isDone: true }, ...revision.before.map((id) => ({ id, isDone: false })));
    }
  }
  return order;
}

const REVISION = /^revision\b[^=\n]*=[ \t]*["']([^"'\n]+)["']/m;
const DOWN_REVISION = /^down_revision\b[^=\n]*=[ \t]*(\([^)]*\)|\[[^\]]*\]|[^\n]*)/m;
const DEPENDS_ON = /^depends_on\b[^=\n]*=[ \t]*(\([^)]*\)|\[[^\]]*\]|[^\n]*)/m;

function revisionsIn(content: FolderText): readonly Revision[] {
  const paths = pythonRevisions(content);
  if (paths.length === 0) throw unreadableFolder("the folder is not Alembic's: it has no revision in Python");
  return paths.map((path) => {
    const text = content.get(path) ?? "";
    const id = REVISION.exec(text)?.[1];
    if (id === undefined) throw unreadableFolder(`${path} does not say its revision as a plain text`);
    return { id, path, before: [...textsIn(text, DOWN_REVISION), ...textsIn(text, DEPENDS_ON)] };
  });
}

function textsIn(text: string, pattern: RegExp): readonly string[] {
  const value = pattern.exec(text)?.[1] ?? "";
  return [...value.replaceAll(/#.*$/gm, "").matchAll(/["']([^"'\n]+)["']/g)].flatMap(([, id]) => id ?? []);
}
