import { make, show } from "./view.js";
import { word } from "./words.js";

const PICTURES = ["image/png", "image/jpeg", "image/gif", "image/webp", "image/bmp"];
const WIDGET = "application/vnd.jupyter.widget-view+json";

/** One output of a cell or of an Output widget as `{ el, part }`; null for what has no looks. */
export function draw(output, manager) {
  const type = output.output_type;
  if (type === "stream") return output.name === "stderr" ? null : framed(plain(output.text));
  if (type === "error") return framed(words("p", word("output_failed"), "kezako-error"));
  if (type === "display_data" || type === "execute_result") {
    return bundle(output.data, output.metadata ?? {}, manager);
  }
  return null;
}

function bundle(data, metadata, manager) {
  if (WIDGET in data) {
    const model = manager.models.get(data[WIDGET].model_id);
    const part = model && show(model);
    return part ? { ...framed(part.el), part } : null;
  }
  if ("text/html" in data) {
    const html = make("div", "jp-RenderedHTMLCommon");
    html.innerHTML = joined(data["text/html"]);
    return framed(html);
  }
  if ("image/svg+xml" in data) {
    const svg = encodeURIComponent(joined(data["image/svg+xml"]));
    return picture(`data:image/svg+xml,${svg}`, metadata["image/svg+xml"]);
  }
  const type = PICTURES.find((name) => name in data);
  if (type) return picture(`data:${type};base64,${joined(data[type])}`, metadata[type]);
  for (const name of ["text/markdown", "text/latex", "text/plain"]) {
    if (name in data) return framed(plain(joined(data[name])));
  }
  return null;
}

function picture(address, settings = {}) {
  const image = make("img");
  image.src = address;
  image.alt = settings.alt ?? "";
  if (settings.width) image.width = settings.width;
  if (settings.height) image.height = settings.height;
  const { el } = framed(image);
  el.firstChild.classList.add("jp-RenderedImage");
  return { el };
}

function framed(content) {
  const el = make("div", "jp-OutputArea-child");
  const frame = el.appendChild(make("div", "jp-OutputArea-output"));
  frame.append(content);
  return { el };
}

function plain(text) {
  return words("pre", joined(text).replace(/\x1b\[[0-9;]*[A-Za-z]/g, ""));
}

function words(tag, text, ...classes) {
  const element = make(tag, ...classes);
  element.textContent = text;
  return element;
}

function joined(text) {
  return Array.isArray(text) ? text.join("") : String(text);
}
