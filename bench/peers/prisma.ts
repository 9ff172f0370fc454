/** Prisma 7: its generated client on the `pg` driver adapter. */
import { PrismaPg } from "@prisma/adapter-pg";
import {
  byMessage,
  EXTRA_FORTUNE,
  type Operations,
  type Settings,
  type Subject,
  type World,
} from "../comparison/operations.ts";
// `prisma generate` runs before the bundle is made.
import { PrismaClient } from "../node_modules/.bench/prisma/client.ts";

const FILM = { select: { id: true, image: true, title: true, year: true, avgRating: true } } as const;
const CREDIT = { select: { id: true, fullName: true, image: true } } as const;
const BY_FILM = [{ movie: { year: "asc" } }, { movie: { title: "asc" } }] as const;

export function openPrisma({ url, poolSize }: Settings): Subject {
  const adapter = new PrismaPg({ connectionString: url, max: poolSize, idleTimeoutMillis: 0 });
  const prisma = new PrismaClient({ adapter });
  const oneRow = (id: number): Promise<World> => prisma.world.findUniqueOrThrow({ where: { id } });
  const operations: Operations = {
    oneRow,
    manyReads: (ids) => Promise.all(ids.map(oneRow)),
    fortunes: async () => [...(await prisma.fortune.findMany()), EXTRA_FORTUNE].sort(byMessage),
    async updates(changes) {
      const worlds = await Promise.all(changes.map(({ id }) => oneRow(id)));
      const changed = worlds.map(({ id }, at) => ({ id, randomNumber: changes[at]?.randomNumber ?? 0 }));
      return await prisma.$transaction(
        changed.map(({ id, randomNumber }) => prisma.world.update({ where: { id }, data: { randomNumber } })),
      );
    },
    async getUser(id) {
      const { reviews, ...user } = await prisma.user.findUniqueOrThrow({
        where: { id },
        include: {
          reviews: {
            select: {
              id: true,
              body: true,
              rating: true,
              movie: { select: { id: true, image: true, title: true, avgRating: true } },
            },
            orderBy: { creationTime: "desc" },
            take: 10,
          },
        },
      });
      return { ...user, latestReviews: reviews };
    },
    async getPerson(id) {
      const { actedIn, directed, ...person } = await prisma.person.findUniqueOrThrow({
        where: { id },
        include: {
          actedIn: { select: { movie: FILM }, orderBy: [...BY_FILM] },
          directed: { select: { movie: FILM }, orderBy: [...BY_FILM] },
        },
      });
      return {
        ...person,
        actedIn: actedIn.map(({ movie }) => movie),
        directed: directed.map(({ movie }) => movie),
      };
    },
    async getMovie(id) {
      const { directors, cast, ...movie } = await prisma.ratedMovie.findUniqueOrThrow({
        where: { id },
        include: {
          directors: { select: { person: CREDIT }, orderBy: { listOrder: "asc" } },
          cast: { select: { person: CREDIT }, orderBy: { listOrder: "asc" } },
          reviews: {
            select: {
              id: true,
              body: true,
              rating: true,
              author: { select: { id: true, name: true, image: true } },
            },
            orderBy: { creationTime: "desc" },
          },
        },
      });
      return {
        ...movie,
        directors: directors.map(({ person }) => person),
        cast: cast.map(({ person }) => person),
      };
    },
    insertUser: (user) => prisma.user.create({ data: user }),
    updateMovie: (id, title) => prisma.movie.update({ where: { id }, data: { title } }),
    async accountPage(afterId) {
      const accounts = await prisma.account.findMany({
        where: { id: { gt: afterId } },
        include: { profile: true },
        orderBy: { id: "asc" },
        take: 50,
      });
      return accounts.flatMap(({ profile, ...account }) =>
        profile === null ? [] : [{ ...account, profile }],
      );
    },
    projectPage: (afterId) =>
      prisma.project.findMany({
        where: { id: { gt: afterId } },
        include: { tasks: { orderBy: { id: "asc" } } },
        orderBy: { id: "asc" },
        take: 20,
      }),
    taskPage: ({ status, minPriority, after: { createdAt, id } }) =>
      // Its cursor is a key whose row has to exist; a place in an order is said with conditions.
      prisma.task.findMany({
        where: {
          status,
          priority: { gte: minPriority },
          OR: [{ createdAt: { lt: createdAt } }, { createdAt, id: { lt: id } }],
        },
        orderBy: [{ createdAt: "desc" }, { id: "desc" }],
        take: 20,
      }),
    async insertTasks(tasks) {
      await prisma.newTask.createMany({ data: [...tasks] });
    },
    async assign({ task, action }) {
      const { projectId } = task;
      await prisma.$transaction([
        prisma.newTask.create({ data: task }),
        prisma.projectTotal.update({ where: { projectId }, data: { taskCount: { increment: 1 } } }),
        prisma.activity.create({ data: { projectId, action } }),
      ]);
    },
    async slow() {
      await prisma.$executeRaw`select pg_sleep(0.03)`;
    },
  };
  return { operations, close: () => prisma.$disconnect() };
}
