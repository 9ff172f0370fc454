/** Everybody at once: 32 workers move money between ten wallets, at each isolation level. Exits 1 where a sum is off. */
import type { IsolationLevel } from "plinth";
import { migratorOn, openDatabase } from "./db.ts";
import { rush } from "./rush.ts";

const LEVELS: readonly IsolationLevel[] = ["read committed", "repeatable read", "serializable"];
const seconds = Number(process.argv[2] ?? 10);
if (!(seconds > 0)) throw new Error("how many seconds? node --import tsx main.ts 10");

const say = (line: string): void => void process.stdout.write(`${line}\n`);

const db = await openDatabase();
try {
  await migratorOn(db).up();
  for (const isolation of LEVELS) {
    const { done, refused, exhausted, difference, failures } = await rush(db, {
      isolation,
      forMs: seconds * 1_000,
    });
    say(
      `${isolation}: ${done} transfers, ${refused} without funds, ${exhausted} gave up, off by ${difference} cents`,
    );
    for (const failure of failures) say(`  failed: ${String(failure)}`);
    if (difference !== 0n || failures.length > 0) process.exitCode = 1;
  }
} finally {
  await db.close();
}
