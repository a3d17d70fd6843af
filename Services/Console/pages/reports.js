// Reports: utilisation, planned against actual, availability, over-allocations and orphans, as chart and table whose totals agree.

import { h, replace, save } from "../lib/dom.js";
import * as days from "../lib/days.js";
import * as format from "../lib/format.js";
import { link } from "../lib/router.js";
import { button, card, empty, field, figure, input, later, pageHead, select, tabs } from "../ui/controls.js";
import { toast } from "../ui/dialog.js";
import { pagedTable, table } from "../ui/table.js";
import { barChart } from "../ui/chart.js";
import { actualAsCSV, plannedAndActual } from "./reports/actual.js";

const KINDS = [["utilization", "Utilisation"], ["actual", "Planned against actual"], ["availability", "Availability"], ["over-allocations", "Over-allocations"], ["orphans", "Orphans"]];

export default async function reportsPage({ api, session, router, query, parameters }) {
  const kind = KINDS.some(([key]) => key === parameters.kind) ? parameters.kind : "utilization";
  const today = days.today(session.timeZone);
  const departments = session.can("read", "departments") ? await api.all("/departments") : [];
  const from = field("From", input({ type: "date", value: query.get("from") ?? days.formatDay(days.firstOfMonth(today)) }));
  const to = field("To", input({ type: "date", value: query.get("to") ?? days.formatDay(days.firstOfMonth(today, 3) - 1) }));
  const department = field("Department", select([["", "All"], ...departments.map((one) => [one.name, one.name])], query.get("department") ?? ""));
  const group = field("By", select([["person", "Person"], ["department", "Department"], ["project", "Project"], ["skill", "Skill"], ["none", "Everybody together"]], query.get("groupBy") ?? "department"));
  const period = field("Period", select([["week", "Week"], ["month", "Month"], ["day", "Day"], ["total", "All together"]], query.get("period") ?? "week"));
  const isGrouped = kind === "utilization" || kind === "actual";
  // What was recorded is of people's days: neither of projects nor of skills.
  if (kind === "actual") for (const one of group.querySelectorAll("option[value=project], option[value=skill]")) one.remove();
  const filters = isGrouped ? [from, to, department, group, period] : [from, to, department];
  const place = h("div", { class: "stack" });
  const window = () => ({ from: from.control.value, to: to.control.value, department: department.control.value });
  const seen = () => ({ ...window(), ...(isGrouped ? { groupBy: group.control.value, period: period.control.value } : {}) });
  /** What paper says of the filters, which are not on it. */
  const said = h("span");
  const label = (one) => one.control.selectedOptions?.[0]?.textContent ?? one.control.value;
  const show = () => {
    router.note(seen());
    replace(said, [`${KINDS.find(([key]) => key === kind)[1]}, ${format.span(from.control.value, to.control.value)}`, ...filters.slice(2).map((one) => `${one.querySelector("label").textContent.toLowerCase()}: ${label(one)}`)].join(" · "));
    replace(place, VIEWS[kind](api, seen()));
  };
  for (const one of filters) one.control.addEventListener("change", show);
  show();
  return [
    pageHead("Reports", { actions: [
      button("CSV", { icon: "export", onclick: () => download(api, kind, seen()) }), button("Print", { icon: "print", onclick: (event) => printWhole(event.currentTarget, place) }),
    ] }),
    tabs("Reports", KINDS.map(([key, label]) => [label, link(`reports/${key}`, window())]), KINDS.find(([key]) => key === kind)[1]),
    h("p", { class: "printed", "aria-hidden": "true" }, said), h("div", { class: "filters" }, filters), place,
  ];
}

/** Prints once every row is there. */
async function printWhole(pressed, place) {
  pressed.disabled = true;
  try {
    for (const list of place.querySelectorAll("[data-whole]")) await list.whole();
    print();
  } catch (error) {
    toast(error.message, { tone: "bad" });
  } finally {
    pressed.disabled = false;
  }
}

const VIEWS = {
  utilization: (api, query) => later(() => utilisation(api, query), "Reckoning"),
  actual: (api, query) => later(() => plannedAndActual(api, query, bounded), "Comparing day by day"),
  availability: (api, query) => pagedTable({
    api, path: "/reports/availability", query, label: "Availability", empty: empty("Nobody is employed in this window"),
    columns: [
      ...personColumns,
      { title: "Capacity", kind: "number", cell: (row) => format.hours(row.capacityHours) },
      { title: "Committed", kind: "number", cell: (row) => format.hours(row.committedHours) },
      { title: "Free", kind: "number", cell: (row) => format.hours(row.freeHours) },
      { title: "Free share", kind: "wide", cell: (row) => meter(row.freePercent) },
    ],
  }),
  "over-allocations": (api, query) => pagedTable({
    api, path: "/reports/over-allocations", query, label: "Over-allocations", empty: empty("Nobody is over-booked", "No day of the window holds more work than its person has time."),
    columns: [
      ...personColumns,
      { title: "Too much", kind: "number", cell: (row) => format.hours(row.overHours) },
      { title: "When", kind: "wide", cell: (row) => h("ul", {}, row.periods.map((one) => h("li", {}, `${format.span(one.from, one.to)}: ${format.hours(one.overHours)}`))) },
    ],
  }),
  orphans: (api, query) => pagedTable({
    api, path: "/reports/orphans", query, label: "Orphaned work", empty: empty("No orphaned work", "Every booked hour falls into its person's employment."),
    columns: [
      ...personColumns,
      { title: "Orphaned", kind: "number", cell: (row) => format.hours(row.orphanedHours) },
      { title: "Bookings", kind: "wide", cell: (row) => h("ul", {}, row.bookings.map((one) => h("li", {}, `${one.externalId}, ${format.span(one.from, one.to)}: ${format.hours(one.orphanedHours)}`))) },
    ],
  }),
};

const personColumns = [
  { title: "Person", cell: (row) => h("a", { href: link(`people/${row.employee.id}`) }, row.employee.name) },
  { title: "Department", cell: (row) => row.employee.department ?? "–" },
];

function meter(percent) {
  if (percent === null || percent === undefined) return "–";
  return h("div", { class: "meter" }, h("div", { class: "meter-track" }, h("div", { class: ["meter-fill", percent > 100 && "meter-over"], style: { width: `${Math.min(100, Math.max(0, percent))}%` } })), h("span", { class: "cell-number" }, format.percent(percent)));
}

const sum = (rows, key) => rows.reduce((total, row) => total + (row[key] ?? 0), 0);

const isKnown = (value) => value !== null && value !== undefined;

/** Each part of a row's window, with whom it is about; the parts add up to the row. */
const partsOf = (rows, query) => rows.flatMap((row) => (row.periods ?? [{ ...row, from: query.from, to: query.to }]).map((part) => ({ ...part, row })));

/** The parts' figures summed by period, in the order of time. */
function byPeriod(parts, names) {
  const ofPeriod = new Map();
  for (const part of parts) {
    const one = ofPeriod.get(part.from) ?? { from: part.from, ...Object.fromEntries(names.map((name) => [name, 0])) };
    for (const name of names) one[name] += part[name] ?? 0;
    ofPeriod.set(part.from, one);
  }
  return [...ofPeriod.values()].sort((one, other) => (one.from < other.from ? -1 : 1));
}

async function utilisation(api, query) {
  const rows = await api.all("/reports/utilization", query);
  if (rows.length === 0) return empty("Nothing in this window", "Nobody is employed, or the filter lets nobody through.");
  const parts = partsOf(rows, query);
  const periods = byPeriod(parts, ["hardHours", "softHours", "capacityHours"]);
  // Projects have no capacity of their own.
  const hasCapacity = rows.some((row) => isKnown(row.capacityHours));
  const hasActual = rows.some((row) => isKnown(row.actualHours));
  const totals = { capacityHours: hasCapacity ? sum(rows, "capacityHours") : null, hardHours: sum(rows, "hardHours"), softHours: sum(rows, "softHours"), actualHours: hasActual ? sum(rows, "actualHours") : null };
  const percent = totals.capacityHours > 0 ? (totals.hardHours / totals.capacityHours) * 100 : null;
  return [
    h("div", { class: "figures" }, figure("Capacity", format.hours(totals.capacityHours)), figure("Hard bookings", format.hours(totals.hardHours)), figure("Soft bookings", format.hours(totals.softHours)),
      figure("Utilisation", format.percent(percent), "hard bookings of capacity")),
    periods.length > 1 && card("Over time", barChart({
      label: "Booked hours against capacity over time", markName: hasCapacity ? "Capacity" : null, yFormat: (value) => format.count(value),
      parts: [{ name: "Hard", colour: "var(--bar-hard)" }, { name: "Soft", colour: "var(--bar-soft)" }],
      bars: periods.map((one) => ({
        label: format.shortDay(days.parseDay(one.from)), parts: [one.hardHours, one.softHours], mark: hasCapacity ? one.capacityHours : null,
      })),
    })),
    bounded(parts, (rows) => table({
      label: "Utilisation", rows,
      columns: [
        { title: "Of", cell: ({ row }) => whose(row, query.groupBy) },
        { title: "From", kind: "date", cell: (part) => format.day(part.from) },
        { title: "To", kind: "date", cell: (part) => format.day(part.to) },
        { title: "Capacity", kind: "number", cell: (part) => format.hours(part.capacityHours) },
        { title: "Hard", kind: "number", cell: (part) => format.hours(part.hardHours) },
        { title: "Soft", kind: "number", cell: (part) => format.hours(part.softHours) },
        { title: "Recorded", kind: "number", cell: (part) => format.hours(part.actualHours) },
        { title: "Utilisation", kind: "wide", cell: (part) => meter(part.percent) },
      ],
      total: ["All together", "", "", format.hours(totals.capacityHours), format.hours(totals.hardHours), format.hours(totals.softHours), format.hours(totals.actualHours), meter(percent)],
    })),
  ];
}

/** On the screen a table has so many rows, on paper so many. */
const MOST_ROWS = { screen: 1000, paper: 20_000 };

/** A table of the first rows, which says so; of all of them on paper. */
function bounded(rows, tableOf) {
  const place = h("div", { class: "stack", dataset: { whole: "" } });
  const show = (most) => replace(place, tableOf(rows.slice(0, most)),
    rows.length > most && h("p", { class: "note" }, `The first ${format.count(most)} of ${format.count(rows.length)} rows; the CSV has them all, and the totals are of all.`));
  show(MOST_ROWS.screen);
  place.whole = () => show(MOST_ROWS.paper);
  return place;
}

function whose(row, groupBy) {
  if (row.employee) return h("a", { href: link(`people/${row.employee.id}`) }, row.employee.name);
  if (groupBy === "none") return "Everybody";
  return row.group?.name ?? `No ${groupBy}`;
}

async function download(api, kind, query) {
  try {
    const answer = kind === "actual" ? new Response(await actualAsCSV(api, query)) : await api.response("GET", `/reports/${kind}`, { query: { ...query, format: "csv" } });
    await save(answer, `${kind}-${query.from}-${query.to}.csv`);
  } catch (error) {
    toast(error.message, { tone: "bad" });
  }
}
