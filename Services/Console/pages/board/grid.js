// The grid of the board: only rows in view exist. Bars are moved with the pointer or with the keyboard.

import { h, replace } from "../../lib/dom.js";
import * as days from "../../lib/days.js";
import * as format from "../../lib/format.js";
import { link } from "../../lib/router.js";
import { effortText } from "../bookings.js";
import { BarDrag } from "./drag.js";

const ROW = 56;
const OVERSCAN = 4;

export class BoardGrid {
  #view = null;
  #rows = new Map();

  constructor({ data, edits, today, mayEdit, mayBook, onopen, onbook }) {
    Object.assign(this, { data, edits, today, mayEdit, mayBook, onopen, onbook });
    this.head = h("div", { class: "board-head" });
    this.body = h("div", { class: "board-body" });
    this.status = h("p", { class: "visually-hidden", role: "status" });
    this.element = h("div", {
      class: "board", role: "region", "aria-label": "Bookings of people over time", tabindex: "0", onscroll: () => this.draw(),
    }, this.head, this.body, this.status);
    this.drag = new BarDrag(this);
  }

  get view() { return this.#view; }
  /** As the style sheet has it. */
  get nameWidth() { return matchMedia("(max-width: 860px)").matches ? 128 : 216; }
  say(text) { this.status.textContent = text; }

  show(view) {
    this.#view = { ...view, total: this.nameWidth + (view.to - view.from + 1) * view.width };
    this.#rows.clear();
    replace(this.body);
    this.#drawHead();
    this.draw();
  }

  /** Left edge of a day, within the row's time. */
  x(day) { return (day - this.#view.from) * this.#view.width; }

  #drawHead() {
    const { from, to, width, zoom, total } = this.#view;
    const upper = days.periods(from, to, "month");
    const lower = days.periods(from, to, zoom === "day" ? "day" : "week");
    const place = (period, text, kind) => h("div", { class: ["board-period", kind], style: { left: `${this.nameWidth + this.x(period.from)}px`, width: `${(period.to - period.from + 1) * width}px` } }, text);
    replace(this.head, h("div", { class: "board-corner" }, "Person"),
      upper.map((period) => place(period, format.month(period.from), "board-month")),
      lower.map((period) => place(period, zoom === "day" ? `${format.weekdayLetter(period.from)} ${days.dateOf(period.from).getUTCDate()}` : zoom === "week" ? `W${days.weekNumber(period.from)}` : "",
        ["board-unit", period.from <= this.today && this.today <= period.to ? "board-now" : ""].join(" "))));
    this.head.style.width = `${total}px`;
  }

  draw() {
    if (!this.#view) return;
    const { people } = this.data;
    this.body.style.height = `${Math.max(people.length * ROW, 120)}px`;
    this.body.style.width = `${this.#view.total}px`;
    const first = Math.max(0, Math.floor(this.element.scrollTop / ROW) - OVERSCAN);
    const last = Math.min(people.length - 1, Math.ceil((this.element.scrollTop + this.element.clientHeight) / ROW) + OVERSCAN);
    const shown = people.slice(first, last + 1);
    this.data.want(shown.map((person) => person.id), this.#view.from, this.#view.to);
    const ids = new Set(shown.map((person) => person.id));
    for (const [id, row] of this.#rows) {
      if (!ids.has(id)) {
        row.element.remove();
        this.#rows.delete(id);
      }
    }
    shown.forEach((person, offset) => this.#drawRow(person, first + offset));
    this.body.dataset.empty = people.length === 0 ? (this.data.isWhole ? "Nobody fits the filter." : "Loading people…") : "";
  }

  #drawRow(person, index) {
    const bookings = this.data.bookings(person.id);
    const signature = JSON.stringify([bookings, this.data.leave(person.id), bookings.map((one) => this.data.project(one.projectId)?.name), this.#weeks().map((week) => this.data.load(person.id, week.from))]);
    let row = this.#rows.get(person.id);
    if (!row) {
      row = { element: h("div", { class: "board-row", dataset: { person: person.id } }) };
      this.#rows.set(person.id, row);
      this.body.append(row.element);
    }
    row.element.style.transform = `translateY(${index * ROW}px)`;
    if (row.signature === signature) return;
    row.signature = signature;
    const focused = document.activeElement?.dataset?.booking;
    const isFocused = focused && row.element.contains(document.activeElement);
    replace(row.element, this.#name(person), h("div", {
      class: "board-time-row", ondblclick: (event) => this.#bookAt(event, person),
    }, this.#shades(person), this.#view.zoom === "month" ? this.#heat(person) : this.#bars(person, bookings)));
    if (isFocused) row.element.querySelector(`[data-booking="${focused}"]`)?.focus();
  }

  #name(person) {
    const week = this.data.load(person.id, days.monday(this.today));
    const free = week && week.capacityHours !== null ? Math.max(0, week.capacityHours - week.hardHours) : null;
    return h("div", { class: "board-name" },
      h("a", { href: link(`people/${person.id}`), title: person.name }, person.name),
      h("span", { class: "note" }, [person.department, free === null ? null : `${format.hours(free)} free this week`].filter(Boolean).join(" · ")));
  }

  #weeks() { return days.periods(days.monday(this.#view.from), this.#view.to, "week"); }

  #shades(person) {
    const { from, to, width, zoom } = this.#view;
    const parts = [];
    if (zoom !== "month") {
      for (let day = from; day <= to; day += 1) {
        if (days.weekday(day) === 5) parts.push(h("div", { class: "shade shade-weekend", style: { left: `${this.x(day)}px`, width: `${2 * width}px` } }));
      }
    }
    for (const one of this.data.leave(person.id)) {
      const first = Math.max(from, days.parseDay(one.firstDay));
      const last = Math.min(to, days.parseDay(one.lastDay));
      if (first <= last) parts.push(h("div", { class: ["shade", one.status === "approved" ? "shade-leave" : "shade-requested"], title: `${format.words(one.kind)} (${one.status})`, style: { left: `${this.x(first)}px`, width: `${(last - first + 1) * width}px` } }));
    }
    for (const week of this.#weeks()) {
      const load = this.data.load(person.id, week.from);
      if (load && this.#percent(load) > 100.5 && zoom !== "month") parts.push(h("div", { class: "shade shade-over", style: { left: `${this.x(Math.max(from, week.from))}px`, width: `${7 * width}px` } }));
    }
    if (from <= this.today && this.today <= to) parts.push(h("div", { class: "shade shade-today", style: { left: `${this.x(this.today)}px` } }));
    return parts;
  }

  #percent(load) {
    const hours = load.hardHours;
    return load.capacityHours > 0 ? (hours / load.capacityHours) * 100 : hours > 0 ? 999 : 0;
  }

  /** One cell a week, the darker the fuller; the figure stands in it. */
  #heat(person) {
    return this.#weeks().map((week) => {
      const load = this.data.load(person.id, week.from);
      if (!load) return null;
      const percent = this.#percent(load);
      const level = load.capacityHours > 0 || percent > 0 ? (percent > 100.5 ? "over" : percent > 75 ? 3 : percent > 40 ? 2 : percent > 0 ? 1 : 0) : "none";
      const text = percent >= 999 ? "!" : Math.round(percent);
      return h("div", { class: ["heat", `heat-${level}`], title: `Week ${days.weekNumber(week.from)}: ${format.percent(percent)} of ${format.hours(load.capacityHours)}`, style: { left: `${this.x(week.from)}px`, width: `${7 * this.#view.width - 1}px` } }, level === "none" ? "" : text);
    });
  }

  #bars(person, bookings) {
    const { from, to, width } = this.#view;
    const seen = bookings.map((booking) => ({ booking, first: days.parseDay(booking.startDate), last: booking.endDate ? days.parseDay(booking.endDate) : to }))
      .filter(({ first, last }) => last >= from && first <= to)
      .sort((a, b) => a.first - b.first || b.last - a.last);
    const ends = [];
    for (const one of seen) {
      one.lane = ends.findIndex((end) => end < one.first);
      if (one.lane < 0) one.lane = ends.length;
      ends[one.lane] = one.last;
    }
    const lanes = Math.max(1, ends.length);
    const height = Math.min(24, Math.max(5, Math.floor((ROW - 10) / lanes) - 2));
    return seen.map(({ booking, first, last, lane }) => this.#bar(person, booking, first, last, {
      left: this.x(Math.max(first, from)), width: (Math.min(last, to) - Math.max(first, from) + 1) * width - 2, top: 5 + lane * (height + 2), height,
    }));
  }

  #bar(person, booking, first, last, box) {
    const project = this.data.project(booking.projectId)?.name ?? "…";
    const label = `${project}, ${effortText(booking)}, ${format.day(first)} to ${booking.endDate ? format.day(last) : "open"}, ${booking.commitment ?? "hard"}`;
    const canMove = this.mayEdit && !booking.completedAt;
    return h("div", {
      class: ["bar", `bar-${booking.commitment ?? "hard"}`, booking.completedAt && "bar-done", box.height < 13 && "bar-thin"], role: "button", tabindex: "0", title: `${person.name}: ${label}`,
      "aria-label": `${person.name}: ${label}`, dataset: { booking: booking.id },
      style: { left: `${box.left}px`, top: `${box.top}px`, width: `${Math.max(4, box.width)}px`, height: `${box.height}px` },
      onpointerdown: (event) => (canMove ? this.drag.begin(event, booking, person) : null),
      onclick: () => !this.drag.justMoved && this.onopen(booking),
      onkeydown: (event) => this.#key(event, booking, person, canMove),
    }, h("span", {}, `${project} · ${effortText(booking)}`), canMove && box.width > 24 && [h("i", { class: "grip grip-start", dataset: { grip: "start" } }), h("i", { class: "grip grip-end", dataset: { grip: "end" } })]);
  }

  /** Arrow keys move, with Shift they resize, with Alt up and down they give the booking to the next person. */
  #key(event, booking, person, canMove) {
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      return this.onopen(booking);
    }
    if (!canMove) return;
    if (event.key === "Delete" || event.key === "Backspace") {
      event.preventDefault();
      return this.edits.remove(booking).then((done) => done && this.say("The booking is cancelled. Control Z brings it back."));
    }
    const side = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (side) {
      event.preventDefault();
      return this.apply(booking, event.shiftKey ? moved(booking, 0, side) : moved(booking, side, side));
    }
    const direction = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (direction && event.altKey) {
      event.preventDefault();
      const { people } = this.data;
      const next = people[people.findIndex((one) => one.id === person.id) + direction];
      if (next) this.apply(booking, { employeeId: next.id });
    }
  }

  async apply(booking, change) {
    const warnings = await this.edits.change(booking, change);
    if (warnings) this.say(warnings.length ? `Saved with ${warnings.length} warnings.` : "Saved.");
  }

  #bookAt(event, person) {
    if (!this.mayBook || event.target.closest(".bar")) return;
    const day = this.#view.from + Math.floor((event.clientX - event.currentTarget.getBoundingClientRect().left) / this.#view.width);
    this.onbook({ employeeId: person.id, startDate: days.formatDay(day), endDate: days.formatDay(day + 4) });
  }

  /** The person whose row lies under the pointer. */
  personAt(clientY) {
    const index = Math.floor((clientY - this.body.getBoundingClientRect().top) / ROW);
    return this.data.people[index] ?? null;
  }
}

/** A booking's window with its ends moved by days; an open end stays open. */
export function moved(booking, start, end) {
  const first = days.parseDay(booking.startDate) + start;
  const change = { startDate: days.formatDay(first) };
  if (booking.endDate) change.endDate = days.formatDay(Math.max(first, days.parseDay(booking.endDate) + end));
  return change;
}
