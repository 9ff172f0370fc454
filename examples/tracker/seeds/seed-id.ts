/** The time part of every seeded id: 2026-01-01T00:00:00Z as a ULID has it. */
const TIME_PART = "01KDVDNA00";

const KINDS = { user: "1", project: "2", task: "3" } as const;

/** A ULID that is the same in every run: which is what makes seeding twice safe. */
export function seedId(kind: keyof typeof KINDS, i: number): string {
  return `${TIME_PART}${KINDS[kind]}${String(i).padStart(15, "0")}`;
}
