import { randomInt } from "node:crypto";
import { SchemaError } from "../errors/index.ts";

const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/** 62^10 is 8.4 × 10^17: at a billion rows one draw in a billion collides, and a collision is redrawn. */
export const PUBLIC_ID_LENGTH_DEFAULT = 10;

/** Makes a generator of short random ids for URLs: letters and digits, no order to enumerate. */
export function createPublicIdGenerator(length: number, alphabet: string = ALPHABET): () => string {
  if (!Number.isSafeInteger(length) || length < 1)
    throw new SchemaError("a public id has 1 character or more");
  if (
    !/^[\x21-\x7e]+$/.test(alphabet) ||
    new Set(alphabet).size < 2 ||
    new Set(alphabet).size < alphabet.length
  ) {
    throw new SchemaError("the alphabet of a public id is two or more printable ASCII characters, each once");
  }
  return () => {
    let id = "";
    for (let i = 0; i < length; i++) id += alphabet.charAt(randomInt(alphabet.length));
    return id;
  };
}
