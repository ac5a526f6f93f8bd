/** A number per step, when only some steps tell it: straight lines between those that do, the last one told after them. Pure. */

export class Series {
  /** @type {number[]} */ values = [];
  #told = -1; // the last step that told its number

  /** @param {string} name */
  constructor(name) {
    this.name = name;
  }

  /** @param {number | undefined} value  undefined: this step does not tell; NaN: it tells that there is no number */
  push(value) {
    const at = this.values.length;
    if (value === undefined) return void this.values.push(this.#told < 0 ? NaN : this.values[this.#told]);
    const from = this.#told < 0 ? NaN : this.values[this.#told];
    for (let i = this.#told + 1; i < at && this.#told >= 0; i++) this.values[i] = from + ((value - from) * (i - this.#told)) / (at - this.#told);
    this.values.push(value);
    this.#told = at;
  }
}
