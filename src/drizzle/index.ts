// A Drizzle database on Plinth's connections
export { createDrizzle } from "./session.ts";
