// Fetched when "Share" is pressed. It imports nothing that the page has loaded already: what two
// parts share becomes a file of its own, which every first visit would have to fetch.
import { encoded } from "./canvas.js";
import { pictureOf } from "./poster.js";

const NAME = "answer.jpg";
const QUALITY = 0.9;

/**
 * Draw photo and answer on show in `page`, and hand the picture to the system's share sheet; where
 * there is none, copy it, or else save it. Nothing leaves the browser otherwise.
 *
 * Resolves to the key of a sentence that says what came of it, or null where nothing has to be said.
 */
export async function share(page) {
  try {
    const shown = await onShow(page);
    return await handOver(pictureOf(shown), shown.title);
  } catch {
    return "share_failed";
  }
}

/** What the visitor sees: `{ photo, headline, sentence, bars, title, address }`. */
async function onShow(page) {
  const text = (selector, root = page) => root.querySelector(selector)?.textContent.trim() ?? "";
  const photo = [...page.querySelectorAll(".kezako-preview img")].find((img) => img.naturalWidth);
  await photo?.decode();
  // Only the open bars: what is folded away is no answer.
  const rows = [...page.querySelectorAll(".kezako-bars .widget-html-content > ul > li")];
  return {
    photo,
    headline: text(":scope > .widget-label"),
    sentence: text(".kezako-bars .widget-html-content > p"),
    bars: rows.slice(0, 3).map((row) => ({
      name: text("span", row),
      percent: text("b", row),
      share: Math.min(1, parseFloat(row.querySelector("i > i")?.style.width) / 100 || 0),
      named: row.classList.contains("kezako-named"),
    })),
    title: text("h1") || document.title,
    address: address(),
  };
}

/** Where this page is, without a Jupyter server's token or anything else that was in its address. */
function address() {
  const model = new URLSearchParams(location.search).get("model");
  const query = model ? `?${new URLSearchParams({ model })}` : "";
  return location.host + location.pathname.replace(/\/$/, "") + query;
}

async function handOver(pen, title) {
  const content = await encoded(pen, "image/jpeg", QUALITY);
  const files = [new File([content], NAME, { type: content.type })];
  if (navigator.canShare?.({ files })) {
    try {
      await navigator.share({ files, title });
      return null;
    } catch (error) {
      if (error.name === "AbortError") return null; // the visitor changed their mind
      // Drawing took longer than a press counts for; the next one will be fast.
      if (navigator.userActivation?.isActive === false) return "share_again";
    }
  }
  try {
    const png = await encoded(pen, "image/png");
    await navigator.clipboard.write([new ClipboardItem({ [png.type]: png })]);
    return "share_copied";
  } catch {
    save(content);
    return "share_saved";
  }
}

function save(content) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = NAME;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000); // the download has begun by then
}
