// The words of a row, kept where they are searched
export { searchBehaviour } from "./search.ts";
