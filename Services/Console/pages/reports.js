// Reports: utilisation, availability, over-allocations and orphans, as chart and table whose totals agree.

import { h, replace } from "../lib/dom.js";
import * as days from "../lib/days.js";
import * as format from "../lib/format.js";
import { link } from "../lib/router.js";
import { button, card, empty, field, figure, input, later, pageHead, select, tabs } from "../ui/controls.js";
import { toast } from "../ui/dialog.js";
import { pagedTable, table } from "../ui/table.js";
import { barChart } from "../ui/chart.js";

const KINDS = [["utilization", "Utilisation"], ["availability", "Availability"], ["over-allocations", "Over-allocations"], ["orphans", "Orphans"]];

export default async function reportsPage({ api, session, router, query, parameters }) {
  const kind = KINDS.some(([key]) => key === parameters.kind) ? parameters.kind : "utilization";
  const today = days.today();
  const departments = session.can("read", "departments") ? await api.all("/departments") : [];
  const from = field("From", input({ type: "date", value: query.get("from") ?? days.formatDay(days.firstOfMonth(today)) }));
  const to = field("To", input({ type: "date", value: query.get("to") ?? days.formatDay(days.firstOfMonth(today, 3) - 1) }));
  const department = field("Department", select([["", "All"], ...departments.map((one) => [one.name, one.name])], query.get("department") ?? ""));
  const group = field("By", select([["person", "Person"], ["department", "Department"], ["project", "Project"], ["skill", "Skill"], ["none", "Everybody together"]], query.get("groupBy") ?? "department"));
  const period = field("Period", select([["week", "Week"], ["month", "Month"], ["day", "Day"], ["total", "All together"]], query.get("period") ?? "week"));
  const filters = kind === "utilization" ? [from, to, department, group, period] : [from, to, department];
  const place = h("div", { class: "stack" });
  const window = () => ({ from: from.control.value, to: to.control.value, department: department.control.value });
  const seen = () => ({ ...window(), ...(kind === "utilization" ? { groupBy: group.control.value, period: period.control.value } : {}) });
  const show = () => {
    router.note(seen());
    replace(place, VIEWS[kind](api, seen()));
  };
  for (const one of filters) one.control.addEventListener("change", show);
  show();
  return [
    pageHead("Reports", { actions: [
      button("CSV", { icon: "export", onclick: () => download(api, kind, seen()) }), button("Print", { icon: "print", onclick: () => print() }),
    ] }),
    tabs("Reports", KINDS.map(([key, label]) => [label, link(`reports/${key}`, window())]), KINDS.find(([key]) => key === kind)[1]),
    h("div", { class: "filters" }, filters), place,
  ];
}

const VIEWS = {
  utilization: (api, query) => later(() => utilisation(api, query), "Reckoning"),
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
      { title: "When", kind: "wide", cell: (row) => h("ul", {}, row.periods.map((one) => h("li", {}, `${format.day(one.from)} – ${format.day(one.to)}: ${format.hours(one.overHours)}`))) },
    ],
  }),
  orphans: (api, query) => pagedTable({
    api, path: "/reports/orphans", query, label: "Orphaned work", empty: empty("No orphaned work", "Every booked hour falls into its person's employment."),
    columns: [
      ...personColumns,
      { title: "Booking", cell: (row) => row.externalId ?? row.allocation?.externalId ?? "–" },
      { title: "From", cell: (row) => format.day(row.from) }, { title: "To", cell: (row) => format.day(row.to) },
      { title: "Hours", kind: "number", cell: (row) => format.hours(row.orphanedHours ?? row.hours) },
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

async function utilisation(api, query) {
  const rows = await api.all("/reports/utilization", query);
  if (rows.length === 0) return empty("Nothing in this window", "Nobody is employed, or the filter lets nobody through.");
  const label = (row) => row.employee?.name ?? row.group?.name ?? row.department ?? row.project?.name ?? row.skill ?? row.name ?? "Everybody";
  const ofPeriod = new Map();
  for (const row of rows) {
    const key = row.from ?? query.from;
    const one = ofPeriod.get(key) ?? { from: key, hardHours: 0, softHours: 0, capacityHours: 0 };
    for (const name of ["hardHours", "softHours", "capacityHours"]) one[name] += row[name] ?? 0;
    ofPeriod.set(key, one);
  }
  const isShared = query.groupBy === "skill" || query.groupBy === "project";
  const totals = { capacityHours: sum(rows, "capacityHours"), hardHours: sum(rows, "hardHours"), softHours: sum(rows, "softHours"), actualHours: sum(rows, "actualHours") };
  return [
    h("div", { class: "figures" }, figure("Capacity", isShared ? "–" : format.hours(totals.capacityHours)), figure("Hard bookings", format.hours(totals.hardHours)), figure("Soft bookings", format.hours(totals.softHours)),
      figure("Utilisation", isShared || totals.capacityHours === 0 ? "–" : format.percent((totals.hardHours / totals.capacityHours) * 100), "hard bookings of capacity")),
    ofPeriod.size > 1 && card("Over time", barChart({
      label: "Booked hours against capacity over time", markName: isShared ? null : "Capacity", yFormat: (value) => format.count(value),
      parts: [{ name: "Hard", colour: "var(--bar-hard)" }, { name: "Soft", colour: "var(--bar-soft)" }],
      bars: [...ofPeriod.values()].sort((a, b) => (a.from < b.from ? -1 : 1)).map((one) => ({
        label: format.shortDay(days.parseDay(one.from)), parts: [one.hardHours, one.softHours], mark: isShared ? null : one.capacityHours,
      })),
    })),
    table({
      label: "Utilisation", rows: rows.slice(0, 1000),
      columns: [
        { title: "Of", cell: (row) => (row.employee ? h("a", { href: link(`people/${row.employee.id}`) }, label(row)) : label(row)) },
        { title: "From", cell: (row) => format.day(row.from ?? query.from) },
        { title: "Capacity", kind: "number", cell: (row) => format.hours(row.capacityHours) },
        { title: "Hard", kind: "number", cell: (row) => format.hours(row.hardHours) },
        { title: "Soft", kind: "number", cell: (row) => format.hours(row.softHours) },
        { title: "Actual", kind: "number", cell: (row) => format.hours(row.actualHours) },
        { title: "Utilisation", kind: "wide", cell: (row) => meter(row.percent ?? row.plannedPercent) },
      ],
      total: ["All together", "", isShared ? "–" : format.hours(totals.capacityHours), format.hours(totals.hardHours), format.hours(totals.softHours), format.hours(totals.actualHours), isShared || totals.capacityHours === 0 ? "–" : meter((totals.hardHours / totals.capacityHours) * 100)],
    }),
    rows.length > 1000 && h("p", { class: "note" }, `The first 1,000 of ${format.count(rows.length)} rows; the CSV has them all, and the totals are of all.`),
  ];
}

async function download(api, kind, query) {
  try {
    const response = await api.response("GET", `/reports/${kind}`, { query: { ...query, format: "csv" } });
    const anchor = h("a", { href: URL.createObjectURL(await response.blob()), download: `${kind}-${query.from}-${query.to}.csv` });
    anchor.click();
    URL.revokeObjectURL(anchor.href);
  } catch (error) {
    toast(error.message, { tone: "bad" });
  }
}
