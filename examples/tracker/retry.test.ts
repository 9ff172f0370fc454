import { describe, expect, it } from "vitest";
import { openClient } from "./client.fixture.ts";

const { send, user, project, task, logged } = await openClient();

describe("requests that meet", () => {
  it("are answered as if they had come one after the other, whatever order they come in", async () => {
    const statuses = new Set<number>();
    for (let round = 0; round < 20; round++) {
      const [ownerId, other] = [await user(), await user()];
      const projectId = await project({ ownerId });
      const taskId = await task({ projectId, assignedTo: other });
      const elsewhere = await project({ ownerId: other });
      const requests = [
        send("DELETE", `/v1/users/${other}`),
        send("PATCH", `/v1/tasks/${taskId}`, { assignedTo: other, projectId: elsewhere }),
        send("DELETE", `/v1/projects/${projectId}`),
        send("PUT", `/v1/projects/${projectId}/members/${other}`, { role: "admin" }),
        send("DELETE", `/v1/projects/${elsewhere}`),
        send("POST", "/v1/tasks", { projectId: elsewhere, title: "X", assignedTo: other }),
        send("PATCH", `/v1/users/${other}/profile`, { bio: "X" }),
        send("DELETE", `/v1/users/${ownerId}`),
      ];
      for (const { status } of await Promise.all(requests)) statuses.add(status);
    }
    expect([...statuses].filter((status) => status >= 500)).toEqual([]);
    expect(statuses).toContain(204);
    expect(logged).toEqual([]);
  }, 60_000);
});
