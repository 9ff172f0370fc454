import { SchemaError } from "../../errors/index.ts";
import { type Part, RANKS, type Rank } from "./part.ts";

/** Which parts a part comes after. */
type Edges = ReadonlyMap<Part, ReadonlySet<Part>>;

/** Parts in an order that runs, and in one that takes them away again. */
export interface OrderedParts {
  readonly up: readonly Part[];
  /** Parts to drop one by one; the others go with their owners. */
  readonly down: readonly Part[];
}

/**
 * Puts parts in order: what a declaration says it needs comes first, then what its SQL seems to name, then the order
 * of kinds, then the order given. A name in SQL may be a mere coincidence, so it never makes a circle.
 *
 * @throws {SCHEMA_INVALID} when declarations need each other in a circle.
 */
export function orderParts(parts: readonly Part[]): OrderedParts {
  const edges = edgesOf(parts);
  const sorted = parts.toSorted((a, b) => RANKS.indexOf(a.rank) - RANKS.indexOf(b.rank));
  const up = walk(sorted, edges);
  return { up, down: downOrder(up, edges) };
}

function edgesOf(parts: readonly Part[]): Edges {
  const byId = new Map<string, Part>();
  for (const part of parts) for (const id of part.ids) byId.set(id, part);
  const edges = new Map<Part, Set<Part>>(parts.map((part) => [part, new Set()]));
  for (const part of parts) {
    for (const id of [...part.needs, ...(part.owner === undefined ? [] : [part.owner])]) {
      const needed = byId.get(id);
      if (needed !== undefined && needed !== part) edges.get(part)?.add(needed);
    }
  }
  refuseCircles(parts, edges);
  addMentions(parts, edges);
  return edges;
}

/** What a mention in the SQL of one kind may be of. A table in a table's check is a column of that name. */
const MENTIONED: Readonly<Partial<Record<Rank, readonly Rank[]>>> = {
  domain: ["routine"],
  table: ["routine"],
  index: ["routine"],
  "view index": ["routine"],
  routine: ["routine", "table", "view"],
  view: ["routine", "view"],
  policy: ["routine", "view"],
  trigger: ["routine"],
};

function addMentions(parts: readonly Part[], edges: ReadonlyMap<Part, Set<Part>>): void {
  const byName = new Map<string, Part[]>();
  for (const part of parts) {
    for (const id of part.ids) {
      const name = id.slice(id.indexOf(" ") + 1);
      byName.set(name, [...(byName.get(name) ?? []), part]);
    }
  }
  for (const part of parts) {
    const allowed = MENTIONED[part.rank];
    if (allowed === undefined || part.text === undefined) continue;
    for (const name of namesIn(part.text)) {
      for (const mentioned of byName.get(name) ?? []) {
        if (mentioned === part || !allowed.includes(mentioned.rank)) continue;
        if (!reaches(mentioned, part, edges)) edges.get(part)?.add(mentioned);
      }
    }
  }
}

/** The identifiers of a SQL text, as PostgreSQL would fold them; words of literals and comments among them. */
function namesIn(text: string): ReadonlySet<string> {
  const names = new Set<string>();
  for (const [token, quoted] of text.matchAll(/"((?:[^"]|"")+)"|[A-Za-z_][\w$]*/g)) {
    names.add(quoted === undefined ? token.toLowerCase() : quoted.replaceAll('""', '"'));
  }
  return names;
}

function reaches(from: Part, to: Part, edges: Edges, seen: Set<Part> = new Set()): boolean {
  if (from === to) return true;
  if (seen.has(from)) return false;
  seen.add(from);
  for (const next of edges.get(from) ?? []) if (reaches(next, to, edges, seen)) return true;
  return false;
}

function refuseCircles(parts: readonly Part[], edges: Edges): void {
  for (const part of parts) {
    for (const needed of edges.get(part) ?? []) {
      if (!reaches(needed, part, edges)) continue;
      throw new SchemaError(`${nameOf(part)} and ${nameOf(needed)} need each other`, {
        hint: "Neither can be created first. Name one of them in SQL text only, or in a function in PL/pgSQL, which is read when it runs.",
      });
    }
  }
}

function nameOf({ ids, rank }: Part): string {
  const id = ids[0] ?? "";
  return `${rank} "${id.slice(id.indexOf(" ") + 1)}"`;
}

/** Each part after those it needs, otherwise as given. */
function walk(parts: readonly Part[], edges: Edges): readonly Part[] {
  const done = new Set<Part>();
  const visit = (part: Part): void => {
    if (done.has(part)) return;
    for (const needed of edges.get(part) ?? []) visit(needed);
    done.add(part);
  };
  for (const part of parts) visit(part);
  return [...done];
}

/**
 * The way back is short: what goes with its owner is not dropped on its own, and what it needed waits until the owner
 * is gone. Where that would go round in a circle (a policy's function takes a row of the policy's own table), every
 * part is dropped, the last one first.
 */
function downOrder(up: readonly Part[], edges: Edges): readonly Part[] {
  const byId = new Map(up.flatMap((part) => part.ids.map((id) => [id, part] as const)));
  const standsFor = (part: Part): Part => {
    const owner = part.owner === undefined ? undefined : byId.get(part.owner);
    return owner === undefined || part.rank === "foreign key" ? part : standsFor(owner);
  };
  const dependents = new Map<Part, Set<Part>>(up.map((part) => [part, new Set()]));
  for (const part of up) {
    for (const needed of edges.get(part) ?? []) {
      const [one, other] = [standsFor(part), standsFor(needed)];
      if (one !== other && one.rank !== "foreign key") dependents.get(other)?.add(one);
    }
  }
  const reversed = up.toReversed();
  const keys = reversed.filter((part) => part.rank === "foreign key");
  const others = reversed.filter((part) => part.rank !== "foreign key" && standsFor(part) === part);
  const isRound = others.some((part) =>
    [...(dependents.get(part) ?? [])].some((next) => reaches(next, part, dependents)),
  );
  return isRound ? reversed : [...keys, ...walk(others, dependents)];
}
