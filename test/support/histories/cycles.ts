import type { Anomaly, Finding } from "./history.ts";

/** One transaction comes before another: it wrote before it, was read by it, or read what that then changed. */
export interface Edge {
  readonly kind: "ww" | "wr" | "rw";
  readonly from: number;
  readonly to: number;
}

/** Where transactions come before themselves. One finding for each set of transactions that depend on each other. */
export function cyclesIn(edges: readonly Edge[]): readonly Finding[] {
  return componentsOf(edges).map((members): Finding => {
    const inside = edges.filter(({ from, to }) => members.has(from) && members.has(to));
    return { anomaly: worstOf(inside), about: [...members] };
  });
}

function worstOf(edges: readonly Edge[]): Anomaly {
  const of = (...kinds: Edge["kind"][]) => edges.filter(({ kind }) => kinds.includes(kind));
  if (componentsOf(of("ww")).length > 0) return "G0";
  const forward = of("ww", "wr");
  if (componentsOf(forward).length > 0) return "G1c";
  const against = of("rw");
  if (against.some(({ from, to }) => isReachable(forward, to, from))) return "G-single";
  if (against.some(({ from, to }) => closesApart(edges, to, from))) return "G-nonadjacent";
  return "G2";
}

function nextOf(edges: readonly Edge[]): ReadonlyMap<number, readonly Edge[]> {
  const next = new Map<number, Edge[]>();
  for (const edge of edges) {
    const list = next.get(edge.from);
    if (list === undefined) next.set(edge.from, [edge]);
    else list.push(edge);
  }
  return next;
}

function isReachable(edges: readonly Edge[], start: number, goal: number): boolean {
  const next = nextOf(edges);
  const seen = new Set([start]);
  const waiting = [start];
  for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
    if (at === goal) return true;
    for (const { to } of next.get(at) ?? []) {
      if (seen.has(to)) continue;
      seen.add(to);
      waiting.push(to);
    }
  }
  return false;
}

/**
 * Whether a way leads from `start`, which a dependency against time has led to, back to `goal`, where that began, on which
 * no two of them are side by side: snapshot isolation knows no such circle.
 */
function closesApart(edges: readonly Edge[], start: number, goal: number): boolean {
  const next = nextOf(edges);
  const seen = new Set<string>();
  const waiting: { readonly at: number; readonly cameAgainst: boolean }[] = [
    { at: start, cameAgainst: true },
  ];
  for (let here = waiting.pop(); here !== undefined; here = waiting.pop()) {
    if (here.at === goal && !here.cameAgainst) return true;
    for (const { kind, to } of next.get(here.at) ?? []) {
      const isAgainst = kind === "rw";
      const name = `${to}/${isAgainst}`;
      if ((isAgainst && here.cameAgainst) || seen.has(name)) continue;
      seen.add(name);
      waiting.push({ at: to, cameAgainst: isAgainst });
    }
  }
  return false;
}

/** Tarjan's strongly connected components of more than one node, without recursion: histories are long. */
function componentsOf(edges: readonly Edge[]): readonly ReadonlySet<number>[] {
  const next = nextOf(edges);
  const index = new Map<number, number>();
  const low = new Map<number, number>();
  const open: number[] = [];
  const isOpen = new Set<number>();
  const found: Set<number>[] = [];
  const enter = (node: number) => {
    index.set(node, index.size);
    low.set(node, index.size - 1);
    open.push(node);
    isOpen.add(node);
  };
  const lower = (node: number, other: number) => low.set(node, Math.min(low.get(node) ?? 0, other));
  const leave = (node: number) => {
    if (low.get(node) !== index.get(node)) return;
    const members = new Set<number>();
    for (let member = open.pop(); member !== undefined; member = open.pop()) {
      isOpen.delete(member);
      members.add(member);
      if (member === node) break;
    }
    if (members.size > 1) found.push(members);
  };
  for (const root of next.keys()) {
    if (index.has(root)) continue;
    enter(root);
    const path = [{ node: root, at: 0 }];
    for (let here = path.at(-1); here !== undefined; here = path.at(-1)) {
      const edge = next.get(here.node)?.[here.at++];
      if (edge === undefined) {
        path.pop();
        leave(here.node);
        const outer = path.at(-1);
        if (outer !== undefined) lower(outer.node, low.get(here.node) ?? 0);
      } else if (!index.has(edge.to)) {
        enter(edge.to);
        path.push({ node: edge.to, at: 0 });
      } else if (isOpen.has(edge.to)) lower(here.node, index.get(edge.to) ?? 0);
    }
  }
  return found;
}
