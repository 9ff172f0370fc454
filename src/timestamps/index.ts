// `updatedAt`, kept by the database
export { timestampsBehaviour } from "./timestamps.ts";
