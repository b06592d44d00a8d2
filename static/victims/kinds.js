/** What a file is, told by its own bytes: names and types that a system attaches to files are not looked at. */

const HEIC = ["heic", "heix", "heim", "heis", "hevc", "hevx", "hevm", "hevs"];
const AVIF = ["avif", "avis"];
const FILM_BOXES = ["moov", "mdat", "wide", "free", "skip", "pnot"];

/**
 * Looks at a file's first bytes.
 *
 * `kind` is jpeg, png, gif, webp, bmp, avif, heic, video or other; `pixels` is the number that the file announces, or 0
 * where it is not told cheaply. Rejects if the bytes cannot be read.
 */
export async function look(file) {
  const head = await bytes(file, 0, 4096);
  const kind = kindOf(head);
  const [width, height] = (kind === "jpeg" ? await jpegSize(file) : sizeOf(kind, head)) ?? [0, 0];
  return { kind, pixels: width * height };
}

async function bytes(file, from, length) {
  return new DataView(await file.slice(from, from + length).arrayBuffer());
}

function text(view, from, length) {
  let out = "";
  for (let i = from; i < Math.min(from + length, view.byteLength); i++) out += String.fromCharCode(view.getUint8(i));
  return out;
}

function kindOf(head) {
  const start = text(head, 0, 16);
  if (start.startsWith("\xff\xd8\xff")) return "jpeg";
  if (start.startsWith("\x89PNG\r\n\x1a\n")) return "png";
  if (start.startsWith("GIF8")) return "gif";
  if (start.startsWith("BM")) return "bmp";
  if (start.startsWith("RIFF")) return { WEBP: "webp", "AVI ": "video" }[start.slice(8, 12)] ?? "other";
  if (start.slice(4, 8) === "ftyp") return brandKind(head);
  return isFilm(start) ? "video" : "other";
}

/** HEIC, AVIF and MP4 share one container; the brands at its start tell which. */
function brandKind(head) {
  const brands = text(head, 8, Math.min(head.getUint32(0), 256) - 8).match(/.{4}/gs) ?? [];
  if (brands.some((brand) => AVIF.includes(brand))) return "avif";
  if (brands.some((brand) => HEIC.includes(brand)) || ["mif1", "msf1"].includes(brands[0])) return "heic";
  return "video";
}

function isFilm(start) {
  return (
    FILM_BOXES.includes(start.slice(4, 8)) ||
    ["\x1aE\xdf\xa3", "\x00\x00\x01\xba", "\x00\x00\x01\xb3", "FLV\x01", "OggS", "0&\xb2u"].some((mark) => start.startsWith(mark))
  );
}

function sizeOf(kind, head) {
  if (head.byteLength < 32) return null;
  if (kind === "png") return [head.getUint32(16), head.getUint32(20)];
  if (kind === "gif") return [head.getUint16(6, true), head.getUint16(8, true)];
  if (kind === "bmp") return [head.getUint32(18, true), Math.abs(head.getInt32(22, true))];
  return kind === "webp" ? webpSize(head) : null;
}

function webpSize(head) {
  const form = text(head, 12, 4);
  const three = (at) => head.getUint16(at, true) + (head.getUint8(at + 2) << 16);
  if (form === "VP8X") return [three(24) + 1, three(27) + 1];
  if (form === "VP8L") return [(head.getUint32(21, true) & 0x3fff) + 1, ((head.getUint32(21, true) >> 14) & 0x3fff) + 1];
  return form === "VP8 " ? [head.getUint16(26, true) & 0x3fff, head.getUint16(28, true) & 0x3fff] : null;
}

/** A JPEG tells its size after camera data and colour profiles of any length, so we step from part to part. */
async function jpegSize(file) {
  for (let at = 2; at < file.size; ) {
    const part = await bytes(file, at, 9);
    if (part.byteLength < 9 || part.getUint8(0) !== 0xff) return null;
    const marker = part.getUint8(1);
    if (marker === 0xff) at += 1;
    else if (isFrame(marker)) return [part.getUint16(7), part.getUint16(5)];
    else if (marker === 0xda) return null;
    else at += 2 + part.getUint16(2);
  }
  return null;
}

function isFrame(marker) {
  return marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
}
