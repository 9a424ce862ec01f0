/**
 * A white canvas of `width` x `height` pixels, as the context to draw with.
 *
 * Throws where the browser hands out noise instead of what was drawn, against fingerprinting.
 */
export function whiteCanvas(width, height) {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const pen = canvas.getContext("2d");
  pen.fillStyle = "#fff";
  pen.fillRect(0, 0, width, height);
  const { data } = pen.getImageData(0, 0, Math.min(width, 8), 1);
  if (data.some((value) => value < 250)) throw new Error("This browser changes what is drawn.");
  pen.imageSmoothingQuality = "high";
  return pen;
}

/** What was drawn, as a Blob of `type`; `quality` from 0 to 1. */
export function encoded({ canvas }, type, quality) {
  return new Promise((resolve, reject) => {
    const take = (blob) => (blob ? resolve(blob) : reject(new Error("Nothing was encoded.")));
    canvas.toBlob(take, type, quality);
  });
}
