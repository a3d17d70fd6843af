// Bars under the keyboard.

import * as days from "../../lib/days.js";

export class BarKeys {
  constructor(grid) { this.grid = grid; }

  /** Arrow keys move, with Shift they resize, with Alt up and down they give the booking to the next row. */
  press(event, { bar, booking, row, mayMove }) {
    const { grid } = this;
    const { key } = event;
    const act = (action) => {
      event.preventDefault();
      action();
    };
    if (key === "Enter" || key === " ") return act(() => grid.onopen(booking));
    const sideways = { ArrowLeft: -1, ArrowRight: 1 }[key];
    const down = { ArrowUp: -1, ArrowDown: 1 }[key];
    if (down && !event.altKey) return act(() => this.#focusBar(row, bar, down));
    if (key.toLowerCase() === "c" && !event.ctrlKey && !event.metaKey && grid.mayBook) return act(() => this.#copyBehind(booking));
    if (!mayMove) return;
    if (key === "Delete" || key === "Backspace") return act(() => grid.edits.remove(booking).then((done) => done && grid.say("The booking is cancelled. Control Z brings it back.")));
    if (sideways) return act(() => grid.apply(booking, event.shiftKey ? moved(booking, 0, sideways) : moved(booking, sideways, sideways)));
    if (down) {
      const next = grid.data.rows[this.#indexOf(row) + down];
      if (next) act(() => grid.apply(booking, { [grid.rowKey]: next.id }));
    }
  }

  #indexOf(row) { return this.grid.data.rows.findIndex((one) => one.id === row.id); }

  /** The nearest bar of the rows above or below. */
  #focusBar(row, bar, direction) {
    const { rows } = this.grid.data;
    const middle = (one) => one.offsetLeft + one.offsetWidth / 2;
    for (let index = this.#indexOf(row) + direction; ; index += direction) {
      const bars = this.grid.barsOf(rows[index]?.id);
      if (!bars) return;
      bars.sort((one, other) => Math.abs(middle(one) - middle(bar)) - Math.abs(middle(other) - middle(bar)));
      if (bars[0]) return bars[0].focus();
    }
  }

  #copyBehind(booking) {
    if (!booking.endDate) return;
    const length = days.parseDay(booking.endDate) - days.parseDay(booking.startDate) + 1;
    const shift = Math.ceil(length / 7) * 7;
    this.grid.copy(booking, moved(booking, shift, shift));
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
