/** What clients may send, field by field. Unknown fields, NUL and lone surrogates are refused by `plinth/http` itself. */
import { z } from "zod";

const EMAIL_LENGTH_MAX = 320;
const NAME_LENGTH_MAX = 200;
const TEXT_LENGTH_MAX = 10_000;
const URL_LENGTH_MAX = 2_048;
const PHONE_LENGTH_MAX = 50;
const PASSWORD_LENGTH_MIN = 8;
const PASSWORD_LENGTH_MAX = 1_000;

/** RFC 5322's plain form, with a domain of at least two labels. */
const EMAIL =
  /^[\w!#$%&'*+/=?^`{|}~-]+(\.[\w!#$%&'*+/=?^`{|}~-]+)*@([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i;

/** Stored in lower case: to people, `An@example.com` and `an@example.com` are one address. */
export const email = z
  .string()
  .max(EMAIL_LENGTH_MAX)
  .regex(EMAIL, "must be an email address")
  .transform((text) => text.toLowerCase());

/** Characters, not UTF-16 units: four emoji are four. */
export const password = z
  .string()
  .max(PASSWORD_LENGTH_MAX)
  .refine(
    (text) => [...text].length >= PASSWORD_LENGTH_MIN,
    `must have at least ${PASSWORD_LENGTH_MIN} characters`,
  );

/** A name or title: something is to be read there. */
export const title = z
  .string()
  .max(NAME_LENGTH_MAX)
  .refine((text) => text.trim() !== "", "must not be blank");

/** Free text that may be taken away again with null. */
export const prose = z.string().max(TEXT_LENGTH_MAX).nullable();

/** Kept as it was sent: zod's own URL type would trim it in silence. */
export const webAddress = z
  .string()
  .max(URL_LENGTH_MAX)
  .refine((text) => /^https?:\/\/\S+$/i.test(text) && URL.canParse(text), "must be a http or https URL")
  .nullable();

export const phone = z.string().max(PHONE_LENGTH_MAX).nullable();

/** Any text: whether there is such a row is the database's to say, as a foreign key. */
export const reference = z.string().min(1);
