// Dragging a bar: to other days, to another row, by an end, or with Alt as a copy. The ledger's warnings come before the drop.

import { debounce, h, replace } from "../../lib/dom.js";
import { parseDay } from "../../lib/days.js";
import * as format from "../../lib/format.js";
import { warningText } from "../bookings.js";
import { moved } from "./keys.js";

const THRESHOLD = 4;
/** More than the pointer's note has room for is counted. */
const WARNINGS_SHOWN = 3;

export class BarDrag {
  /** Whether the click that follows belongs to a drag. */
  justMoved = false;
  #now = null;

  constructor(grid, signal) {
    this.grid = grid;
    this.note = h("div", { class: "drag-note", role: "status", hidden: true });
    document.body.append(this.note);
    signal.addEventListener("abort", () => this.note.remove());
    this.look = debounce((now) => this.#look(now), 150);
  }

  get isDragging() { return this.#now !== null; }

  begin(event, { bar, booking, row }) {
    // A finger scrolls; it opens a booking by tapping.
    if (event.button !== 0 || event.pointerType === "touch") return;
    const now = { booking, row, bar, grip: event.target.dataset.grip ?? null, x: event.clientX, y: event.clientY, change: null, abort: null, left: bar.offsetLeft, width: bar.offsetWidth };
    this.#now = now;
    bar.setPointerCapture(event.pointerId);
    const listening = new AbortController();
    const { signal } = listening;
    const end = (isDrop) => {
      listening.abort();
      this.#end(now, isDrop);
    };
    bar.addEventListener("pointermove", (next) => this.#move(now, next), { signal });
    bar.addEventListener("pointerup", () => end(true), { signal });
    bar.addEventListener("pointercancel", () => end(false), { signal });
    addEventListener("keydown", (key) => key.key === "Escape" && end(false), { signal });
  }

  #move(now, event) {
    const [dx, dy] = [event.clientX - now.x, event.clientY - now.y];
    if (!now.change && Math.abs(dx) < THRESHOLD && Math.abs(dy) < THRESHOLD) return;
    const { width } = this.grid.view;
    const step = Math.round(dx / width);
    const target = now.grip ? now.row : this.grid.rowAt(event.clientY) ?? now.row;
    const change = now.grip === "start" ? moved(now.booking, step, 0) : now.grip === "end" ? moved(now.booking, 0, step) : moved(now.booking, step, step);
    if (target.id !== now.row.id) change[this.grid.rowKey] = target.id;
    now.isCopy = event.altKey && !now.grip;
    now.bar.classList.add("bar-moving");
    now.bar.closest(".board-row").classList.add("board-row-lifted");
    now.bar.style.left = `${now.left + (now.grip === "end" ? 0 : step * width)}px`;
    if (now.grip) now.bar.style.width = `${Math.max(width, now.width + (now.grip === "end" ? step : -step) * width)}px`;
    else now.bar.style.translate = `0 ${dy}px`;
    this.note.hidden = false;
    this.note.style.left = `${Math.min(event.clientX + 14, innerWidth - 340)}px`;
    this.note.style.top = `${event.clientY + 18}px`;
    const signature = JSON.stringify([change, now.isCopy]);
    if (signature === now.signature) return;
    Object.assign(now, { change, signature });
    now.text = [now.isCopy && "Copy", change[this.grid.rowKey] && target.name, `${format.day(change.startDate)} – ${change.endDate ? format.day(change.endDate) : "open"}`].filter(Boolean).join(" · ");
    replace(this.note, h("strong", {}, now.text));
    this.look(now);
  }

  async #look(now) {
    if (this.#now !== now) return;
    now.abort?.abort();
    now.abort = new AbortController();
    const { signal } = now.abort;
    try {
      const { edits } = this.grid;
      const warnings = now.isCopy ? await edits.trialOfCopy(now.booking, now.change, signal) : await edits.trial(now.booking, now.change, signal);
      if (this.#now !== now || signal.aborted) return;
      now.bar.classList.toggle("bar-conflict", warnings.length > 0);
      replace(this.note, h("strong", {}, now.text), warnings.length > 0 ? warningNote(warnings) : h("p", {}, "No conflict"));
    } catch (error) {
      if (error.name !== "AbortError" && this.#now === now) replace(this.note, h("strong", {}, now.text), h("p", {}, error.message));
    }
  }

  #end(now, isDrop) {
    this.#now = null;
    now.abort?.abort();
    this.note.hidden = true;
    now.bar.classList.remove("bar-moving", "bar-conflict");
    now.bar.closest(".board-row")?.classList.remove("board-row-lifted");
    now.bar.style.translate = "";
    if (!now.change) return;
    this.justMoved = true;
    setTimeout(() => { this.justMoved = false; }, 0);
    const isChange = parseDay(now.change.startDate) !== parseDay(now.booking.startDate) || (now.change.endDate ?? null) !== (now.booking.endDate ?? null) || now.change[this.grid.rowKey] !== undefined;
    if (!isDrop || !isChange) return this.grid.redraw(now.row);
    if (now.isCopy) {
      this.grid.redraw(now.row);
      this.grid.copy(now.booking, now.change);
    } else {
      this.grid.apply(now.booking, now.change);
    }
  }
}

function warningNote(warnings) {
  const more = warnings.length - WARNINGS_SHOWN;
  return [h("ul", {}, warnings.slice(0, WARNINGS_SHOWN).map((one) => h("li", {}, warningText(one)))), more > 0 && h("p", {}, `and ${more} more`)];
}
