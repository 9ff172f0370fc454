/** What stands in a graph, and what each needs. */
export interface Graph {
  readonly nodes: readonly string[];
  readonly needs: ReadonlyMap<string, ReadonlySet<string>>;
}

/**
 * Groups nodes that need each other in a circle, those first that others need. Most groups hold one node.
 * Tarjan's algorithm, without recursion: a chain of foreign keys may be longer than the stack.
 */
export function groupsInOrder({ nodes, needs }: Graph): readonly (readonly string[])[] {
  const known = new Set(nodes);
  const visited = new Map<string, Visit>();
  const stack: string[] = [];
  const groups: string[][] = [];
  let count = 0;
  const enter = (node: string): Visit => {
    const visit = {
      order: count,
      low: count,
      isOpen: true,
      rest: [...(needs.get(node) ?? [])].filter((one) => known.has(one)),
    };
    count += 1;
    visited.set(node, visit);
    stack.push(node);
    return visit;
  };
  for (const root of nodes) {
    if (visited.has(root)) continue;
    const path: (readonly [string, Visit])[] = [[root, enter(root)]];
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const [node, visit] = top;
      const next = visit.rest.pop();
      if (next !== undefined) {
        const seen = visited.get(next);
        if (seen === undefined) path.push([next, enter(next)]);
        else if (seen.isOpen) visit.low = Math.min(visit.low, seen.order);
        continue;
      }
      path.pop();
      const above = path.at(-1)?.[1];
      if (above !== undefined) above.low = Math.min(above.low, visit.low);
      if (visit.low === visit.order) groups.push(closeGroup(node, stack, visited));
    }
  }
  return groups;
}

interface Visit {
  readonly order: number;
  low: number;
  isOpen: boolean;
  readonly rest: string[];
}

function closeGroup(root: string, stack: string[], visited: ReadonlyMap<string, Visit>): string[] {
  const group: string[] = [];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    const visit = visited.get(node);
    if (visit !== undefined) visit.isOpen = false;
    group.unshift(node);
    if (node === root) break;
  }
  return group;
}
