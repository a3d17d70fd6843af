// The grid of the board: only rows in view exist, each as high as its bookings need. Bars are moved with the pointer or with the
// keyboard.

import { h, replace } from "../../lib/dom.js";
import * as days from "../../lib/days.js";
import * as format from "../../lib/format.js";
import { link } from "../../lib/router.js";
import { barsOf, heightOf, layOut } from "./bars.js";
import { BarDrag } from "./drag.js";
import { freeCell, heat, restsAtWeekends, shades } from "./load.js";
import { RowPlaces } from "./places.js";

/** As the style sheet has them; a row is at least so high. */
const ROW = 48;
const HEAD = 48;
const NAME = { wide: 216, narrow: 124 };
const FREE = 88;
const OVERSCAN = 4;
/** Milliseconds after which a scroll has ended. */
const SCROLL_PAUSE = 120;

export class BoardGrid {
  #view = null;
  #rows = new Map();
  #places = new RowPlaces(ROW);
  #isDue = false;
  #scrolledAt = -Infinity;

  constructor({ data, edits, today, mayEdit, mayBook, onopen, onbook, signal }) {
    Object.assign(this, { data, edits, today, mayEdit, mayBook, onopen, onbook });
    this.head = h("div", { class: "board-head" });
    this.body = h("div", { class: "board-body" });
    this.status = h("p", { class: "visually-hidden", role: "status" });
    this.element = h("div", {
      class: "board", role: "region", "aria-label": "Bookings over time", "aria-busy": "true", tabindex: "0", onscroll: () => this.#scrolled(),
    }, this.head, this.body, this.status);
    this.drag = new BarDrag(this, signal);
  }

  get view() { return this.#view; }
  /** The field of a booking that says in which row it stands. */
  get rowKey() { return this.data.kind === "people" ? "employeeId" : "projectId"; }
  get isNarrow() { return matchMedia("(max-width: 860px)").matches; }
  get nameWidth() { return this.isNarrow ? NAME.narrow : NAME.wide; }
  /** How many days fit beside the names. */
  daysInView(width) { return Math.ceil((this.element.clientWidth - this.nameWidth - (this.isNarrow || this.data.kind !== "people" ? 0 : FREE)) / width); }
  say(text) { this.status.textContent = text; }

  show(view) {
    this.#view = view;
    this.element.style.setProperty("--week", `${7 * view.width}px`);
    this.element.style.setProperty("--week-start", `${this.x(days.monday(view.from))}px`);
    this.#clear();
    this.#drawHead();
    this.draw();
  }

  #clear() {
    this.#rows.clear();
    this.#places.clear();
    replace(this.body);
  }

  /** Left edge of a day, within the row's time. */
  x(day) { return (day - this.#view.from) * this.#view.width; }
  get #timeWidth() { return (this.#view.to - this.#view.from + 1) * this.#view.width; }
  weeks() { return days.periods(days.monday(this.#view.from), this.#view.to, "week"); }
  /** The week whose free hours stand at the row's end: the present one, or the first in view. */
  get freeWeek() {
    const { from, to } = this.#view;
    return from <= this.today && this.today <= to ? days.monday(this.today) : days.monday(from + 6);
  }

  #drawHead() {
    const { from, to, width, zoom } = this.#view;
    const place = (period, text, kind) => h("div", { class: ["board-period", ...kind], style: { left: `${this.x(period.from)}px`, width: `${(period.to - period.from + 1) * width}px` } }, text);
    const units = days.periods(from, to, zoom === "day" ? "day" : "week");
    const now = (period) => period.from <= this.today && this.today <= period.to && "board-now";
    replace(this.head,
      h("div", { class: "board-corner" }, this.data.kind === "people" ? "Person" : "Project"),
      h("div", { class: "board-times", style: { width: `${this.#timeWidth}px` } },
        days.periods(from, to, "month").map((period) => {
          const room = (period.to - period.from + 1) * width;
          return place(period, room > 120 ? format.month(period.from) : room > 44 ? format.shortMonth(period.from) : "", ["board-month"]);
        }),
        units.map((period) => place(period, zoom === "day" ? [h("span", {}, format.weekdayLetter(period.from)), days.dateOf(period.from).getUTCDate()] : zoom === "week" ? `W${days.weekNumber(period.from)}` : days.weekNumber(period.from),
          ["board-unit", zoom !== "week" && "board-unit-small", now(period)]))),
      this.data.kind === "people" && h("div", { class: "board-corner board-corner-end" }, `Free, W${days.weekNumber(this.freeWeek)}`));
    this.head.style.width = this.body.style.width = "max-content";
  }

  /** Draws with the next frame, once for however many reasons. */
  drawSoon() {
    if (this.#isDue) return;
    this.#isDue = true;
    requestAnimationFrame(() => {
      this.#isDue = false;
      this.draw();
    });
  }

  #scrolled() {
    this.#scrolledAt = performance.now();
    this.drawSoon();
  }

  draw() {
    if (!this.#view || this.drag.isDragging) return;
    const { rows } = this.data;
    this.#places.of(rows);
    let [first, last] = this.#inView();
    if (this.#measure(rows.slice(first, last + 1))) [first, last] = this.#inView();
    const shown = rows.slice(first, last + 1);
    this.body.style.height = `${Math.max(this.#places.height, 120)}px`;
    this.data.want(shown.map((row) => row.id), this.#view.from, this.#view.to, this.#isHeat, performance.now() - this.#scrolledAt < SCROLL_PAUSE);
    const focused = document.activeElement?.dataset?.booking;
    const ids = new Set(shown.map((row) => row.id));
    for (const [id, drawn] of this.#rows) {
      if (ids.has(id)) continue;
      drawn.element.remove();
      this.#rows.delete(id);
    }
    shown.forEach((row, offset) => this.#drawRow(row, first + offset));
    if (focused && !document.activeElement?.dataset?.booking) this.body.querySelector(`[data-booking="${focused}"]`)?.focus({ preventScroll: true });
    this.body.dataset.empty = rows.length > 0 ? "" : !this.data.isWhole ? "Loading…" : this.data.kind === "people" ? "Nobody fits the filter." : "No open project fits the filter.";
    this.element.setAttribute("aria-busy", String(this.data.isBusy));
  }

  /** Index of the first row in view and of the last, with some beyond. */
  #inView() {
    const { scrollTop, clientHeight } = this.element;
    return [Math.max(0, this.#places.at(scrollTop) - OVERSCAN), this.#places.at(scrollTop + clientHeight - HEAD) + OVERSCAN];
  }

  /** Learns how high rows are; what is in view stays where it is. @returns whether one is higher or lower than before. */
  #measure(rows) {
    if (this.#isHeat) return false;
    const { element } = this;
    const top = this.#places.at(element.scrollTop);
    const beyond = element.scrollTop - this.#places.top(top);
    let hasChanged = false;
    for (const row of rows) {
      const version = this.data.known.version(row.id);
      const drawn = this.#rows.get(row.id);
      if (drawn?.layout && drawn.version === version) continue;
      const layout = layOut(this, row);
      if (drawn) drawn.layout = layout;
      hasChanged = this.#places.set(row.id, Math.max(ROW, heightOf(layout.lanes))) || hasChanged;
    }
    if (hasChanged) {
      this.#places.place();
      this.body.style.height = `${this.#places.height}px`;
      if (element.scrollTop > 0) element.scrollTop = this.#places.top(top) + beyond;
    }
    return hasChanged;
  }

  get #isHeat() { return this.#view.zoom === "month" && this.data.kind === "people"; }

  /** Draws a row anew although nothing new is known of it. */
  redraw(row) {
    const drawn = this.#rows.get(row.id);
    if (drawn) drawn.version = null;
    this.draw();
  }

  #drawRow(row, index) {
    let drawn = this.#rows.get(row.id);
    if (!drawn) {
      drawn = { element: h("div", { class: "board-row", dataset: { row: row.id } }), version: null };
      this.#rows.set(row.id, drawn);
      this.body.append(drawn.element);
    }
    const [top, height] = [this.#places.top(index), this.#places.top(index + 1) - this.#places.top(index)];
    if (drawn.top !== top) drawn.element.style.transform = `translateY(${top}px)`;
    if (drawn.height !== height) drawn.element.style.height = `${height}px`;
    Object.assign(drawn, { top, height });
    const version = this.data.known.version(row.id);
    if (drawn.version === version) return;
    drawn.version = version;
    const isPeople = this.data.kind === "people";
    const isShaded = this.#view.zoom !== "month" && restsAtWeekends(this, row);
    replace(drawn.element,
      h("div", { class: "board-name" }, h("a", { href: link(`${this.data.kind}/${row.id}`), title: row.name }, row.name),
        h("span", { class: "note" }, isPeople ? row.department ?? "" : format.words(row.status))),
      h("div", { class: ["board-time-row", isShaded && "board-weekends"], style: { width: `${this.#timeWidth}px` }, ondblclick: (event) => this.#bookAt(event, row) },
        shades(this, row, isShaded), this.#isHeat ? heat(this, row) : barsOf(this, row, layOut(this, row), height)),
      isPeople && freeCell(this, row));
  }

  /** Arrow keys move, with Shift they resize, with Alt up and down they give the booking to the next row. */
  key(event, booking, row, mayMove) {
    const { key } = event;
    const act = (action) => {
      event.preventDefault();
      action();
    };
    if (key === "Enter" || key === " ") return act(() => this.onopen(booking));
    const sideways = { ArrowLeft: -1, ArrowRight: 1 }[key];
    const down = { ArrowUp: -1, ArrowDown: 1 }[key];
    if (down && !event.altKey) return act(() => this.#focusBar(row, event.currentTarget, down));
    if (key.toLowerCase() === "c" && !event.ctrlKey && !event.metaKey && this.mayBook) return act(() => this.#copyBehind(booking));
    if (!mayMove) return;
    if (key === "Delete" || key === "Backspace") return act(() => this.edits.remove(booking).then((done) => done && this.say("The booking is cancelled. Control Z brings it back.")));
    if (sideways) return act(() => this.apply(booking, event.shiftKey ? moved(booking, 0, sideways) : moved(booking, sideways, sideways)));
    if (down) {
      const next = this.data.rows[this.data.rows.findIndex((one) => one.id === row.id) + down];
      if (next) act(() => this.apply(booking, { [this.rowKey]: next.id }));
    }
  }

  /** The nearest bar of the rows above or below. */
  #focusBar(row, bar, direction) {
    const { rows } = this.data;
    const middle = (one) => one.offsetLeft + one.offsetWidth / 2;
    for (let index = rows.findIndex((one) => one.id === row.id) + direction; this.#rows.has(rows[index]?.id); index += direction) {
      const bars = [...this.#rows.get(rows[index].id).element.querySelectorAll(".bar")];
      bars.sort((one, other) => Math.abs(middle(one) - middle(bar)) - Math.abs(middle(other) - middle(bar)));
      if (bars[0]) return bars[0].focus();
    }
  }

  #copyBehind(booking) {
    if (!booking.endDate) return;
    const length = days.parseDay(booking.endDate) - days.parseDay(booking.startDate) + 1;
    const shift = Math.ceil(length / 7) * 7;
    this.copy(booking, moved(booking, shift, shift));
  }

  async apply(booking, change) { this.#saySaved(await this.edits.change(booking, change)); }
  async copy(booking, change) { this.#saySaved(await this.edits.copy(booking, change)); }
  #saySaved(warnings) { if (warnings) this.say(warnings.length ? `Saved with ${warnings.length} warnings.` : "Saved."); }

  #bookAt(event, row) {
    if (!this.mayBook || event.target.closest(".bar")) return;
    const day = this.#view.from + Math.floor((event.clientX - event.currentTarget.getBoundingClientRect().left) / this.#view.width);
    this.onbook({ [this.rowKey]: row.id, startDate: days.formatDay(day), endDate: days.formatDay(day + 4) });
  }

  /** The row that lies under the pointer. */
  rowAt(clientY) {
    return this.data.rows[this.#places.at(clientY - this.body.getBoundingClientRect().top)] ?? null;
  }
}

/** A booking's window with its ends moved by days; an open end stays open. */
export function moved(booking, start, end) {
  const first = days.parseDay(booking.startDate) + start;
  if (!booking.endDate) return { startDate: days.formatDay(first) };
  const last = days.parseDay(booking.endDate) + end;
  // Neither end passes the other.
  if (start !== 0 && end === 0) return { startDate: days.formatDay(Math.min(first, last)), endDate: booking.endDate };
  return { startDate: days.formatDay(first), endDate: days.formatDay(Math.max(first, last)) };
}
