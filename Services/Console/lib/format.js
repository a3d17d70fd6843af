// Numbers, dates and names as the browser's locale writes them.

import { dateOf } from "./days.js";

/** As the browser states it, but for a name that is none, such as `en-US@posix`. */
export const locale = canonical(navigator.language);

function canonical(name) {
  try { return Intl.getCanonicalLocales(name)[0]; } catch { return "en"; }
}

const civil = { timeZone: "UTC" };
const hoursFormat = new Intl.NumberFormat(locale, { maximumFractionDigits: 2 });
const estimateFormat = new Intl.NumberFormat(locale, { maximumFractionDigits: 1 });
const wholeFormat = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 });
const dayFormat = new Intl.DateTimeFormat(locale, { ...civil, day: "numeric", month: "short", year: "numeric" });
const shortDayFormat = new Intl.DateTimeFormat(locale, { ...civil, day: "numeric", month: "short" });
const monthFormat = new Intl.DateTimeFormat(locale, { ...civil, month: "long", year: "numeric" });
const shortMonthFormat = new Intl.DateTimeFormat(locale, { ...civil, month: "short" });
const weekdayFormat = new Intl.DateTimeFormat(locale, { ...civil, weekday: "narrow" });

/** Stands where nothing is known. */
export const NOTHING = "–";
const known = (value) => value !== null && value !== undefined && !Number.isNaN(value);

/** Of hours that are planned or recorded, which have quarters and single minutes. */
export const hours = (value) => (known(value) ? `${hoursFormat.format(value)} h` : NOTHING);
/** Of hours that are expected: not finer than they can be known. */
export const estimate = (value) => (known(value) ? `${estimateFormat.format(value)} h` : NOTHING);
export const number = (value, digits = 0) => (known(value)
  ? new Intl.NumberFormat(locale, { maximumFractionDigits: digits, minimumFractionDigits: digits }).format(value) : NOTHING);
export const count = (value) => (known(value) ? wholeFormat.format(value) : NOTHING);
/** A span of time, as one whole unit. */
export function duration(seconds) {
  if (!known(seconds)) return NOTHING;
  if (seconds < 1) return "less than 1 s";
  const [size, unit] = [[86_400, "d"], [3600, "h"], [60, "min"]].find(([size]) => seconds >= 2 * size) ?? [1, "s"];
  return `${wholeFormat.format(Math.floor(seconds / size))} ${unit}`;
}
/** Of a file. */
export const bytes = (value) => (value < 1000 ? `${count(value)} bytes` : value < 1e6 ? `${number(value / 1e3, 1)} kB` : `${number(value / 1e6, 1)} MB`);
/** Less than this is how numbers are added up, not what they are. */
const SLIVER = 0.005;

/** Of a figure that is in percent already. Nothing and all are said only of what is nothing and all: 99.7 is below 100. */
export function percent(value) {
  if (!known(value)) return NOTHING;
  const whole = Math.round(value);
  const sign = (whole === 0 || whole === 100) && Math.abs(value - whole) >= SLIVER ? (value > whole ? "> " : "< ") : "";
  return `${sign}${wholeFormat.format(whole)} %`;
}
/** Of a probability or a share, 0…1. */
export const share = (value) => (known(value) ? percent(value * 100) : NOTHING);

const dayTexts = new Map();

/** Of a day's number or its ISO text. The board writes the same few hundred days over and over. */
export function day(value) {
  if (!known(value)) return NOTHING;
  let text = dayTexts.get(value);
  if (text === undefined) {
    if (dayTexts.size > 5000) dayTexts.clear();
    text = dayFormat.format(typeof value === "number" ? dateOf(value) : new Date(`${value}T00:00:00Z`));
    dayTexts.set(value, text);
  }
  return text;
}
/** From one day to another. */
export const span = (from, to) => (from === to ? day(from) : `${day(from)} – ${day(to)}`);
export const shortDay = (value) => shortDayFormat.format(dateOf(value));
export const month = (value) => monthFormat.format(dateOf(value));
export const shortMonth = (value) => shortMonthFormat.format(dateOf(value));
export const weekdayLetter = (value) => weekdayFormat.format(dateOf(value));

let momentFormat = new Intl.DateTimeFormat(locale, { timeZone: "UTC", dateStyle: "medium", timeStyle: "short" });

/** The zone in which moments are written from now on. */
export function useTimeZone(timeZone) {
  momentFormat = new Intl.DateTimeFormat(locale, { timeZone, dateStyle: "medium", timeStyle: "short" });
}

/** A moment, in the tenant's zone. */
export const moment = (value) => (known(value) ? momentFormat.format(new Date(value)) : NOTHING);

/** `in_progress` → `In progress`. */
export function words(code) {
  if (!code) return NOTHING;
  const text = String(code).replaceAll("_", " ").replace(/([a-z])([A-Z])/g, "$1 $2").toLowerCase().replace(/\b(ml|api)\b/g, (name) => name.toUpperCase());
  return text.charAt(0).toUpperCase() + text.slice(1);
}
