import { blankLocations } from "./location.js";

const LONGEST = 1024; // pixels of the longest side: four times what a classifier looks at
const QUALITY = 0.9;
const SMALL = 300_000; // bytes of a picture that is small enough as it is

/**
 * A chosen file as a FileUpload takes it: `{ name, type, size, last_modified, content }`.
 *
 * A large photo that the browser can decode becomes a JPEG of at most 1024 pixels, upright, without
 * what the camera wrote beside the pixels; any other stays as it is, but for a place that it names.
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
