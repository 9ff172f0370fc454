// What went wrong, as a client may know it
export {
  methodNotAllowed,
  type Problem,
  problemOf,
  problemResponse,
  RETRY_AFTER_SECONDS,
} from "./problem.ts";

// Input, checked whole
export { BODY_BYTES_MAX_DEFAULT, type JsonBodyOptions, readJsonBody, refuseBody } from "./json-body.ts";
export { readQuery } from "./query-string.ts";
export { calendarDay, pageLimit, pageNumber, sortKey, wholeNumber } from "./list-parameters.ts";
export { isStorableText } from "./text.ts";

// Whether this process lives, and can do its work
export { type HealthAnswer, liveness, readiness } from "./health-answer.ts";

// Its end, without cutting an answer short
export { type Drain, watchConnections } from "./drain.ts";
