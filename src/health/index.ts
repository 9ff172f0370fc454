// Whether this process can do its work, and if not, why
export { type Check, checkHealth, HEALTH_TIMEOUT_MS, type Health } from "./health.ts";
