/** Relations through a table of links: its columns to sort by and to show. Checked by the compiler, never run. */
import type { Database } from "plinth";
import * as bench from "../../src/repository/where/workbench.fixture.ts";
import { type Equal, holds } from "./equal.ts";

export async function links(db: Database<typeof bench>) {
  const tasks = db.repository(bench.tasks);
  const shown = await tasks.get("x", {
    columns: ["id"],
    with: {
      labels: {
        columns: ["label"],
        link: ["position", "taskId"],
        sort: ["-link.position", { by: "link.taskId", nulls: "last" }, "label"],
      },
    },
  });
  holds<
    Equal<
      typeof shown,
      { id: string; labels: { label: string; link: { position: number | null; taskId: string } }[] }
    >
  >();
  const plain = await tasks.get("x", { columns: ["id"], with: { labels: { columns: ["label"] } } });
  holds<Equal<typeof plain, { id: string; labels: { label: string }[] }>>();

  // @ts-expect-error no such column of the link
  tasks.get("x", { with: { labels: { sort: "link.positoin" } } });
  // @ts-expect-error no such column of the link
  tasks.get("x", { with: { labels: { link: ["positoin"] } } });
  // @ts-expect-error a secret of the link
  tasks.get("x", { with: { labels: { link: ["note"] } } });
  // @ts-expect-error nothing links these
  tasks.get("x", { with: { children: { link: ["position"] } } });
  // @ts-expect-error nothing links these
  tasks.get("x", { with: { children: { sort: "link.position" } } });
  // @ts-expect-error one row has no order
  tasks.get("x", { with: { project: { sort: "name" } } });
  // @ts-expect-error a list of tasks has no links
  tasks.list({ sort: "link.position" });
}
