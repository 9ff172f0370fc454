/** What every subject of the comparison can be asked, and the exact rows that it has to answer with. */

export interface World {
  readonly id: number;
  readonly randomNumber: number;
}

export interface Fortune {
  readonly id: number;
  readonly message: string;
}

interface MovieCard {
  readonly id: number;
  readonly image: string;
  readonly title: string;
  readonly avgRating: number | null;
}

export interface UserPage {
  readonly id: number;
  readonly name: string;
  readonly image: string;
  /** The ten newest. */
  readonly latestReviews: readonly {
    readonly id: number;
    readonly body: string;
    readonly rating: number;
    readonly movie: MovieCard;
  }[];
}

export interface FilmOfPerson extends MovieCard {
  readonly year: number;
}

export interface PersonPage {
  readonly id: number;
  readonly fullName: string;
  readonly image: string;
  readonly bio: string;
  /** By year, then title; so is `directed`. */
  readonly actedIn: readonly FilmOfPerson[];
  readonly directed: readonly FilmOfPerson[];
}

export interface Credit {
  readonly id: number;
  readonly fullName: string;
  readonly image: string;
}

export interface MoviePage extends MovieCard {
  readonly year: number;
  readonly description: string;
  /** In the order of the link's `list_order`; so is `cast`. */
  readonly directors: readonly Credit[];
  readonly cast: readonly Credit[];
  /** The newest first. */
  readonly reviews: readonly {
    readonly id: number;
    readonly body: string;
    readonly rating: number;
    readonly author: { readonly id: number; readonly name: string; readonly image: string };
  }[];
}

export interface NewUser {
  readonly name: string;
  readonly image: string;
}

export interface Account {
  readonly id: number;
  readonly email: string;
  readonly fullName: string;
  readonly createdAt: Date;
  readonly profile: {
    readonly accountId: number;
    readonly avatarUrl: string;
    readonly bio: string | null;
    readonly phone: string | null;
  };
}

export interface Task {
  readonly id: number;
  readonly projectId: number;
  readonly title: string;
  readonly description: string | null;
  readonly priority: number;
  readonly status: string;
  readonly dueAt: Date | null;
  readonly createdAt: Date;
}

export type NewTask = Omit<Task, "id" | "createdAt">;

export interface Project {
  readonly id: number;
  readonly name: string;
  readonly description: string | null;
  readonly status: string;
  readonly createdAt: Date;
  /** By key. */
  readonly tasks: readonly Task[];
}

/** A page of tasks of one status and at least one priority, the newest first, after the task with this place. */
export interface TaskQuery {
  readonly status: string;
  readonly minPriority: number;
  /** Pages before this one; for those whose cursors are made by walking. */
  readonly page: number;
  readonly after: { readonly createdAt: Date; readonly id: number };
}

/** Three writes that stand or fall together: a task, its project's counter, and a line in the log. */
export interface Assignment {
  readonly task: NewTask;
  readonly action: string;
}

/** Every subject has what it can do; what its interface has no word for, it leaves out. */
export interface Operations {
  /** One row by its key. */
  oneRow(id: number): Promise<World>;
  /** Each row by a read of its own; the reads may travel together. */
  manyReads(ids: readonly number[]): Promise<readonly World[]>;
  /** All rows, one more made in the application, and the whole sorted by message there. */
  fortunes(): Promise<readonly Fortune[]>;
  /** Reads each row by a read of its own, gives it its new number, and writes all of them in one transaction. */
  updates(changes: readonly World[]): Promise<readonly World[]>;

  getUser(id: number): Promise<UserPage>;
  getPerson(id: number): Promise<PersonPage>;
  getMovie(id: number): Promise<MoviePage>;
  insertUser(user: NewUser): Promise<NewUser & { readonly id: number }>;
  updateMovie(id: number, title: string): Promise<{ readonly id: number; readonly title: string }>;

  /** Fifty accounts after a key, each with its profile. */
  accountPage(afterId: number): Promise<readonly Account[]>;
  /** Twenty projects after a key, each with its tasks. */
  projectPage(afterId: number): Promise<readonly Project[]>;
  /** Twenty tasks. */
  taskPage(query: TaskQuery): Promise<readonly Task[]>;
  /** All of them in one call, all or nothing. */
  insertTasks(tasks: readonly NewTask[]): Promise<void>;
  assign(assignment: Assignment): Promise<void>;

  /** A statement that takes the server 30 ms. */
  slow(): Promise<void>;
}

export type OperationName = keyof Operations;

/** One library, used in one way. */
export interface Subject {
  readonly operations: Partial<Operations>;
  close(): Promise<void>;
}

export interface Settings {
  readonly url: string;
  readonly poolSize: number;
}

export type OpenSubject = (settings: Settings) => Subject | Promise<Subject>;

/** The row that `fortunes` adds. */
export const EXTRA_FORTUNE: Fortune = { id: 0, message: "Additional fortune added at request time." };

export function byMessage(a: Fortune, b: Fortune): number {
  return a.message < b.message ? -1 : a.message > b.message ? 1 : 0;
}

/** For those whose interface cannot sort by a column of a related row. */
export function byYearAndTitle(a: FilmOfPerson, b: FilmOfPerson): number {
  return a.year - b.year || (a.title < b.title ? -1 : a.title > b.title ? 1 : 0);
}

/** The row, or an error where a key of the data finds none. */
export function found<T>(row: T | null | undefined): T {
  if (row === null || row === undefined) throw new Error("no row has this key");
  return row;
}
