import { icon } from "../icons.js";
import { Described, make, unique } from "../view.js";
import { views } from "../views.js";
import { Dropdown } from "./choices.js";

class Select extends Dropdown {
  static classes = ["widget-inline-hbox", "widget-select"];

  update(names) {
    super.update(names);
    this.list.size = Math.max(2, this.get("rows") ?? 2);
  }
}

class Multiple extends Select {
  static classes = ["widget-inline-hbox", "widget-select", "widget-select-multiple"];

  build() {
    super.build();
    this.list.multiple = true;
  }

  choose() {
    this.model.save({ index: [...this.list.selectedOptions].map((option) => option.index) });
  }

  update(names) {
    super.update(names);
    const index = this.get("index") ?? [];
    [...this.list.options].forEach((option, i) => (option.selected = index.includes(i)));
  }
}

/** Several controls of which one is chosen. */
class Group extends Described {
  build() {
    super.build();
    this.group = this.el.appendChild(make("div", ...this.constructor.group));
    this.group.role = this.constructor.role;
    this.group.setAttribute("aria-labelledby", this.label.id);
    this.controls = [this.group];
  }

  update(names) {
    if (["_options_labels", "tooltips", "icons"].some((name) => names.has(name))) {
      this.items = this.get("_options_labels").map((name, i) => this.item(name, i));
    }
    this.items.forEach((item, i) => {
      item.disabled = Boolean(this.get("disabled"));
      this.choose(item, this.get("index") === i);
    });
  }
}

class Radios extends Group {
  static classes = ["widget-inline-hbox", "widget-radio"];
  static group = ["widget-radio-box"];
  static role = "radiogroup";

  update(names) {
    if (names.has("_options_labels")) this.group.replaceChildren();
    this.name ??= unique();
    super.update(names);
    this.group.classList.toggle(
      "widget-radio-box-horizontal",
      this.get("orientation") === "horizontal",
    );
  }

  item(name, index) {
    const label = this.group.appendChild(make("label"));
    const radio = label.appendChild(make("input"));
    radio.type = "radio";
    radio.name = this.name;
    radio.addEventListener("change", () => this.model.save({ index }));
    label.append(name);
    return radio;
  }

  choose(radio, chosen) {
    radio.checked = chosen;
  }
}

class Toggles extends Group {
  static classes = ["widget-inline-hbox", "widget-toggle-buttons"];
  static group = ["kezako-toggles"];
  static role = "group";

  update(names) {
    if (["_options_labels", "tooltips", "icons"].some((name) => names.has(name))) {
      this.group.replaceChildren();
    }
    super.update(names);
    for (const item of this.items) this.mod(this.get("button_style"), item);
  }

  item(name, index) {
    const button = this.group.appendChild(make("button", "jupyter-button", "widget-toggle-button"));
    button.type = "button";
    button.title = this.get("tooltips")?.[index] ?? "";
    button.append(...[icon(this.get("icons")?.[index]), name].filter(Boolean));
    button.addEventListener("click", () => this.model.save({ index }));
    return button;
  }

  choose(button, chosen) {
    button.classList.toggle("mod-active", chosen);
    button.ariaPressed = chosen;
  }

  dress() {
    super.dress();
    const style = this.model.follow("style");
    for (const item of this.items ?? []) {
      item.style.width = style?.get("button_width") || "";
      item.style.fontWeight = style?.get("font_weight") || "";
    }
  }
}

views
  .set("SelectView", Select)
  .set("SelectMultipleView", Multiple)
  .set("RadioButtonsView", Radios)
  .set("ToggleButtonsView", Toggles);
