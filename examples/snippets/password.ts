import { randomBytes, scrypt } from "node:crypto";

/** @see https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html#scrypt */
const COST = { N: 2 ** 15, r: 8, p: 3, maxmem: 128 * 2 ** 20 };
const SALT_BYTES = 16;
const KEY_BYTES = 32;

/** The hash to store, with the parameters that made it: `scrypt$N$r$p$salt$key`. */
export function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const { N, r, p } = COST;
  return new Promise((resolve, reject) => {
    scrypt(password.normalize("NFKC"), salt, KEY_BYTES, COST, (error, key) =>
      error === null
        ? resolve(["scrypt", N, r, p, salt.toString("base64url"), key.toString("base64url")].join("$"))
        : reject(error),
    );
  });
}
