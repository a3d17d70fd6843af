// Where the board's rows stand: each has a height of its own, known once it has been in view.

export class RowPlaces {
  #rows = [];
  #heights = new Map();
  /** Upper edge of each row, and at the end the lower edge of the last. */
  #tops = [0];

  /** @param {number} usual the height of a row of which nothing is known */
  constructor(usual) { this.usual = usual; }

  get height() { return this.#tops.at(-1); }
  top(index) { return this.#tops[Math.min(index, this.#rows.length)]; }

  /** The rows that there are now. */
  of(rows) {
    if (rows === this.#rows && rows.length + 1 === this.#tops.length) return;
    this.#rows = rows;
    this.place();
  }

  /** @returns whether the height is another than before; `place` makes it count. */
  set(row, height) {
    if ((this.#heights.get(row) ?? this.usual) === height) return false;
    this.#heights.set(row, height);
    return true;
  }

  place() {
    this.#tops = [0];
    let top = 0;
    for (const row of this.#rows) {
      top += this.#heights.get(row.id) ?? this.usual;
      this.#tops.push(top);
    }
  }

  clear() {
    this.#heights.clear();
    this.place();
  }

  /** Index of the row at a height; the last one below them all. */
  at(y) {
    let [low, high] = [0, this.#rows.length - 1];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (this.#tops[middle] <= y) low = middle; else high = middle - 1;
    }
    return Math.max(0, low);
  }
}
