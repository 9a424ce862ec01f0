// Fetched with the first large photo, and the script of the worker that shrinks it, too: so it
// imports nothing that the page does.
import { described, isOfColours, withProfile } from "./profile.js";
import { BICUBIC, resized } from "./resize.js";

// Four times what a classifier looks at. It shrinks the photo again, by BILINEAR: after BICUBIC,
// which does not blur, it sees nearly what it would see of the whole photo; after BILINEAR, less.
const LONGEST = 1024; // pixels
const FINE = 0.95; // the JPEG's quality where it has at most LIGHT bytes
const COARSE = 0.9;
const LIGHT = 250_000; // 1.3 seconds of a slow phone's link
const HEAD = 4_000_000; // bytes before a file's pixels: a profile of ink has up to 3 MB
const OPEN = { imageOrientation: "from-image", premultiplyAlpha: "none" };

/**
 * The photo `file` as a JPEG of at most 1024 pixels, upright, on white, with its colour profile and
 * nothing else that the camera wrote beside the pixels. Null where the file had better travel as it
 * is: the browser cannot make one, or reads it otherwise than the server, and it has at most `limit`
 * bytes.
 */
export async function shrunk(file, limit) {
  const { profile, odd } = await head(file);
  if (odd && file.size <= limit) return null;
  const small = (await inWorker(file, profile)) ?? (await made(file, profile));
  return small && small.size < file.size ? small : null;
}

/** Whether the browser reads the picture `file` otherwise than the server. */
export async function isOdd(file) {
  return (await head(file)).odd;
}

const heads = new WeakMap(); // a file is asked about twice: to shrink it, and to show it

function head(file) {
  const read = async () => described(new Uint8Array(await file.slice(0, HEAD).arrayBuffer()));
  if (!heads.has(file)) heads.set(file, read());
  return heads.get(file);
}

/** What `made` makes, beside the page; null where the browser has no such worker. */
function inWorker(file, profile) {
  if (!globalThis.OffscreenCanvas || !globalThis.Worker) return null;
  return new Promise((resolve) => {
    const worker = new Worker(import.meta.url, { type: "module" });
    const end = (blob) => {
      worker.terminate();
      resolve(blob);
    };
    worker.addEventListener("message", ({ data }) => end(data));
    worker.addEventListener("error", () => end(null));
    worker.postMessage({ file, profile });
  });
}

if (!globalThis.document) {
  addEventListener("message", async ({ data: { file, profile } }) => {
    postMessage(await made(file, profile).catch(() => null));
  });
}

async function made(file, profile) {
  if (!honest()) return null;
  const keeps = !profile || (isOfColours(profile) && (await leavesAlone(profile)));
  const image = await decoded(file, keeps ? "none" : "default");
  if (!image) return null;
  try {
    const from = [image.width, image.height];
    const factor = Math.min(1, LONGEST / Math.max(...from));
    const to = from.map((side) => Math.max(1, Math.round(side * factor)));
    const pixels = await resized(reader(image), from, to, BICUBIC, globalThis.document && aMoment);
    const { canvas } = withPixels(new ImageData(pixels, ...to));
    const fine = await encoded(canvas, FINE);
    const blob = fine?.size > LIGHT ? await encoded(canvas, COARSE) : fine;
    // A photo drawn by an element is in sRGB already.
    return blob && withProfile(blob, image.close && keeps ? profile : null);
  } finally {
    image.close?.();
  }
}

const aMoment = () => new Promise((resolve) => setTimeout(resolve));

async function decoded(file, colorSpaceConversion) {
  try {
    return await createImageBitmap(file, { ...OPEN, colorSpaceConversion });
  } catch {
    return globalThis.document ? throughElement(file) : null; // Safari opens HEIC only so
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

function penOf(width, height) {
  const canvas = globalThis.document
    ? Object.assign(document.createElement("canvas"), { width, height })
    : new OffscreenCanvas(width, height);
  // The processor's memory, from which pixels are read.
  return canvas.getContext("2d", { willReadFrequently: true });
}

/** Gives rows of `image`; what is transparent is white to the classifier. */
function reader(image) {
  let pen = null;
  return (top, rows) => {
    if (pen?.canvas.height !== rows) pen = penOf(image.width, rows);
    pen.imageSmoothingEnabled = false;
    pen.fillStyle = "#fff";
    pen.fillRect(0, 0, image.width, rows);
    pen.drawImage(image, 0, top, image.width, rows, 0, 0, image.width, rows);
    return pen.getImageData(0, 0, image.width, rows).data;
  };
}

async function encoded(canvas, quality) {
  const type = "image/jpeg";
  if (canvas.convertToBlob) return canvas.convertToBlob({ type, quality });
  return new Promise((resolve) => canvas.toBlob(resolve, type, quality));
}

function withPixels(pixels) {
  const pen = penOf(pixels.width, pixels.height);
  pen.putImageData(pixels, 0, 0);
  return pen;
}

/** Browsers set against fingerprinting hand out noise instead of what was drawn. */
function honest() {
  const colours = someColours();
  const read = withPixels(colours).getImageData(0, 0, colours.width, colours.height).data;
  return read.every((value, i) => value === colours.data[i]);
}

/** Whether this browser can decode a picture without applying its profile; not each one can. */
async function leavesAlone(profile) {
  const plain = await withProfile(await encoded(withPixels(someColours()).canvas, FINE), null);
  const values = [];
  for (const blob of [plain, await withProfile(plain, profile)]) {
    const image = await decoded(blob, "none");
    values.push(reader(image)(0, image.height));
    image.close?.();
  }
  return values[0].every((value, i) => value === values[1][i]);
}

/** Bright, dull and grey ones, in squares that a JPEG keeps apart. */
function someColours() {
  const side = 64;
  const pixels = new ImageData(side, side);
  for (let i = 0; i < side * side; i++) {
    const [x, y] = [i % side >> 4, i >> 10];
    pixels.data.set([85 * x, 85 * y, 255 - 42 * (x + y), 255], 4 * i);
  }
  return pixels;
}
