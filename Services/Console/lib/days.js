// Civil days as whole numbers since 1970-01-01, and the weeks and months made of them. Time zones play no part.

const DAY = 86_400_000;

export const parseDay = (text) => Math.round(Date.parse(`${text}T00:00:00Z`) / DAY);
export const formatDay = (day) => new Date(day * DAY).toISOString().slice(0, 10);
export const dateOf = (day) => new Date(day * DAY);

/** 0 Monday … 6 Sunday. */
export const weekday = (day) => (((day + 3) % 7) + 7) % 7;
export const isWeekend = (day) => weekday(day) > 4;
export const monday = (day) => day - weekday(day);

export function firstOfMonth(day, months = 0) {
  const date = dateOf(day);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + months, 1) / DAY;
}

/** Today in a tenant's time zone. */
export function today(timeZone = "UTC") {
  const parts = new Intl.DateTimeFormat("en-CA", { timeZone, year: "numeric", month: "2-digit", day: "2-digit" });
  return parseDay(parts.format(new Date()));
}

/** The moment at which a day begins in a time zone, as the API takes moments. */
export function startOf(text, timeZone) {
  const midnight = Date.parse(`${text}T00:00:00Z`);
  const clock = new Intl.DateTimeFormat("en", { timeZone, hourCycle: "h23", year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric" });
  const ahead = (moment) => {
    const { year, month, day, hour, minute, second } = Object.fromEntries(clock.formatToParts(moment).map(({ type, value }) => [type, Number(value)]));
    return Date.UTC(year, month - 1, day, hour, minute, second) - moment;
  };
  // Looked up again at what was found: between midnight in UTC and there the clocks may be changed.
  return new Date(midnight - ahead(midnight - ahead(midnight))).toISOString();
}

/** ISO 8601 week number. */
export function weekNumber(day) {
  const thursday = monday(day) + 3;
  const january1 = Date.UTC(dateOf(thursday).getUTCFullYear(), 0, 1) / DAY;
  return Math.floor((thursday - january1) / 7) + 1;
}

/** The periods of a window: `[{from, to, label}]`, both days included. */
export function periods(from, to, unit) {
  const found = [];
  let start = from;
  while (start <= to) {
    const next = unit === "day" ? start + 1 : unit === "week" ? monday(start) + 7 : firstOfMonth(start, 1);
    found.push({ from: start, to: Math.min(to, next - 1) });
    start = next;
  }
  return found;
}
