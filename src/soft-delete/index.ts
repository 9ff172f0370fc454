// Rows that are stamped instead of removed
export { softDeleteBehaviour } from "./soft-delete.ts";
