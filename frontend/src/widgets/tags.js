import { format } from "../format.js";
import { View, make, unique } from "../view.js";
import { views } from "../views.js";

/** A list of values, each with a way to remove it, and a field for more. */
class Tags extends View {
  static classes = ["jupyter-widget-tagsinput"];
  static kind = "text";

  build() {
    this.el.role = "group";
    this.field = make("input", "jupyter-widget-taginput");
    this.field.type = this.constructor.kind;
    this.list = make("datalist");
    this.list.id = unique();
    this.field.setAttribute("list", this.list.id);
    this.field.addEventListener("change", () => this.add(this.field.value));
    this.field.addEventListener("keydown", (event) => {
      if (event.key === "Backspace" && !this.field.value) this.drop(this.get("value").length - 1);
    });
    this.el.append(this.field, this.list);
  }

  /** The value of what was typed; undefined for what is none. */
  parse(text) {
    return text.trim() || undefined;
  }

  written(value) {
    return String(value);
  }

  allows(value) {
    const allowed = this.get("allowed_tags") ?? [];
    const { min, max } = this.model.state;
    return (
      (!allowed.length || allowed.includes(value)) &&
      (this.get("allow_duplicates") || !this.get("value").includes(value)) &&
      !(value < (min ?? -Infinity)) &&
      !(value > (max ?? Infinity))
    );
  }

  add(text) {
    const value = this.parse(text);
    const fine = value !== undefined && this.allows(value);
    this.field.setAttribute("aria-invalid", Boolean(text) && !fine);
    if (!fine) return;
    this.field.value = "";
    this.model.save({ value: [...this.get("value"), value] });
  }

  drop(index) {
    this.model.save({ value: this.get("value").filter((_, i) => i !== index) });
    this.field.focus();
  }

  tag(value, index) {
    const tag = make("span", "jupyter-widget-tag");
    this.mod(this.get("tag_style"), tag);
    const cross = make("button", "jupyter-widget-tag-close");
    cross.type = "button";
    cross.textContent = "✕";
    cross.ariaLabel = `Remove ${this.written(value)}`;
    cross.addEventListener("click", () => this.drop(index));
    tag.append(this.written(value), cross);
    return tag;
  }

  update() {
    this.tags?.forEach((tag) => tag.remove());
    this.tags = this.get("value").map((value, i) => this.tag(value, i));
    this.el.prepend(...this.tags);
    const name = this.get("description") || this.get("tooltip") || "Values";
    this.el.ariaLabel = name;
    this.field.ariaLabel = `Add to ${name}`;
    this.field.placeholder = this.get("placeholder") ?? "";
    const allowed = this.get("allowed_tags") ?? [];
    this.list.replaceChildren(...allowed.map((value) => new Option(String(value))));
  }
}

class Colors extends Tags {
  parse(text) {
    return CSS.supports("color", text.trim()) ? text.trim() : undefined;
  }

  tag(value, index) {
    const tag = super.tag(value, index);
    const patch = make("i", "kezako-patch");
    patch.style.background = value;
    tag.prepend(patch);
    return tag;
  }
}

class Floats extends Tags {
  static kind = "number";

  parse(text) {
    const value = Number(text);
    return text.trim() && Number.isFinite(value) ? value : undefined;
  }

  written(value) {
    return format(this.get("format"))(value);
  }

  update(names) {
    super.update(names);
    this.field.step = "any";
  }
}

class Ints extends Floats {
  parse(text) {
    const value = super.parse(text);
    return Number.isInteger(value) ? value : undefined;
  }
}

views
  .set("TagsInputView", Tags)
  .set("ColorsInputView", Colors)
  .set("FloatsInputView", Floats)
  .set("IntsInputView", Ints);
