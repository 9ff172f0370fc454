// Calls of declared functions and procedures
export { callRoutine } from "./call.ts";
