// What stands behind and beside a row's bars: days without work, leave, over-booked days, the heat map, and free hours.

import { h } from "../../lib/dom.js";
import * as days from "../../lib/days.js";
import * as format from "../../lib/format.js";

/** Minutes are rounded on their way; less than this is no over-booking. */
const TOLERANCE = 0.02;

/** Whether nobody works in the row at weekends: then one background shades them all. */
export function restsAtWeekends(grid, row) {
  for (let day = grid.view.from; day <= grid.view.to; day += 1) {
    if (days.isWeekend(day) && grid.data.known.day(row.id, day)?.capacity > 0) return false;
  }
  return true;
}

/** Shades of the row's days; each run of equal days is one. */
export function shades(grid, row, isWeekendShaded) {
  const { from, to, width } = grid.view;
  const place = (first, last) => ({ left: `${grid.x(first)}px`, width: `${(last - first + 1) * width}px` });
  const parts = [];
  if (grid.view.zoom !== "month") {
    for (const { kind, first, last } of runs(from, to, (day) => kindOf(grid.data.known.day(row.id, day), isWeekendShaded && days.isWeekend(day)))) {
      parts.push(h("div", { class: ["shade", `shade-${kind}`], title: kind === "over" ? "More booked than there is time" : null, style: place(first, last) }));
    }
  }
  for (const one of grid.data.known.leave(row.id)) {
    const first = Math.max(from, days.parseDay(one.firstDay));
    const last = Math.min(to, days.parseDay(one.lastDay));
    if (first <= last) parts.push(h("div", { class: ["shade", one.status === "approved" ? "shade-leave" : "shade-requested"], title: `${format.words(one.kind)}, ${one.status}`, style: place(first, last) }));
  }
  if (from <= grid.today && grid.today <= to) parts.push(h("div", { class: "shade shade-today", style: { left: `${grid.x(grid.today)}px` } }));
  return parts;
}

function kindOf(hours, isShaded) {
  if (!hours) return null;
  if (hours.hard > hours.capacity + TOLERANCE) return "over";
  return hours.capacity === 0 && !isShaded ? "off" : null;
}

function* runs(from, to, kindOf) {
  let current = null;
  for (let day = from; day <= to; day += 1) {
    const kind = kindOf(day);
    if (current && current.kind === kind) {
      current.last = day;
      continue;
    }
    if (current?.kind) yield current;
    current = { kind, first: day, last: day };
  }
  if (current?.kind) yield current;
}

/** One cell a week, the darker the fuller; the percentage stands in it. */
export function heat(grid, row) {
  const { from, to, width } = grid.view;
  return grid.weeks().map((week) => {
    const load = grid.data.known.week(row.id, week.from);
    if (!load) return null;
    const share = load.capacity > 0 ? load.hard / load.capacity : load.hard > 0 ? Infinity : null;
    const first = Math.max(from, week.from);
    const last = Math.min(to, week.from + 6);
    const said = share === null ? "no working time" : `${format.hours(load.hard)} of ${format.hours(load.capacity)}`;
    return h("div", {
      class: ["heat", `heat-${levelOf(share)}`], title: `Week ${days.weekNumber(week.from)}: ${said}`,
      style: { left: `${grid.x(first)}px`, width: `${(last - first + 1) * width - 1}px` },
    }, share === null ? "" : share === Infinity ? "!" : Math.round(share * 100));
  });
}

/** The steps of the heat map, for its legend: `[name, level]`. */
export const LEVELS = [["Free", 0], ["Up to 40 %", 1], ["Up to 75 %", 2], ["Up to 100 %", 3], ["More", "over"], ["No working time", "none"]];

function levelOf(share) {
  if (share === null) return "none";
  if (share > 1.005) return "over";
  if (share > 0.75) return 3;
  if (share > 0.4) return 2;
  return share > 0 ? 1 : 0;
}

/** At the row's end: what hard bookings leave of a week, and how full the week is. */
export function freeCell(grid, row) {
  const load = grid.data.known.week(row.id, grid.freeWeek);
  if (!load) return h("div", { class: "board-free" });
  const free = load.capacity - load.hard;
  const share = load.capacity > 0 ? load.hard / load.capacity : load.hard > 0 ? 1 : 0;
  const isOver = free < -TOLERANCE;
  return h("div", { class: ["board-free", isOver && "board-free-over"], title: `${format.hours(load.hard)} of ${format.hours(load.capacity)} booked in week ${days.weekNumber(grid.freeWeek)}` },
    h("span", {}, load.capacity === 0 && load.hard === 0 ? "–" : isOver ? `${format.hours(-free)} over` : format.hours(free)),
    h("div", { class: "meter-track" }, h("div", { class: ["meter-fill", isOver && "meter-over"], style: { width: `${Math.min(100, share * 100)}%` } })));
}
