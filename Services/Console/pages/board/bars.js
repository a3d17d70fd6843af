// Bookings as bars: laid out in lanes, one colour for each project.

import { h } from "../../lib/dom.js";
import * as days from "../../lib/days.js";
import * as format from "../../lib/format.js";
import { effortText } from "../bookings.js";

const COLOURS = 8;
const BAR = 18;
const GAP = 2;
const EDGE = 4;
/** More bookings at once than this share a row's height. */
const MOST_LANES = 30;

/** How high a row with so many lanes is, its line included. */
export const heightOf = (lanes) => EDGE + Math.min(lanes, MOST_LANES) * (BAR + GAP) + EDGE - GAP + 1;

/** The row's bookings in the grid's window, each with its lane, and how many lanes there are. */
export function layOut(grid, row) {
  const { from, to } = grid.view;
  const seen = grid.data.known.bookings(row.id)
    .map((booking) => ({ booking, ...spanOf(booking, to) }))
    .filter(({ first, last }) => last >= from && first <= to)
    .sort((one, other) => one.first - other.first || other.last - one.last);
  return { bookings: seen, lanes: spread(seen) };
}

const spans = new WeakMap();

/** First and last day of a booking; one that is open goes on to the end of what is seen. */
function spanOf(booking, end) {
  let span = spans.get(booking);
  if (!span) {
    span = [days.parseDay(booking.startDate), booking.endDate ? days.parseDay(booking.endDate) : null];
    spans.set(booking, span);
  }
  return { first: span[0], last: span[1] ?? end };
}

/** The bars of a row. */
export function barsOf(grid, row, { bookings, lanes }, rowHeight) {
  const { from, to, width } = grid.view;
  const height = lanes <= MOST_LANES ? BAR : Math.max(3, Math.floor((rowHeight - 2 * EDGE) / lanes) - GAP);
  const start = Math.max(EDGE, (rowHeight - 1 - lanes * (height + GAP) + GAP) / 2);
  return bookings.map((one) => {
    const left = Math.max(one.first, from);
    return bar(grid, row, one, {
      left: grid.x(left), width: Math.max(4, (Math.min(one.last, to) - left + 1) * width - GAP), height, top: start + one.lane * (height + GAP),
    });
  });
}

/** Gives each booking the first lane that is free. @returns how many lanes there are. */
function spread(bookings) {
  const ends = [];
  for (const one of bookings) {
    const free = ends.findIndex((end) => end < one.first);
    one.lane = free < 0 ? ends.length : free;
    ends[one.lane] = one.last;
  }
  return ends.length;
}

function bar(grid, row, { booking, first, last }, box) {
  const other = grid.data.known.other(booking) ?? "…";
  const commitment = booking.commitment ?? "hard";
  const label = `${row.name}: ${other}, ${booking.title ? `${booking.title}, ` : ""}${effortText(booking)}, ${format.day(first)} to ${booking.endDate ? format.day(last) : "open"}, ${booking.completedAt ? "completed" : commitment}`;
  const mayMove = grid.mayEdit && !booking.completedAt;
  const element = h("div", {
    class: ["bar", `bar-${booking.completedAt ? "done" : commitment}`, `colour-${colourOf(booking.projectId)}`, box.height < 13 && "bar-thin", mayMove && "bar-movable"],
    role: "button", tabindex: "0", title: label, "aria-label": label, dataset: { booking: booking.id },
    style: { left: `${box.left}px`, top: `${box.top}px`, width: `${box.width}px`, height: `${box.height}px` },
  }, h("span", {}, `${other} · ${effortText(booking)}`),
  mayMove && box.width > 24 && [h("i", { class: "grip grip-start", dataset: { grip: "start" } }), h("i", { class: "grip grip-end", dataset: { grip: "end" } })]);
  // For the grid's listeners.
  element.shown = { bar: element, booking, row, mayMove };
  return element;
}

/** A project has the same colour wherever it is seen. */
function colourOf(id) {
  return Number.parseInt(id.slice(0, 8), 16) % COLOURS;
}
