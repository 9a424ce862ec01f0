// What stands before a file's pixels: how they are stored, and what their colours mean (ICC).

const MOST = 2 ** 20; // bytes of a profile that a PNG may unpack to, as for the server
const PART = 65_519; // bytes of a profile that fit a JPEG's segment
const NAME = "ICC_PROFILE\0";

/**
 * Of the first bytes of a file: `{ profile, odd }`, its ICC profile (null without one), and whether
 * browsers and the server read it in different ways, so that only one of them is to do it: inks
 * (Chromium loses the black one), 16 bits a colour (whose data may have fewer), any TIFF, a WebP that
 * has to be turned, and grey with a profile, which cannot be handed on with a picture in colours.
 */
export async function described(bytes) {
  if (is(bytes, 0, "\xff\xd8")) return jpeg(bytes);
  if (is(bytes, 0, "\x89PNG")) return png(bytes);
  if (is(bytes, 0, "RIFF") && is(bytes, 8, "WEBP")) return webp(bytes);
  if (is(bytes, 4, "ftyp")) return { profile: heif(bytes), odd: false };
  return { profile: null, odd: is(bytes, 0, "II*\0") || is(bytes, 0, "MM\0*") };
}

/** Whether a profile is one for red, green and blue. */
export const isOfColours = (profile) => is(profile, 16, "RGB ");

/** The JPEG `blob` with this profile, null for none, in place of one that the browser gave it. */
export async function withProfile(blob, profile) {
  const bytes = new Uint8Array(await blob.arrayBuffer());
  const kept = [];
  let at = 2;
  for (const [start, end] of segments(bytes)) {
    if (!isProfile(bytes, start)) kept.push(bytes.subarray(start, end));
    at = end;
  }
  const [jfif, ...rest] = kept; // which has to be the first
  const parts = [bytes.subarray(0, 2), jfif, ...written(profile), ...rest, bytes.subarray(at)];
  return new Blob(parts, { type: blob.type });
}

function* written(profile) {
  const count = Math.ceil((profile?.length ?? 0) / PART);
  for (let n = 0; n < count; n++) {
    const part = profile.subarray(n * PART, (n + 1) * PART);
    const length = part.length + 16;
    yield Uint8Array.from([0xff, 0xe2, length >> 8, length & 255, ...codes(NAME), n + 1, count]);
    yield part;
  }
}

/** Of each segment before a JPEG's pixels: where it begins and ends. */
function* segments(bytes) {
  for (let at = 2; bytes[at] === 0xff && bytes[at + 1] !== 0xda; ) {
    const end = bytes[at + 1] === 0xff ? at + 1 : at + 2 + big(bytes, at + 2, 2); // or a filler
    yield [at, end];
    at = end;
  }
}

const isProfile = (bytes, at) => bytes[at + 1] === 0xe2 && is(bytes, at + 4, NAME);

const codes = (text) => Array.from(text, (letter) => letter.charCodeAt(0));
const is = (bytes, at, text) => codes(text).every((code, i) => bytes[at + i] === code);
const big = (bytes, at, size) => bytes.subarray(at, at + size).reduce((n, byte) => 256 * n + byte, 0);
const little = (bytes, at, size) => big(bytes.slice(at, at + size).reverse(), 0, size);

function jpeg(bytes) {
  const parts = [];
  let colours = 3;
  for (const [at, end] of segments(bytes)) {
    const marker = bytes[at + 1];
    if (isProfile(bytes, at)) parts[bytes[at + 16]] = bytes.subarray(at + 18, end);
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (isFrame) colours = bytes[at + 9];
  }
  const profile = joined(parts.filter(Boolean));
  return { profile, odd: colours === 4 || (colours === 1 && profile !== null) };
}

async function png(bytes) {
  const grey = [0, 4].includes(bytes[25]);
  let profile = null;
  for (let at = 8; at < bytes.length && !is(bytes, at + 4, "IDAT"); at += 12 + big(bytes, at, 4)) {
    if (!is(bytes, at + 4, "iCCP")) continue;
    const data = bytes.subarray(at + 8, at + 8 + big(bytes, at, 4));
    const packed = data.subarray(data.indexOf(0) + 2); // after its name and the method
    if (!globalThis.DecompressionStream) return { profile: null, odd: true };
    profile = await unpacked(packed);
  }
  return { profile, odd: bytes[24] === 16 || (grey && profile !== null) };
}

/** The profile in a PNG; null where it is broken, or too large. */
async function unpacked(packed) {
  const parts = [];
  let size = 0;
  const reader = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate")).getReader();
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      parts.push(next.value);
      if ((size += next.value.length) > MOST) return null;
    }
  } catch {
    return null;
  } finally {
    reader.cancel().catch(() => {});
  }
  return joined(parts);
}

function webp(bytes) {
  let profile = null;
  let exif = is(bytes, 12, "VP8X") && (bytes[20] & 8) > 0; // there is some, maybe out of reach
  for (let at = 12; at + 8 < bytes.length; ) {
    const size = little(bytes, at + 4, 4);
    const data = bytes.subarray(at + 8, at + 8 + size);
    if (is(bytes, at, "ICCP")) profile = data.slice();
    if (is(bytes, at, "EXIF")) exif = turns(data);
    at += 8 + size + (size & 1);
  }
  return { profile, odd: exif };
}

/** Whether EXIF says that a picture is stored turned or mirrored. */
function turns(bytes) {
  const start = is(bytes, 0, "Exif") ? 6 : 0;
  const number = is(bytes, start, "II") ? little : big;
  const first = start + number(bytes, start + 4, 4);
  for (let n = 0; n < number(bytes, first, 2); n++) {
    const entry = first + 2 + 12 * n;
    if (number(bytes, entry, 2) === 0x0112) return number(bytes, entry + 8, 2) > 1;
  }
  return false;
}

/** The profile in a HEIC or an AVIF: in a box of its own, somewhere before the pixels. */
function heif(bytes) {
  for (let at = bytes.indexOf(0x63); at >= 0; at = bytes.indexOf(0x63, at + 1)) {
    if (is(bytes, at, "colrprof")) return bytes.slice(at + 8, at - 4 + big(bytes, at - 4, 4));
  }
  return null;
}

function joined(parts) {
  if (!parts.length) return null;
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  parts.reduce((at, part) => (whole.set(part, at), at + part.length), 0);
  return whole;
}
