import { View } from "../view.js";
import { views } from "../views.js";

/** An element that plays or shows the bytes of `value`. */
export class Media extends View {
  update(names) {
    if (names.has("value") || names.has("format")) this.load();
    for (const side of ["width", "height"]) {
      const size = this.get(side);
      if (size) this.el.setAttribute(side, size);
      else this.el.removeAttribute(side);
    }
  }

  load() {
    const format = this.get("format");
    const value = this.get("value");
    URL.revokeObjectURL(this.address);
    this.address = undefined;
    this.el.removeAttribute("src");
    if (!value?.byteLength) return; // nothing yet is nothing broken
    this.address =
      format === "url"
        ? new TextDecoder().decode(value)
        : URL.createObjectURL(new Blob([value], { type: `${this.constructor.kind}/${format}` }));
    this.el.src = this.address;
  }

  remove() {
    URL.revokeObjectURL(this.address);
    super.remove();
  }
}

class Picture extends Media {
  static tag = "img";
  static kind = "image";
  static classes = ["widget-image"];

  build() {
    this.el.alt = "";
  }

  update(names) {
    super.update(names);
    this.el.alt = this.get("tooltip") ?? "";
    // An empty picture is no broken one.
    this.el.hidden = !this.get("value")?.byteLength;
  }
}

views.set("ImageView", Picture);
