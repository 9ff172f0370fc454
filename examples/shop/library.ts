import { isPlinthError, isUniqueViolation, now, subtract } from "plinth";
import type { ShopDatabase } from "./db.ts";
import * as schema from "./schema.ts";

/** `borrowed` already by this reader, or `out`: no copy is left. */
export class NotAvailable extends Error {
  readonly reason: "borrowed" | "out";
  constructor(reason: "borrowed" | "out") {
    super(reason === "out" ? "every copy is out" : "this reader has a copy already");
    this.reason = reason;
  }
}

/** Books are lent one copy at a time. */
export function libraryOn(db: ShopDatabase) {
  const books = db.repository(schema.books);
  const loans = db.repository(schema.loans);

  return Object.freeze({
    add: (title: string, copies: number) => books.create({ title, available: copies }),
    /** One round trip: both statements travel together, and the server undoes both where one fails. */
    async borrow(bookId: string, reader: string) {
      const taking = books.update(
        bookId,
        { available: subtract(1) },
        { where: { available: { gt: 0 } }, returning: false },
      );
      const [, loan] = await db.batch([taking, loans.create({ bookId, reader })]).catch((error: unknown) => {
        if (isPlinthError(error) && error.code === "CONDITION_FAILED") throw new NotAvailable("out");
        throw isUniqueViolation(error) ? new NotAvailable("borrowed") : error;
      });
      return loan;
    },
    /** Giving back twice is giving back once. */
    giveBack: (loanId: string) =>
      db.transaction(async () => {
        const loan = await loans.get(loanId, { lock: "update" });
        if (loan.returnedAt !== null) return loan;
        await books.increment(loan.bookId, { available: 1 }, { returning: false });
        return loans.update(loanId, { returnedAt: now() });
      }),
    /** What a reader has. */
    borrowed: async (reader: string) =>
      (await loans.list({ where: { reader, returnedAt: null }, sort: "borrowedAt", limit: 100 })).data,
  });
}
