import type { Hono } from "hono";
import { liveness, readiness } from "plinth/http";
import type { Tracker } from "../db.ts";
import { addResource, answer } from "../resource.ts";

export function addHealth(app: Hono, { db }: Tracker): void {
  addResource(app, "/health/live", {
    GET() {
      const { status, body } = liveness();
      return answer(body, status, UNCACHED);
    },
  });
  addResource(app, "/health/ready", {
    async GET() {
      const { status, body } = await readiness(db);
      return answer(body, status, UNCACHED);
    },
  });
}

const UNCACHED = { "cache-control": "no-store" };
