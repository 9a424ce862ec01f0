import { Described, make } from "../view.js";
import { views } from "../views.js";

class Checkbox extends Described {
  static classes = ["widget-inline-hbox", "widget-checkbox"];

  build() {
    super.build();
    this.basic = this.el.appendChild(make("label", "widget-label-basic"));
    this.box = this.control("input", "checkbox");
    this.words = make("span");
    this.basic.append(this.box, this.words);
    this.label.removeAttribute("for"); // it only indents; the words beside the box name it
    this.box.addEventListener("change", () => this.model.save({ value: this.box.checked }));
  }

  describe() {
    super.describe();
    this.words.replaceChildren(...this.label.childNodes);
    this.label.textContent = "\u200b";
    this.label.style.display = this.get("indent") ? "" : "none";
  }

  update(names) {
    super.update(names);
    this.box.checked = Boolean(this.get("value"));
    if (names.has("indent")) this.describe();
  }
}

class Dropdown extends Described {
  static classes = ["widget-inline-hbox", "widget-dropdown"];

  build() {
    super.build();
    this.list = this.control("select");
    this.list.addEventListener("change", () => this.choose());
  }

  choose() {
    const index = this.list.selectedIndex;
    this.model.save({ index: index < 0 ? null : index });
  }

  update(names) {
    super.update(names);
    if (names.has("_options_labels")) {
      this.list.replaceChildren(...this.get("_options_labels").map((name) => new Option(name)));
    }
    this.list.selectedIndex = this.get("index") ?? -1;
  }
}

views.set("CheckboxView", Checkbox).set("DropdownView", Dropdown);
export { Dropdown };
