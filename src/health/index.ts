// Whether this process can do its work, and if not, why
export { type Check, checkHealth, HEALTH_TIMEOUT_MS, type Health } from "./health.ts";

// What is going on in the database
export { type Diagnosis, diagnose, type OpenTransaction } from "./diagnose.ts";
