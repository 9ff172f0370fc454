import { randomFillSync } from "node:crypto";

/** The 12 bits after the version count within one millisecond; starting in the lower half leaves room to count. */
const COUNTER_LIMIT = 0xfff;

/**
 * Makes a generator of UUIDs of version 7 that ascend strictly within the process, also when the clock is set
 * back. Source: RFC 9562, sections 5.7 and 6.2 (method 1, fixed-length counter).
 *
 * @param fill fills an array with random bytes. @default `crypto.randomFillSync`
 */
export function createUuidGenerator(
  now: () => number = Date.now,
  fill: (bytes: Uint8Array) => unknown = randomFillSync,
): () => string {
  const bytes = Buffer.alloc(16);
  let time = -1;
  let counter = 0;
  return () => {
    fill(bytes);
    const current = now();
    const seed = bytes.readUInt16BE(6) & (COUNTER_LIMIT >> 1);
    if (current > time) {
      time = current;
      counter = seed;
    } else if (counter < COUNTER_LIMIT) {
      counter += 1;
    } else {
      time += 1;
      counter = seed;
    }
    bytes.writeUIntBE(time, 0, 6);
    bytes.writeUInt16BE(0x7000 | counter, 6);
    bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
    const hex = bytes.toString("hex");
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
  };
}

/** A UUID of version 7. */
export const uuidv7 = createUuidGenerator();
