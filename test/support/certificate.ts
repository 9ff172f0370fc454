import { createSign, generateKeyPairSync } from "node:crypto";

/** A certificate of its own authority, and its key, as PEM. */
export interface Certificate {
  readonly certificate: string;
  readonly key: string;
}

const SEQUENCE = 0x30;
const SET = 0x31;
const INTEGER = 0x02;
const BIT_STRING = 0x03;
const OCTET_STRING = 0x04;
const OBJECT_ID = 0x06;
const UTF8 = 0x0c;
const UTC_TIME = 0x17;

const SHA256_WITH_RSA = Buffer.from("06092a864886f70d01010b0500", "hex");
const COMMON_NAME = Buffer.from("550403", "hex");
const SUBJECT_ALT_NAME = Buffer.from("551d11", "hex");
const BASIC_CONSTRAINTS = Buffer.from("551d13", "hex");

/**
 * Makes a self-signed certificate for `localhost` and 127.0.0.1, valid until 2049. Written by hand because Node has
 * no call for it and a test must not need `openssl`; RFC 5280 section 4.1 is the form.
 */
export function selfSignedCertificate(): Certificate {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const algorithm = der(SEQUENCE, SHA256_WITH_RSA);
  const name = der(
    SEQUENCE,
    der(SET, der(SEQUENCE, der(OBJECT_ID, COMMON_NAME), der(UTF8, Buffer.from("localhost")))),
  );
  const alternatives = der(
    SEQUENCE,
    der(0x82, Buffer.from("localhost")),
    der(0x87, Buffer.from([127, 0, 0, 1])),
  );
  const authority = der(SEQUENCE, Buffer.from("0101ff", "hex"));
  const body = der(
    SEQUENCE,
    der(0xa0, der(INTEGER, Buffer.from([2]))),
    der(INTEGER, Buffer.from([1])),
    algorithm,
    name,
    der(SEQUENCE, der(UTC_TIME, Buffer.from("200101000000Z")), der(UTC_TIME, Buffer.from("491231235959Z"))),
    name,
    publicKey.export({ type: "spki", format: "der" }),
    der(
      0xa3,
      der(SEQUENCE, extension(SUBJECT_ALT_NAME, alternatives), extension(BASIC_CONSTRAINTS, authority)),
    ),
  );
  const signature = createSign("sha256").update(body).sign(privateKey);
  const whole = der(SEQUENCE, body, algorithm, der(BIT_STRING, Buffer.from([0]), signature));
  return {
    certificate: `-----BEGIN CERTIFICATE-----\n${whole.toString("base64").replace(/(.{64})/g, "$1\n")}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
  };
}

function extension(id: Buffer, value: Buffer): Buffer {
  return der(SEQUENCE, der(OBJECT_ID, id), der(OCTET_STRING, value));
}

/** Tag, length, content. */
function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const head =
    length < 128
      ? [tag, length]
      : length < 256
        ? [tag, 0x81, length]
        : [tag, 0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.from(head), content]);
}
