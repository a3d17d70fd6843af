// Dates as files write them. The API takes `2026-01-31` alone: 02/03/2026 is a day in February or in March, and only whoever made the
// file knows.

const PATTERN = /^(\d{1,4})([./-])(\d{1,2})\2(\d{1,4})$/;

/** By name: what the reader is told, and where year, month and day stand. */
export const FORMATS = {
  iso: { label: "year-month-day", order: [0, 1, 2] },
  ymd: { label: "year/month/day", order: [0, 1, 2] },
  dmy: { label: "day, month, year", order: [2, 1, 0] },
  mdy: { label: "month, day, year", order: [2, 0, 1] },
};

/** The day that a text means in a format, as `2026-01-31`; null when it is none. */
export function isoDay(text, format) {
  const match = PATTERN.exec(text.trim());
  if (!match) return null;
  const parts = [match[1], match[3], match[4]];
  const [year, month, day] = FORMATS[format].order.map((place) => parts[place]);
  if (year.length !== 4 || month.length > 2 || day.length > 2) return null;
  const date = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day)));
  // The calendar rolls 31.2. over to March.
  if (date.getUTCMonth() !== Number(month) - 1 || date.getUTCDate() !== Number(day)) return null;
  return date.toISOString().slice(0, 10);
}

/** The formats in which every value is a day: none where the values are no dates, two where only the maker of the file knows. */
export function formatsOf(values) {
  const stated = values.map((value) => value.trim()).filter((value) => value !== "" && value !== "\\N");
  if (stated.length === 0) return [];
  const fitting = ["ymd", "dmy", "mdy"].filter((format) => stated.every((value) => isoDay(value, format) !== null));
  if (stated.every((value) => /^\d{4}-\d{2}-\d{2}$/.test(value))) return fitting.length > 0 ? ["iso"] : [];
  // Points are written between day and month, never between month and day.
  return fitting.length === 2 && stated.every((value) => value.includes(".")) ? ["dmy"] : fitting;
}
