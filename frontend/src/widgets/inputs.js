import { Described, make, unique } from "../view.js";
import { views } from "../views.js";

/** A field that is typed into. */
class Field extends Described {
  static kind = "text";
  static element = "input";

  build() {
    super.build();
    this.field = this.control(this.constructor.element, this.constructor.kind);
    this.field.classList.add("widget-input");
    this.field.addEventListener("input", () => this.get("continuous_update") && this.commit());
    this.field.addEventListener("change", () => this.commit());
    this.field.addEventListener("keydown", ({ key }) => key === "Enter" && this.enter());
  }

  get dressed() {
    return this.field;
  }

  enter() {
    this.commit();
    this.model.send({ event: "submit" });
  }

  commit() {
    const value = this.parse(this.field.value);
    if (value !== undefined && value !== this.get("value")) this.model.save({ value });
  }

  /** What was typed as a value; undefined for what is none. */
  parse(text) {
    return text;
  }

  update(names) {
    super.update(names);
    this.field.placeholder = this.get("placeholder") ?? "";
    const value = String(this.get("value") ?? "");
    // Who is typing "1." shall not find "1" there.
    if (names.has("value") && String(this.parse(this.field.value)) !== value) {
      this.field.value = value;
    }
  }
}

class Text extends Field {
  static classes = ["widget-inline-hbox", "widget-text"];
}

class Password extends Text {
  static kind = "password";
}

class Area extends Field {
  static classes = ["widget-inline-hbox", "widget-textarea"];
  static element = "textarea";
  static kind = "";

  enter() {}

  update(names) {
    super.update(names);
    this.field.rows = this.get("rows") ?? 4;
  }
}

class Combobox extends Text {
  build() {
    super.build();
    this.list = this.el.appendChild(make("datalist"));
    this.list.id = unique();
    this.field.setAttribute("list", this.list.id);
  }

  parse(text) {
    const fine = !this.get("ensure_option") || this.get("options").includes(text);
    this.field.setAttribute("aria-invalid", !fine);
    return fine ? text : undefined;
  }

  update(names) {
    super.update(names);
    if (names.has("options")) {
      this.list.replaceChildren(...this.get("options").map((name) => new Option(name)));
    }
  }
}

class Int extends Field {
  static classes = ["widget-inline-hbox", "widget-text"];
  static kind = "number";

  parse(text) {
    const value = this.number(text);
    if (text.trim() === "" || !Number.isFinite(value)) return undefined;
    const { min, max } = this.bounds();
    return Math.min(Math.max(value, min), max);
  }

  number(text) {
    return Math.round(Number(text));
  }

  bounds() {
    return { min: this.get("min") ?? -Infinity, max: this.get("max") ?? Infinity };
  }

  // A number half typed is brought into its bounds when the field is left, not before.
  commit() {
    super.commit();
    if (document.activeElement !== this.field) this.field.value = this.get("value");
  }

  update(names) {
    super.update(names);
    this.field.step = this.get("step") ?? this.constructor.step ?? 1;
    for (const bound of ["min", "max"]) {
      const value = this.get(bound);
      if (Number.isFinite(value)) this.field[bound] = value;
      else this.field.removeAttribute(bound);
    }
  }
}

class Float extends Int {
  static step = "any";

  number(text) {
    return Number(text);
  }
}

views
  .set("TextView", Text)
  .set("PasswordView", Password)
  .set("TextareaView", Area)
  .set("ComboboxView", Combobox)
  .set("IntTextView", Int)
  .set("FloatTextView", Float);
