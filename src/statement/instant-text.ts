/** `2026-11-21 09:20:00.123456+00`, whatever the offset; a Date holds milliseconds, so the rest is cut. */
const INSTANT =
  /^(\d{4})-(\d\d)-(\d\d)(?: (\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?(?:([+-])(\d\d)(?::(\d\d))?(?::(\d\d))?)?)?$/;

/**
 * PostgreSQL's text of a date, timestamp or timestamptz (DateStyle ISO) as a Date; without an offset it is read as
 * UTC. `undefined` for what a Date does not hold: infinite, BC, and years past 9999.
 */
export function readInstant(cell: string): Date | undefined {
  const found = INSTANT.exec(cell);
  if (found === null) return undefined;
  const [
    ,
    year,
    month,
    day,
    hour = "0",
    minute = "0",
    second = "0",
    fraction = "",
    sign,
    zh = "0",
    zm = "0",
    zs = "0",
  ] = found;
  const milliseconds = Number(fraction.padEnd(3, "0").slice(0, 3));
  const offset = (sign === "-" ? -1 : 1) * (Number(zh) * 3600 + Number(zm) * 60 + Number(zs)) * 1000;
  const date = new Date(0);
  // Date.UTC reads years below 100 as 1900 and later.
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day));
  date.setUTCHours(Number(hour), Number(minute), Number(second), milliseconds);
  return offset === 0 ? date : new Date(date.getTime() - offset);
}
