/**
 * A picture we know, hashed before any other, over the same road.
 *
 * Some browsers protect people by changing what a page reads from a canvas. Every fingerprint is then random, and PDQ's own
 * quality does not show it: the person would be told they are protected, and nothing would ever be found.
 */

import { distance } from "./pdq.js";
import { fingerprint, Refused } from "./picture.js";

const SIDE = 512;
const KNOWN = "95449555955fc80ae2e0d3e2c94a1d5fd14a955f394ae3e0b3e0694a3c1fe6b5"; // by Meta's own code
const FARTHEST = 10; // reading noise that leaves fingerprints useful stays below; scrambling gives over 100

/** Rejects where the browser lacks a part that the road needs. */
export async function isScrambled() {
  try {
    const { hash } = await fingerprint(knownPicture());
    return distance(hash, KNOWN) > FARTHEST;
  } catch (error) {
    // Some browsers hand out a blank picture instead of a random one.
    if (error instanceof Refused && error.key === "F-E.quality") return true;
    throw error;
  }
}

/** A bitmap file built from whole numbers, so that it is the same everywhere and no canvas has touched it. */
function knownPicture() {
  const header = new DataView(new ArrayBuffer(54));
  const bytes = SIDE * SIDE * 3;
  header.setUint16(0, 0x424d);
  header.setUint32(2, 54 + bytes, true);
  header.setUint32(10, 54, true);
  header.setUint32(14, 40, true);
  header.setInt32(18, SIDE, true);
  header.setInt32(22, -SIDE, true); // top row first
  header.setUint16(26, 1, true);
  header.setUint16(28, 24, true);
  header.setUint32(34, bytes, true);
  return new Blob([header, knownPixels()], { type: "image/bmp" });
}

function knownPixels() {
  const pixels = new Uint8Array(SIDE * SIDE * 3);
  for (let y = 0, at = 0; y < SIDE; y++)
    for (let x = 0; x < SIDE; x++)
      for (const salt of [1, 2, 3]) pixels[at++] = (hills(x, y, 64, salt) * 3 + hills(x, y, 24, salt)) >> 2;
  return pixels;
}

/** Random heights on a grid with straight slopes between them: as uneven as a photograph. */
function hills(x, y, spacing, salt) {
  const [i, j, u, v] = [Math.floor(x / spacing), Math.floor(y / spacing), x % spacing, y % spacing];
  const upper = height(i, j, salt) * (spacing - u) + height(i + 1, j, salt) * u;
  const lower = height(i, j + 1, salt) * (spacing - u) + height(i + 1, j + 1, salt) * u;
  return Math.floor((upper * (spacing - v) + lower * v) / (spacing * spacing));
}

function height(i, j, salt) {
  return (Math.imul(i * 73856093 + j * 19349663 + salt * 83492791, 0x9e3779b1) >>> 16) & 255;
}
