/** From a file to its fingerprint, over the one canonical picture: upright, full size, no colour management, on white. */

import { look } from "./kinds.js";
import { Pdq } from "./pdq.js";

const STRIPE = 256; // rows read back at a time: the whole picture at once takes three times the memory
const SMALLEST_SIDE = 64; // below this PDQ would invent pixels to fill its 64 x 64 places
const MOST_PIXELS = 100_000_000; // about 400 MB once opened; a phone closes the tab, and all work in it is lost
const LEAST_QUALITY = 50; // below this unrelated pictures share fingerprints

// Multiplied beforehand, half-transparent pixels are rounded down: two bits off for a WebP.
const AS_IT_IS = { imageOrientation: "from-image", colorSpaceConversion: "none", premultiplyAlpha: "none" };

/** Why a file gives no fingerprint. `key` names the words for it. */
export class Refused extends Error {
  constructor(key) {
    super(key);
    this.key = key;
  }
}

/**
 * Resolves to `{ hash, quality }`; `onPercent` hears 0 to 100 on the way.
 *
 * Rejects with `Refused` where the file cannot or should not be used.
 */
export async function fingerprint(file, onPercent = () => {}) {
  const picture = await open(file);
  try {
    if (Math.min(picture.width, picture.height) < SMALLEST_SIDE) throw new Refused("F-E.small");
    const result = read(picture, onPercent);
    if (result.quality < LEAST_QUALITY) throw new Refused("F-E.quality");
    return result;
  } finally {
    picture.close();
  }
}

async function open(file) {
  const { kind, pixels } = await look(file).catch(() => ({ kind: "unreadable" }));
  if (kind === "unreadable" || file.size === 0) throw new Refused("F-E.damaged");
  if (kind === "video") throw new Refused("F-E.video_codec");
  if (kind === "other") throw new Refused("F-E.type");
  if (pixels > MOST_PIXELS) throw new Refused("F-E.big");
  try {
    return await createImageBitmap(file, AS_IT_IS);
  } catch {
    throw new Refused({ heic: "F-E.heic", avif: "F-E.type" }[kind] ?? "F-E.damaged");
  }
}

function read(picture, onPercent) {
  const { width, height } = picture;
  const pdq = new Pdq(width, height);
  const canvas = new OffscreenCanvas(width, Math.min(STRIPE, height));
  const paper = canvas.getContext("2d", { willReadFrequently: true });
  paper.imageSmoothingEnabled = false;
  paper.fillStyle = "#fff";
  for (let top = 0; top < height; top += STRIPE) {
    const rows = Math.min(STRIPE, height - top);
    paper.fillRect(0, 0, width, rows);
    paper.drawImage(picture, 0, top, width, rows, 0, 0, width, rows);
    pdq.add(paper.getImageData(0, 0, width, rows).data);
    onPercent(Math.round((100 * (top + rows)) / height));
  }
  return pdq.finish();
}
