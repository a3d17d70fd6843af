// Dragging a bar: to other days, to another person, or by an end. The ledger's warnings are shown before the drop.

import { debounce, h, replace } from "../../lib/dom.js";
import { warningText } from "../bookings.js";
import { moved } from "./grid.js";

const THRESHOLD = 4;

export class BarDrag {
  justMoved = false;
  #now = null;

  constructor(grid) {
    this.grid = grid;
    this.note = h("div", { class: "drag-note", hidden: true });
    document.body.append(this.note);
    this.look = debounce((now) => this.#look(now), 180);
  }

  begin(event, booking, person) {
    if (event.button !== 0) return;
    const bar = event.currentTarget;
    const now = { booking, person, bar, grip: event.target.dataset.grip ?? null, x: event.clientX, y: event.clientY, change: null, abort: null, left: bar.offsetLeft, width: bar.offsetWidth };
    this.#now = now;
    bar.setPointerCapture(event.pointerId);
    const move = (next) => this.#move(now, next);
    const end = async (last) => {
      bar.removeEventListener("pointermove", move);
      bar.removeEventListener("pointerup", end);
      bar.removeEventListener("pointercancel", end);
      removeEventListener("keydown", escape);
      await this.#end(now, last.type === "pointerup");
    };
    const escape = (key) => key.key === "Escape" && end({ type: "pointercancel" });
    bar.addEventListener("pointermove", move);
    bar.addEventListener("pointerup", end);
    bar.addEventListener("pointercancel", end);
    addEventListener("keydown", escape);
  }

  #move(now, event) {
    const [dx, dy] = [event.clientX - now.x, event.clientY - now.y];
    if (!now.change && Math.abs(dx) < THRESHOLD && Math.abs(dy) < THRESHOLD) return;
    const step = Math.round(dx / this.grid.view.width);
    const target = now.grip ? now.person : this.grid.personAt(event.clientY) ?? now.person;
    const change = now.grip === "start" ? moved(now.booking, step, 0) : now.grip === "end" ? moved(now.booking, 0, step) : moved(now.booking, step, step);
    if (target.id !== now.person.id) change.employeeId = target.id;
    const width = this.grid.view.width;
    now.bar.classList.add("bar-moving");
    now.bar.style.left = `${now.left + (now.grip === "end" ? 0 : step * width)}px`;
    if (now.grip) now.bar.style.width = `${Math.max(width, now.width + (now.grip === "end" ? step : -step) * width)}px`;
    else now.bar.style.translate = `0 ${dy}px`;
    this.note.hidden = false;
    this.note.style.left = `${event.clientX + 14}px`;
    this.note.style.top = `${event.clientY + 14}px`;
    if (JSON.stringify(change) !== JSON.stringify(now.change)) {
      now.change = change;
      replace(this.note, `${change.employeeId ? `${target.name}, ` : ""}${change.startDate} – ${change.endDate ?? "open"}`);
      this.look(now);
    }
  }

  async #look(now) {
    if (this.#now !== now) return;
    now.abort?.abort();
    now.abort = new AbortController();
    try {
      const warnings = await this.grid.edits.trial(now.booking, now.change, now.abort.signal);
      if (this.#now !== now) return;
      now.bar.classList.toggle("bar-conflict", warnings.length > 0);
      replace(this.note, this.note.firstChild?.textContent, warnings.length > 0 && h("ul", {}, warnings.map((one) => h("li", {}, warningText(one)))));
    } catch (error) {
      if (error.name !== "AbortError" && this.#now === now) replace(this.note, error.message);
    }
  }

  async #end(now, isDrop) {
    this.#now = null;
    now.abort?.abort();
    this.note.hidden = true;
    now.bar.classList.remove("bar-moving", "bar-conflict");
    now.bar.style.translate = "";
    if (!now.change) return;
    this.justMoved = true;
    setTimeout(() => { this.justMoved = false; }, 50);
    if (isDrop) return this.grid.apply(now.booking, now.change);
    this.grid.data.put(now.booking);
    now.bar.style.left = `${now.left}px`;
    now.bar.style.width = `${now.width}px`;
  }
}
