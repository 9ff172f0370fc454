import { createHash } from "node:crypto";
import { fileNameOf, isApplied, type LedgerRow, ledgerName } from "../ledger.ts";
import { compareVersions, type MigrationFile } from "../migration-file.ts";

/** What one `-- replaces:` line of a squashed migration says. */
export interface Replaces {
  readonly from: string;
  readonly to: string;
  readonly count: number;
  /** The chain over what was replaced, in hex: names the very files, in their order. */
  readonly digest: string;
}

const LINE =
  /^--[ \t]*replaces:[ \t]*(\d{1,20})\.\.(\d{1,20}),[ \t]*(\d{1,6}) migrations,[ \t]*sha256[ \t]+([0-9a-f]{64})[ \t]*$/;

/** The lines of a file, any of which a database may fit. Empty for a migration that was not squashed. */
export function replacesOf({ up }: Pick<MigrationFile, "up">): readonly Replaces[] {
  if (up.header === undefined) return [];
  return up.header.split("\n").flatMap((line): readonly Replaces[] => {
    const [, from, to, count, digest] = LINE.exec(line.trim()) ?? [];
    if (from === undefined || to === undefined || digest === undefined) return [];
    return [{ from, to, count: Number(count), digest }];
  });
}

/** Whether it stands for others, which it replaced. */
export function isSquash(file: Pick<MigrationFile, "up">): boolean {
  return replacesOf(file).length > 0;
}

/** The line, as `replacesOf` reads it. */
export function renderReplaces({ from, to, count, digest }: Replaces): string {
  return `-- replaces: ${from}..${to}, ${count} migrations, sha256 ${digest}`;
}

/**
 * What a new squash of `files` can find in a ledger: these very files; or, where the first of them is a squash itself, those
 * it replaced and the others, in a database that never saw it.
 */
export function replacesFor(files: readonly MigrationFile[]): readonly Replaces[] {
  const [first] = files;
  const last = files.at(-1);
  if (first === undefined || last === undefined) return [];
  const to = last.version;
  const own = { from: first.version, to, count: files.length, digest: digestOf("", files.map(identityOf)) };
  const others = files.slice(1);
  const earlier = replacesOf(first).map((line) => ({
    from: line.from,
    to,
    count: line.count + others.length,
    digest: digestOf(line.digest, others.map(identityOf)),
  }));
  return [own, ...earlier];
}

/** What the ledger knows of a migration. */
type Identity = Pick<LedgerRow, "version" | "name" | "checksum">;

function identityOf(file: MigrationFile): Identity {
  return { version: file.version, name: ledgerName(file), checksum: file.checksum };
}

/** A chain, so that a digest can go on where another one ended. */
function digestOf(start: string, identities: readonly Identity[]): string {
  return identities.reduce(
    (digest, { version, name, checksum }) =>
      createHash("sha256")
        .update(`${digest}\n${BigInt(version)} ${name} ${checksum}`)
        .digest("hex"),
    start,
  );
}

/** Rows that one row of a squashed migration stands for. */
export interface Fold {
  readonly file: MigrationFile;
  readonly rows: readonly LedgerRow[];
  readonly digest: string;
}

/** A squashed migration that a database neither lacks nor has. */
export interface PartialSquash {
  readonly file: MigrationFile;
  readonly replaces: Replaces;
  /** Those of the replaced that are there, applied or begun, in order. */
  readonly rows: readonly LedgerRow[];
}

/** The ledger as it reads once squashed migrations stand for what they replaced. */
export interface FoldedLedger {
  readonly rows: readonly LedgerRow[];
  readonly folds: readonly Fold[];
  readonly partial: readonly PartialSquash[];
}

/**
 * Lets each squashed migration stand for the rows it replaced, where all of them are applied and are the very same. Pure:
 * the ledger is written by the next run that has something to do.
 */
export function foldRows(files: readonly MigrationFile[], rows: readonly LedgerRow[]): FoldedLedger {
  const squashed = files.filter(isSquash);
  if (squashed.length === 0) return { rows, folds: [], partial: [] };
  const present = new Set(
    files.filter((file) => !squashed.includes(file)).map(({ version }) => BigInt(version)),
  );
  let left = rows;
  const folds: Fold[] = [];
  const partial: PartialSquash[] = [];
  for (const file of squashed) {
    if (left.some((row) => isRowOf(file, row))) continue;
    const replaced = left
      .filter((row) => compareVersions(row.version, file.version) <= 0 && !present.has(BigInt(row.version)))
      .sort((a, b) => compareVersions(a.version, b.version));
    const [newest, ...older] = replacesOf(file);
    if (replaced.length === 0 || newest === undefined) continue;
    const digest = digestOf("", replaced);
    const isWhole = [newest, ...older].some((line) => line.digest === digest) && replaced.every(isApplied);
    left = left.filter((row) => !replaced.includes(row));
    if (isWhole) {
      folds.push({ file, rows: replaced, digest });
      left = [...left, rowOf(file, replaced, digest)];
    } else {
      // The line that comes closest: a database that never saw an earlier squash has more rows than one that did.
      const all = [newest, ...older].sort((a, b) => a.count - b.count);
      const replaces = all.find(({ count }) => count >= replaced.length) ?? newest;
      partial.push({ file, replaces, rows: replaced });
    }
  }
  return { rows: left, folds, partial };
}

function isRowOf(file: MigrationFile, row: LedgerRow): boolean {
  return compareVersions(row.version, file.version) === 0 && row.name === ledgerName(file);
}

/** The row a fold leaves: applied when the last of them was. */
function rowOf(file: MigrationFile, replaced: readonly LedgerRow[], digest: string): LedgerRow {
  const sum = (read: (row: LedgerRow) => number): number =>
    replaced.reduce((total, row) => total + read(row), 0);
  const last = [...replaced].sort((a, b) => ((a.appliedAt ?? "") < (b.appliedAt ?? "") ? -1 : 1)).at(-1);
  const statements = sum((row) => row.statementsTotal);
  return {
    version: file.version,
    name: ledgerName(file),
    checksum: file.checksum,
    direction: "up",
    statementsTotal: statements,
    statementsApplied: statements,
    appliedChecksum: digest,
    inFlight: undefined,
    startedAt: replaced.map(({ startedAt }) => startedAt).sort()[0] ?? "",
    appliedAt: last?.appliedAt,
    durationMs: sum((row) => row.durationMs ?? 0),
    appliedBy: last?.appliedBy ?? "",
  };
}

/** What is wrong with a squash that a database has in part, and what helps. */
export function describePartial({ file, replaces, rows }: PartialSquash): {
  readonly why: string;
  readonly fix: string;
} {
  const last = rows.at(-1);
  const newest = last === undefined ? "" : `, the newest ${fileNameOf(last)}`;
  const unfinished = rows.find((row) => !isApplied(row));
  if (unfinished !== undefined) {
    return {
      why: `replaces ${replaces.count} migrations, of which ${fileNameOf(unfinished)} is half applied here`,
      fix: `Finish it with the files of before the squash: plinth migrate up --to ${replaces.to}; then come back.`,
    };
  }
  return rows.length < replaces.count
    ? {
        why: `replaces ${replaces.count} migrations, and this database has ${rows.length} of them${newest}`,
        fix: `Apply the others with the files of before the squash: plinth migrate up --to ${replaces.to}; then come back.`,
      }
    : {
        why: `replaces ${replaces.from} to ${replaces.to}, and this database was made by others${newest}`,
        fix: `Restore the files it was made by, and check that ${file.fileName} belongs to this database.`,
      };
}
