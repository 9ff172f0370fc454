// The order counts: `pg` looks for it while it is loaded.
import "./navigator.ts";
import pg from "pg";
import { withdrawNavigator } from "./navigator.ts";

withdrawNavigator();

/** `pg`'s client, with which a session begins. */
export const { Client } = pg;
