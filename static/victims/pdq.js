/**
 * PDQ, written from the published algorithm: 256 bits that stay nearly the same when a picture is saved again.
 *
 * The algorithm is Meta's (BSD-3-Clause, github.com/facebook/ThreatExchange, folder `pdq`). `moderation/hashing/pdq.py`
 * is its twin on the server; both answer to `tests/vectors/`.
 *
 * Rows may come in any portions, so no copy of the whole picture is needed. The reference averages rows, columns, rows,
 * columns over the full picture and then looks at 64 x 64 places. Averages of rows and of columns commute: each row is
 * averaged twice and kept at 64 places only, and the 64 columns follow at the end.
 */

const SIDE = 64;
const WAVES = 16;
const BITS = WAVES * WAVES;
const SMALLEST_SIDE = 5;

/** Averages a line twice over a window and reads it at 64 places. Overwrites the line. */
class Smoother {
  constructor(length) {
    const width = Math.floor((length + 2 * SIDE - 1) / (2 * SIDE));
    const after = Math.floor((width + 2) / 2);
    this.length = length;
    this.from = Int32Array.from({ length }, (_, i) => Math.max(0, i - width + after));
    this.to = Int32Array.from({ length }, (_, i) => Math.min(length, i + after));
    this.places = Int32Array.from({ length: SIDE }, (_, i) => Math.floor(((i + 0.5) * length) / SIDE));
    this.sums = new Float64Array(length + 1);
  }

  read(line, target, start, step) {
    this.#sum(line);
    for (let i = 0; i < this.length; i++) line[i] = this.#average(i);
    this.#sum(line);
    for (let i = 0; i < SIDE; i++) target[start + i * step] = this.#average(this.places[i]);
  }

  #sum(line) {
    let sum = 0;
    for (let i = 0; i < this.length; i++) this.sums[i + 1] = sum += line[i];
  }

  #average(i) {
    return (this.sums[this.to[i]] - this.sums[this.from[i]]) / (this.to[i] - this.from[i]);
  }
}

// The constant wave is left out, as in the reference: brightness says nothing about the picture.
const COSINES = Float64Array.from(
  { length: WAVES * SIDE },
  (_, k) => Math.sqrt(2 / SIDE) * Math.cos((Math.PI / 2 / SIDE) * (Math.floor(k / SIDE) + 1) * (2 * (k % SIDE) + 1)),
);

function waves(grid) {
  const half = new Float64Array(WAVES * SIDE);
  for (let i = 0; i < WAVES; i++)
    for (let k = 0; k < SIDE; k++)
      for (let j = 0; j < SIDE; j++) half[i * SIDE + j] += COSINES[i * SIDE + k] * grid[k * SIDE + j];
  const strengths = new Float64Array(BITS);
  for (let i = 0; i < WAVES; i++)
    for (let j = 0; j < WAVES; j++)
      for (let k = 0; k < SIDE; k++) strengths[i * WAVES + j] += half[i * SIDE + k] * COSINES[j * SIDE + k];
  return strengths;
}

/** 0 to 100: how much there is to see. The steps are cut to whole numbers one by one, in 32 bits, as the reference does. */
function qualityOf(grid) {
  const step = (a, b) => Math.abs(Math.trunc(Math.fround(Math.fround(Math.fround(grid[a] - grid[b]) * 100) / 255)));
  let sum = 0;
  for (let i = 0; i < SIDE; i++) {
    for (let j = 0; j < SIDE - 1; j++) {
      sum += step(i * SIDE + j, i * SIDE + j + 1);
      sum += step(j * SIDE + i, (j + 1) * SIDE + i);
    }
  }
  return Math.min(100, Math.floor(sum / 90));
}

/** 64 hexadecimal digits; bit 255 comes first. Set is whatever lies above the 128th smallest strength. */
function hexOf(strengths) {
  const median = Float64Array.from(strengths).sort()[BITS / 2 - 1];
  let hex = "";
  for (let bit = BITS - 1; bit >= 0; bit -= 4) {
    let digit = 0;
    for (let i = 0; i < 4; i++) digit = digit * 2 + (strengths[bit - i] > median ? 1 : 0);
    hex += digit.toString(16);
  }
  return hex;
}

export class Pdq {
  constructor(width, height) {
    this.width = width;
    this.height = height;
    this.row = new Float64Array(width);
    this.across = new Smoother(width);
    this.columns = new Float64Array(SIDE * height);
    this.rowsSeen = 0;
  }

  /** Takes the next whole rows: red, green, blue and an alpha that is not looked at. */
  add(rgba) {
    const rows = rgba.length / (4 * this.width);
    for (let y = 0, at = 0; y < rows; y++, this.rowsSeen++) {
      for (let x = 0; x < this.width; x++, at += 4)
        this.row[x] = Math.fround(rgba[at] * 0.299 + rgba[at + 1] * 0.587 + rgba[at + 2] * 0.114);
      this.across.read(this.row, this.columns, this.rowsSeen, this.height);
    }
  }

  /** The fingerprint, once every row has been added. A side under 5 pixels gives quality 0, as in the reference. */
  finish() {
    if (this.rowsSeen !== this.height) throw new Error("rows are missing");
    if (Math.min(this.width, this.height) < SMALLEST_SIDE) return { hash: "0".repeat(SIDE), quality: 0 };
    const down = new Smoother(this.height);
    const grid = new Float32Array(SIDE * SIDE);
    for (let j = 0; j < SIDE; j++)
      down.read(this.columns.subarray(j * this.height, (j + 1) * this.height), grid, j, SIDE);
    return { hash: hexOf(waves(grid)), quality: qualityOf(grid) };
  }
}

export function distance(one, other) {
  let bits = 0;
  for (let i = 0; i < one.length; i++)
    for (let diff = parseInt(one[i], 16) ^ parseInt(other[i], 16); diff; diff &= diff - 1) bits++;
  return bits;
}
