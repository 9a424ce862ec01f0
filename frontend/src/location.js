// A photo that has to travel whole must not tell where it was taken.

const GPS = 0x8825; // EXIF's tag for the place of its GPS entries
const IN_PLACE = 4; // bytes of a value that stands in its entry; a longer one stands elsewhere
const SIZES = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8]; // bytes of each type of value
const MOST = 64; // GPS entries; EXIF knows 32

const ascii = (text) => Uint8Array.from(text, (letter) => letter.charCodeAt(0));
const HEADERS = [
  [ascii("II*\0"), true],
  [ascii("MM\0*"), false],
];
const XMP = ["GPSLatitude", "GPSLongitude", "GPSDestL"].map(ascii);

/** Blank every location that `bytes` of a picture (JPEG, HEIC, TIFF, PNG, WebP…) names. */
export function blankLocations(bytes) {
  for (const [header, little] of HEADERS) {
    for (const start of places(bytes, header)) blankExif(bytes.subarray(start), little);
  }
  for (const word of XMP) {
    for (const start of places(bytes, word)) blankDigits(bytes, start + word.length);
  }
}

function* places(bytes, word) {
  for (let at = bytes.indexOf(word[0]); at >= 0; at = bytes.indexOf(word[0], at + 1)) {
    if (word.every((byte, i) => bytes[at + i] === byte)) yield at;
  }
}

function blankExif(tiff, little) {
  const view = new DataView(tiff.buffer, tiff.byteOffset, tiff.byteLength);
  try {
    for (const entry of entries(view, view.getUint32(4, little), little)) {
      if (view.getUint16(entry, little) !== GPS) continue;
      for (const place of entries(view, view.getUint32(entry + 8, little), little)) {
        const size = SIZES[view.getUint16(place + 2, little)] * view.getUint32(place + 4, little);
        const at = size > IN_PLACE ? view.getUint32(place + 8, little) : place + 8;
        if (at + size <= tiff.length) tiff.fill(0, at, at + size);
      }
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error; // a header by chance, or cut short
  }
}

function* entries(view, start, little) {
  const count = Math.min(view.getUint16(start, little), MOST);
  for (let i = 0; i < count; i++) yield start + 2 + 12 * i;
}

function blankDigits(bytes, start) {
  for (let at = start; at < Math.min(start + 48, bytes.length); at++) {
    if (bytes[at] >= 0x30 && bytes[at] <= 0x39) bytes[at] = 0x30;
  }
}
