/** What a search takes and gives: checked by the compiler, never run. */
import type { Database, Query, SearchHit, SearchPage } from "plinth";
import type { Row } from "plinth/schema";
import type * as library from "../../src/search/library.fixture.ts";
import { type Equal, holds } from "./equal.ts";

type Library = typeof library.schema;
type Article = Row<typeof library.articles>;

export async function searches(db: Database<Library>, { articles, authors, notes }: Library) {
  const repo = db.repository(articles);
  const plain = repo.search("release");
  holds<Equal<typeof plain, Query<SearchPage<SearchHit<Article>>>>>();
  const { data, meta } = await plain;
  holds<Equal<(typeof data)[number], { readonly row: Article; readonly rank: number }>>();
  holds<Equal<typeof meta.matched, "words" | "similar">>();
  holds<Equal<typeof meta.total, number>>();

  const rich = await repo.search("x", {
    with: { author: true },
    columns: ["id"],
    highlight: ["title", "body"],
  });
  const hit = rich.data[0];
  holds<Equal<NonNullable<typeof hit>["row"]["author"], Row<typeof library.authors> | null>>();
  holds<Equal<keyof NonNullable<typeof hit>["row"], "id" | "author">>();
  holds<
    Equal<NonNullable<typeof hit>["highlights"], { readonly title: string; readonly body: string | null }>
  >();
  const long = await repo.search("x", { highlight: { columns: ["body"], marks: ["*", "*"], words: 9 } });
  holds<Equal<NonNullable<(typeof long.data)[number]>["highlights"], { readonly body: string | null }>>();
  await repo
    .withDeleted()
    .search("x", { where: { author: { is: { name: "Ada" } } }, page: 2, limit: 5, prefix: false });
  const people = await db
    .repository(authors)
    .search("ada", { reveal: ["token"], counts: { articles: true } });
  holds<Equal<NonNullable<(typeof people.data)[number]>["row"]["token"], string | null>>();

  // @ts-expect-error nothing is marked that was not asked for
  data[0]?.highlights;
  // @ts-expect-error only searched columns are marked
  repo.search("x", { highlight: ["rank"] });
  // @ts-expect-error there is no such column
  repo.search("x", { where: { titel: "x" } });
  // @ts-expect-error the order is the rank's
  repo.search("x", { sort: "title" });
  // @ts-expect-error a text is searched for
  repo.search(7);
  // @ts-expect-error notes declare no search
  db.repository(notes).search("x");
}
