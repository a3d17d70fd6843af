// A row of the board as elements, used for one row after the other.

import { h, replace } from "../../lib/dom.js";
import * as format from "../../lib/format.js";
import { link } from "../../lib/router.js";
import { barsOf } from "./bars.js";
import { freeCell, heat, restsAtWeekends, shades } from "./load.js";

export class RowShell {
  /** Of what is drawn; null: nothing but the name is. */
  version = null;
  row = null;
  #top = null;
  #height = null;
  #isHidden = false;

  constructor(grid) {
    this.grid = grid;
    this.name = h("a");
    this.note = h("span", { class: "note" });
    this.time = h("div", { class: "board-time-row", style: { width: `${grid.timeWidth}px` } });
    this.free = grid.data.kind === "people" ? h("div", { class: "board-free" }) : null;
    this.element = h("div", { class: "board-row" }, h("div", { class: "board-name" }, this.name, this.note), this.time, this.free);
    grid.body.append(this.element);
  }

  /** Stands for a row from now on. */
  enter(row) {
    const isPeople = this.grid.data.kind === "people";
    this.row = row;
    this.element.dataset.row = row.id;
    this.name.href = link(`${this.grid.data.kind}/${row.id}`);
    this.name.title = this.name.textContent = row.name;
    this.note.textContent = isPeople ? row.department ?? "" : format.words(row.status);
    if (this.#isHidden) this.element.hidden = this.#isHidden = false;
  }

  /** Stands for no row until it enters again; it is hidden only if nothing else takes it at once. */
  leave() {
    this.row = null;
    this.version = null;
    this.time.replaceChildren();
    if (this.free) this.free = replaced(this.free, h("div", { class: "board-free" }));
  }

  hide() {
    if (this.#isHidden) return;
    this.element.hidden = this.#isHidden = true;
    delete this.element.dataset.row;
  }

  place(top, height) {
    if (this.#top !== top) this.element.style.transform = `translateY(${top}px)`;
    if (this.#height !== height) {
      this.element.style.height = `${height}px`;
      this.version = null;
    }
    this.#top = top;
    this.#height = height;
  }

  fill(version) {
    const { grid, row } = this;
    this.version = version;
    const isShaded = grid.view.zoom !== "month" && restsAtWeekends(grid, row);
    this.time.classList.toggle("board-weekends", isShaded);
    replace(this.time, shades(grid, row, isShaded), grid.isHeat ? heat(grid, row) : barsOf(grid, row, grid.layout(row), this.#height));
    if (this.free) this.free = replaced(this.free, freeCell(grid, row));
  }
}

function replaced(element, other) {
  element.replaceWith(other);
  return other;
}
