/** The longest text worth showing in a message. */
const SHOWN_LENGTH_LIMIT = 2_000;

/**
 * Hides the password of every URL in a text, also where the URL is malformed: whatever stands between `://`
 * and the last `@` before a blank is taken for credentials.
 */
export function maskUrl(text: string): string {
  return text
    .slice(0, SHOWN_LENGTH_LIMIT)
    .split(/(\s+)/)
    .map((word) => {
      const start = word.indexOf("://");
      const end = word.lastIndexOf("@");
      if (start < 0 || end < start) return maskParameter(word);
      const user = word.slice(start + 3, end).split(":", 1)[0] ?? "";
      return maskParameter(`${word.slice(0, start + 3)}${user}:***${word.slice(end)}`);
    })
    .join("");
}

/** `postgres://host/db?user=u&password=p` is as good a URL to PostgreSQL. */
function maskParameter(word: string): string {
  return word.replace(/([?&](?:ssl)?password=)[^&#]*/gi, "$1***");
}
