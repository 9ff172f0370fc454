// Rows that only their tenant sees
export { rowSecurityBehaviour } from "./row-security.ts";
