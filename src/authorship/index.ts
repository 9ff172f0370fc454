// Who made a row, and who changed it last
export { authorshipBehaviour } from "./authorship.ts";
