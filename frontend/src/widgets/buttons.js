import { icon } from "../icons.js";
import { View } from "../view.js";
import { views } from "../views.js";
import { Upload } from "./upload.js";

const CHOOSER = "kezako-chooser"; // the class of a button that asks for another photo

/** A button; its name is its description, else its tooltip, else its icon's. */
export class Button extends View {
  static tag = "button";
  static classes = ["jupyter-button", "widget-button"];

  build() {
    this.el.type = "button";
    this.el.addEventListener("click", () => this.press());
  }

  press() {
    const upload = this.el.classList.contains(CHOOSER) ? Upload.first : null;
    if (upload) upload.another();
    else this.model.send({ event: "click" });
  }

  update() {
    const { el } = this;
    // A browser takes the focus from what is disabled; it comes back with the button.
    if (this.get("disabled")) this.focused ||= document.activeElement === el;
    else if (this.focused) {
      this.focused = false;
      queueMicrotask(() => document.activeElement === document.body && el.focus({ preventScroll: true }));
    }
    const description = this.get("description");
    const tooltip = this.get("tooltip");
    el.disabled = Boolean(this.get("disabled"));
    el.replaceChildren(...[icon(this.get("icon")), description].filter(Boolean));
    if (tooltip) el.title = tooltip;
    else el.removeAttribute("title");
    if (description) el.removeAttribute("aria-label");
    else el.setAttribute("aria-label", tooltip || this.get("icon") || "Button");
    if (this.get("tabbable") === false) el.tabIndex = -1;
    else el.removeAttribute("tabindex");
    this.mod(this.get("button_style"));
  }
}

class Toggle extends Button {
  static classes = ["jupyter-button", "widget-toggle-button"];

  press() {
    this.model.save({ value: !this.get("value") });
  }

  update() {
    super.update();
    this.el.classList.toggle("mod-active", this.get("value"));
    this.el.setAttribute("aria-pressed", this.get("value"));
    if (!this.el.childNodes.length) this.el.append("\xa0");
  }
}

views.set("ButtonView", Button).set("ToggleButtonView", Toggle);
