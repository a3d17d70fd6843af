// Planned against actual: of the days for which a person's hours are recorded, and of no others.

import { h } from "../../lib/dom.js";
import * as days from "../../lib/days.js";
import * as format from "../../lib/format.js";
import { link } from "../../lib/router.js";
import { card, empty, figure } from "../../ui/controls.js";
import { table } from "../../ui/table.js";
import { barChart } from "../../ui/chart.js";

/** People of one question: each comes with all days of the window. */
const PEOPLE_AT_ONCE = 100;

export async function plannedAndActual(api, query, bounded) {
  const parts = await compared(api, query);
  if (parts.length === 0) return empty("No hours are recorded in this window", "Recorded hours are imported as capacity history, or written by the API.");
  const total = added(parts);
  const periods = [...grouped(parts, (part) => part.from).values()].map((of) => ({ from: of[0].from, ...added(of) })).sort((one, other) => one.from - other.from);
  return [
    h("div", { class: "figures" }, figure("Planned", format.hours(total.planned), "hard bookings of recorded days"), figure("Actual", format.hours(total.actual), "recorded"),
      figure("Difference", signed(total)), figure("Actual of planned", format.percent(ratio(total))), figure("Days", format.count(total.days), "of people, with a record")),
    periods.length > 1 && card("Over time", barChart({
      label: "Planned hours and recorded hours of the same days over time", markName: "Actual", yFormat: (value) => format.count(value), parts: [{ name: "Planned", colour: "var(--bar-soft)" }],
      bars: periods.map((one) => ({ label: format.shortDay(one.from), parts: [one.planned], mark: one.actual })),
    })),
    bounded(parts, (shown) => table({
      label: "Planned against actual", rows: shown,
      columns: [
        { title: "Of", cell: (part) => (part.employee ? h("a", { href: link(`people/${part.employee.id}`) }, part.name) : part.name) },
        { title: "From", kind: "date", cell: (part) => format.day(part.from) },
        { title: "Days", kind: "number", cell: (part) => format.count(part.days) },
        { title: "Planned", kind: "number", cell: (part) => format.hours(part.planned) },
        { title: "Actual", kind: "number", cell: (part) => format.hours(part.actual) },
        { title: "Difference", kind: "number", cell: signed },
        { title: "Actual of planned", kind: "number", cell: (part) => format.percent(ratio(part)) },
      ],
      total: ["All together", "", format.count(total.days), format.hours(total.planned), format.hours(total.actual), signed(total), format.percent(ratio(total))],
    })),
    h("p", { class: "note" }, "Only days with a record are counted, in the plan as well: a day without one says nothing of how the plan came out."),
  ];
}

const CSV_COLUMNS = [
  ["external_id", (part) => part.employee?.externalId ?? ""], ["name", (part) => part.name], ["from", (part) => days.formatDay(part.from)], ["days", (part) => part.days],
  ["planned_hours", (part) => hundredths(part.planned)], ["actual_hours", (part) => hundredths(part.actual)],
];
/** As precise as the API's hours are: their sums are not. */
const hundredths = (value) => Math.round(value * 100) / 100;

/** What the table shows, all of it, as CSV (RFC 4180). */
export async function actualAsCSV(api, query) {
  const lines = (await compared(api, query)).map((part) => CSV_COLUMNS.map(([, value]) => value(part)));
  return [CSV_COLUMNS.map(([name]) => name), ...lines].map((line) => `${line.map(csvField).join(",")}\r\n`).join("");
}

/** As the server writes a field: text that a spreadsheet would take for a formula begins with an apostrophe. */
function csvField(value) {
  const text = typeof value === "string" && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value);
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** The recorded days, added up by whom and by period. */
async function compared(api, query) {
  const found = new Map();
  for await (const rows of api.pages("/reports/utilization", { ...query, groupBy: "person", period: "day", limit: PEOPLE_AT_ONCE })) {
    for (const { employee, periods } of rows) {
      const [key, name] = whose(employee, query.groupBy);
      for (const day of periods ?? []) {
        if (day.actualHours === null || day.actualHours === undefined) continue;
        const from = startOf(days.parseDay(day.from), query);
        const place = `${key} ${from}`;
        if (!found.has(place)) found.set(place, { name, employee: query.groupBy === "person" ? employee : null, from, planned: 0, actual: 0, days: 0 });
        const part = found.get(place);
        part.planned += day.hardHours;
        part.actual += day.actualHours;
        part.days += 1;
      }
    }
  }
  return [...found.values()].sort((one, other) => one.name.localeCompare(other.name) || one.from - other.from);
}

function whose(employee, groupBy) {
  if (groupBy === "person") return [employee.id, employee.name];
  if (groupBy === "none") return ["", "Everybody"];
  return [employee.department ?? "", employee.department ?? "No department"];
}

/** The first day of the period in which a day lies; none is before the window. */
function startOf(day, { period, from }) {
  const first = days.parseDay(from);
  if (period === "total") return first;
  if (period === "day") return day;
  return Math.max(first, period === "week" ? days.monday(day) : days.firstOfMonth(day));
}

function grouped(items, keyOf) {
  const groups = new Map();
  for (const item of items) {
    const key = keyOf(item);
    if (!groups.has(key)) groups.set(key, []);
    groups.get(key).push(item);
  }
  return groups;
}

const added = (parts) => parts.reduce((sum, part) => ({ planned: sum.planned + part.planned, actual: sum.actual + part.actual, days: sum.days + part.days }), { planned: 0, actual: 0, days: 0 });
const ratio = ({ planned, actual }) => (planned > 0 ? (actual / planned) * 100 : null);
const signed = ({ planned, actual }) => `${actual > planned ? "+" : ""}${format.hours(actual - planned)}`;
