import { defineSeed } from "plinth";
import { type TrackerDatabase, trackerOn } from "../../db.ts";
import { hashPassword } from "../../password.ts";
import { projectStatus, taskStatus } from "../../schema.ts";
import { seedId } from "../seed-id.ts";

export const SEED_USERS = 1_000;
export const SEED_PROJECTS = 200;
export const SEED_TASKS = 50_000;

/** Everybody's password in development. */
const PASSWORD = "tracker-development";

const FIRST_NAMES = [
  "Ana",
  "Ben",
  "Chidi",
  "Dana",
  "Emre",
  "Fatou",
  "Goran",
  "Hana",
  "Ivo",
  "Jun",
  "Kira",
  "Leon",
  "Mia",
];
const LAST_NAMES = [
  "Ahmed",
  "Bauer",
  "Costa",
  "Diaz",
  "Endo",
  "Fischer",
  "Gupta",
  "Haas",
  "Ito",
  "Jensen",
  "Kovac",
];
const WORK = ["Design", "Build", "Review", "Test", "Document", "Measure", "Ship"];
const THINGS = [
  "the login page",
  "the export",
  "the search",
  "the invoice",
  "the report",
  "the import",
  "the map",
  "the menu",
];

/** Moments are counted from here, so that every run writes the same rows. */
const START = Date.UTC(2026, 0, 1);
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/** 1,000 users, 200 projects and 50,000 tasks: a few statements, whatever their number, in the seed's one transaction. */
export default defineSeed({
  name: "tracker",
  kind: "dev",
  async run(db: TrackerDatabase) {
    const { users, profiles, projects, members, tasks } = trackerOn(db);
    // All or nothing, so one row tells for all; a dead one was there as well.
    if ((await users.withDeleted().find(seedId("user", 0))) !== undefined) return;
    const passwordHash = await hashPassword(PASSWORD);
    await users.createMany(rows(SEED_USERS, (i) => ({ ...user(i), passwordHash })));
    await profiles.createMany(rows(SEED_USERS / 2, profile));
    await projects.createMany(rows(SEED_PROJECTS, project));
    await members.createMany(rows(SEED_PROJECTS * 3, member));
    await tasks.createMany(rows(SEED_TASKS, task));
  },
});

function rows<T>(count: number, make: (i: number) => T): T[] {
  return Array.from({ length: count }, (_, i) => make(i));
}

function pick<T>(list: readonly T[], i: number): T {
  const item = list[i % list.length];
  if (item === undefined) throw new RangeError("nothing to pick from");
  return item;
}

function user(i: number) {
  const fullName = `${pick(FIRST_NAMES, i)} ${pick(LAST_NAMES, Math.floor(i / FIRST_NAMES.length))}`;
  return {
    id: seedId("user", i),
    email: `dev-${i}@tracker.example`,
    fullName,
    createdAt: new Date(START + i * 10 * MINUTE_MS),
  };
}

/** Every other user has one: a left join is there for the rest. */
function profile(i: number) {
  return {
    userId: seedId("user", i * 2),
    bio: `Works on ${pick(THINGS, i)}.`,
    phone: `+1 555 ${String(i).padStart(4, "0")}`,
  };
}

function project(i: number) {
  return {
    id: seedId("project", i),
    name: `${pick(WORK, i)} ${pick(THINGS, i)}`,
    status: pick(projectStatus.enumValues, i % 5 === 0 ? i : 0),
    ownerId: seedId("user", i * 3),
    createdAt: new Date(START + i * 60 * MINUTE_MS),
  };
}

function member(i: number) {
  const projectNumber = Math.floor(i / 3);
  const place = i % 3;
  return {
    projectId: seedId("project", projectNumber),
    userId: seedId("user", projectNumber * 3 + place),
    role: pick(["owner", "admin", "member"] as const, place),
  };
}

function task(i: number) {
  return {
    id: seedId("task", i),
    projectId: seedId("project", i % SEED_PROJECTS),
    title: `${pick(WORK, i)} ${pick(THINGS, Math.floor(i / WORK.length))}`,
    priority: (i % 5) + 1,
    status: pick(taskStatus.enumValues, i),
    dueDate: i % 4 === 0 ? null : new Date(START + (i % 365) * DAY_MS).toISOString().slice(0, 10),
    assignedTo: i % 3 === 0 ? null : seedId("user", i % SEED_USERS),
    createdAt: new Date(START + i * MINUTE_MS),
  };
}
