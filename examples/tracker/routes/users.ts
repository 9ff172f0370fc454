import type { Hono } from "hono";
import { isForeignKeyViolation, NotFoundError } from "plinth";
import { pageLimit, pageNumber, readJsonBody, readQuery, sortKey } from "plinth/http";
import { z } from "zod";
import type { Tracker } from "../db.ts";
import { email, password, phone, prose, title, webAddress } from "../fields.ts";
import { hashPassword } from "../password.ts";
import { addResource, answer, created, keyIn, noContent } from "../resource.ts";
import { retrying } from "../retry.ts";

const newUser = z.object({ email, fullName: title, password });
const userPatch = newUser.exactPartial();
const profilePatch = z.object({ avatarUrl: webAddress, bio: prose, phone }).exactPartial();
const userQuery = z.object({
  name: z.string().exactOptional(),
  sort: sortKey(["fullName", "email", "createdAt"]).default("-createdAt"),
  page: pageNumber().default(1),
  limit: pageLimit(),
});

export function addUsers(app: Hono, tracker: Tracker): void {
  addUserList(app, tracker);
  addUser(app, tracker);
  addProfile(app, tracker);
}

function addUserList(app: Hono, { users }: Tracker): void {
  addResource(app, "/v1/users", {
    async LIST({ req }) {
      const { name, ...page } = readQuery(req.raw, userQuery);
      const where =
        name === undefined ? {} : { fullName: { startsWith: name, mode: "insensitive" as const } };
      return answer(await users.list({ ...page, where, with: { profile: true } }));
    },
    async POST({ req }) {
      const input = await readJsonBody(req.raw, newUser);
      const user = await users.create({
        email: input.email,
        fullName: input.fullName,
        passwordHash: await hashPassword(input.password),
      });
      return created({ ...user, profile: null }, `/v1/users/${user.id}`);
    },
  });
}

function addUser(app: Hono, { db, users }: Tracker): void {
  addResource(app, "/v1/users/:id", {
    async GET(context) {
      return answer(await users.get(keyIn(context, "id", "users"), { with: { profile: true } }));
    },
    async PATCH(context) {
      const id = keyIn(context, "id", "users");
      const { password: next, ...patch } = await readJsonBody(context.req.raw, userPatch);
      const secret = next === undefined ? {} : { passwordHash: await hashPassword(next) };
      // One flight: the row as it is afterwards, with its profile.
      const [, user] = await retrying(() =>
        db.batch([users.update(id, { ...patch, ...secret }), users.get(id, { with: { profile: true } })]),
      );
      return answer(user);
    },
    async DELETE(context) {
      const id = keyIn(context, "id", "users");
      await retrying(() => users.delete(id));
      return noContent();
    },
  });
}

function addProfile(app: Hono, { users, profiles }: Tracker): void {
  addResource(app, "/v1/users/:id/profile", {
    async PATCH(context) {
      const id = keyIn(context, "id", "users");
      const patch = await readJsonBody(context.req.raw, profilePatch);
      if (Object.keys(patch).length === 0) {
        const { profile } = await users.get(id, { with: { profile: true } });
        return answer(profile ?? { ...NO_PROFILE, userId: id });
      }
      try {
        return answer(await retrying(() => profiles.upsert({ ...patch, userId: id }, { on: "userId" })));
      } catch (error) {
        // The profile's foreign key is its user, who is part of the address here.
        throw isForeignKeyViolation(error) ? new NotFoundError("users") : error;
      }
    },
  });
}

/** What a user without a profile has: an empty patch does not make one. */
const NO_PROFILE = { avatarUrl: null, bio: null, phone: null, createdAt: null, updatedAt: null };
