import { randomFillSync } from "node:crypto";

/** Crockford's base 32, in ascending order of code points, so that text order is time order. */
const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const RANDOM_DIGITS = 16;

/**
 * Makes a generator of ULIDs that ascend strictly within the process, whatever the clock does: in the same
 * millisecond, and after the clock was set back, the last one's random part counts on; when its 80 bits run
 * over, the time part takes one step forward. It never waits and never repeats.
 *
 * Format: https://github.com/ulid/spec
 *
 * @param fill fills an array with random bytes. @default `crypto.randomFillSync`
 */
export function createUlidGenerator(
  now: () => number = Date.now,
  fill: (bytes: Uint8Array) => unknown = randomFillSync,
): () => string {
  const random = new Uint8Array(RANDOM_DIGITS);
  let time = -1;
  return () => {
    const current = now();
    if (current > time) {
      time = current;
      draw(random, fill);
    } else if (!increment(random)) {
      time += 1;
      draw(random, fill);
    }
    return encodeTime(time) + encodeDigits(random);
  };
}

/** A ULID: 26 characters, time first. */
export const ulid = createUlidGenerator();

function draw(digits: Uint8Array, fill: (bytes: Uint8Array) => unknown): void {
  fill(digits);
  for (let i = 0; i < digits.length; i++) digits[i] = (digits[i] ?? 0) & 31;
}

/** Adds one to the number that the digits spell; false when it ran over. */
function increment(digits: Uint8Array): boolean {
  for (let i = digits.length - 1; i >= 0; i--) {
    const digit = digits[i] ?? 0;
    if (digit < 31) {
      digits[i] = digit + 1;
      return true;
    }
    digits[i] = 0;
  }
  return false;
}

function encodeTime(time: number): string {
  let text = "";
  for (let rest = time, i = 0; i < 10; i++) {
    text = ALPHABET.charAt(rest % 32) + text;
    rest = Math.floor(rest / 32);
  }
  return text;
}

function encodeDigits(digits: Uint8Array): string {
  let text = "";
  for (const digit of digits) text += ALPHABET.charAt(digit);
  return text;
}
