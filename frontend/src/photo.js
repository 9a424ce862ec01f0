import { config } from "./config.js";
import { blankLocations } from "./location.js";

const SMALL = 300_000; // bytes of a picture that is small enough as it is

/**
 * A chosen file as a FileUpload takes it: `{ name, type, size, last_modified, content }`.
 *
 * A large photo that the browser can decode becomes a small JPEG of which a classifier says the
 * same (`shrink.js`); any other stays as it is, but for a place that it names.
 */
export async function prepared(file) {
  const content = isPicture(file) ? ((await small(file)) ?? (await whole(file))) : file;
  return {
    name: file.name,
    type: content.type,
    size: content.size,
    last_modified: file.lastModified ?? Date.now(),
    content: await content.arrayBuffer(),
  };
}

/** Whether the browser shows the picture `file` as the server sees it. */
export async function isTrue(file) {
  try {
    const { isOdd } = await import("./shrink.js");
    return isPicture(file) && !(await isOdd(file));
  } catch {
    return true; // the script did not come, and most pictures are
  }
}

function isPicture(file) {
  return file.type.startsWith("image/") || /\.(hei[cf]|jpe?g|png|webp|avif)$/i.test(file.name);
}

async function small(file) {
  if (file.size <= SMALL || file.type === "image/svg+xml") return null;
  try {
    const { shrunk } = await import("./shrink.js");
    return await shrunk(file, config.uploadLimit);
  } catch {
    return null; // the script did not come, or memory is short: the server can do it
  }
}

async function whole(file) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  blankLocations(bytes);
  return new Blob([bytes], { type: file.type });
}
