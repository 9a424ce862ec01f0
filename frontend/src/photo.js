import { config } from "./config.js";
import { blankLocations } from "./location.js";

const LONGEST = 1024; // pixels of the longest side: four times what a classifier looks at
const QUALITY = 0.9;
const SMALL = 300_000; // bytes of a picture that is small enough as it is
const HEAD = 4_000_000; // bytes before a JPEG's pixels: a profile of ink has up to 3 MB

/**
 * A chosen file as a FileUpload takes it: `{ name, type, size, last_modified, content }`.
 *
 * A large photo that the browser can decode becomes a JPEG of at most 1024 pixels, upright, its
 * colours converted to sRGB, without what the camera wrote beside the pixels; any other stays as it
 * is, but for a place that it names.
 */
export async function prepared(file) {
  const content = (await shrunk(file)) ?? (await whole(file));
  return {
    name: file.name,
    type: content.type,
    size: content.size,
    last_modified: file.lastModified ?? Date.now(),
    content: await content.arrayBuffer(),
  };
}

async function whole(file) {
  if (!isPicture(file)) return file;
  const bytes = new Uint8Array(await file.arrayBuffer());
  blankLocations(bytes);
  return new Blob([bytes], { type: file.type });
}

/** The smaller JPEG; null where the file is small already, or the browser cannot make one. */
async function shrunk(file) {
  if (!isPicture(file) || file.type === "image/svg+xml") return null;
  if (file.size <= config.uploadLimit && (await isOdd(file))) return null;
  const image = await decoded(file);
  if (!image) return null;
  try {
    const factor = Math.min(1, LONGEST / Math.max(image.width, image.height));
    if (factor === 1 && file.size <= SMALL) return null;
    return await drawn(image, factor);
  } finally {
    image.close?.();
  }
}

function isPicture(file) {
  return file.type.startsWith("image/") || /\.(hei[cf]|jpe?g|png|webp|avif)$/i.test(file.name);
}

/**
 * Whether browsers and the server read it in different ways, so that only one of them is to do it:
 * inks (Chromium loses the black one), 16 bits a colour (whose data may have fewer), any TIFF.
 */
async function isOdd(file) {
  const bytes = new Uint8Array(await file.slice(0, HEAD).arrayBuffer());
  const begins = (...values) => values.every((value, i) => bytes[i] === value);
  if (begins(0x89, 0x50, 0x4e, 0x47)) return bytes[24] === 16; // PNG: bits a colour
  if (begins(0xff, 0xd8)) return inks(bytes);
  return begins(0x49, 0x49, 0x2a, 0) || begins(0x4d, 0x4d, 0, 0x2a);
}

/** Whether a JPEG has four colours, as its frame header says, behind segments of any length. */
function inks(bytes) {
  for (let at = 2; bytes[at] === 0xff; ) {
    const marker = bytes[at + 1];
    if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)) {
      return bytes[at + 9] === 4;
    }
    at += marker === 0xff ? 1 : 2 + 256 * bytes[at + 2] + bytes[at + 3];
  }
  return false;
}

async function decoded(file) {
  try {
    return await createImageBitmap(file, { imageOrientation: "from-image" });
  } catch {
    return throughElement(file); // Safari opens HEIC only so
  }
}

async function throughElement(file) {
  const image = new Image();
  const address = URL.createObjectURL(file);
  try {
    image.src = address;
    await image.decode();
    return image.width && image.height ? image : null;
  } catch {
    return null;
  } finally {
    URL.revokeObjectURL(address);
  }
}

async function drawn(image, factor) {
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(image.width * factor));
  canvas.height = Math.max(1, Math.round(image.height * factor));
  const pen = canvas.getContext("2d");
  pen.imageSmoothingQuality = "high";
  pen.fillStyle = "#fff"; // what is transparent is white to the classifier
  pen.fillRect(0, 0, canvas.width, canvas.height);
  if (!honest(pen)) return null;
  pen.drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", QUALITY));
}

/** Browsers set against fingerprinting hand out noise instead of what was drawn. */
function honest(pen) {
  return pen.getImageData(0, 0, 1, 1).data.every((value) => value === 255);
}
