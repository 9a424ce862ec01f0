import { icon } from "../icons.js";
import { Described, make } from "../view.js";
import { views } from "../views.js";

class Progress extends Described {
  static classes = ["widget-inline-hbox", "widget-hprogress"];

  build() {
    super.build();
    this.track = this.el.appendChild(make("div", "progress"));
    this.track.role = "progressbar";
    this.track.setAttribute("aria-labelledby", this.label.id);
    this.bar = this.track.appendChild(make("div", "progress-bar"));
    this.controls = [this.track];
  }

  update() {
    const { min, max, value, orientation, bar_style } = this.model.state;
    const share = max > min ? Math.min(Math.max((value - min) / (max - min), 0), 1) : 0;
    const vertical = orientation === "vertical";
    this.el.classList.toggle("widget-vprogress", vertical);
    this.el.classList.toggle("widget-hprogress", !vertical);
    this.bar.style.width = vertical ? "100%" : `${100 * share}%`;
    this.bar.style.height = vertical ? `${100 * share}%` : "100%";
    this.track.ariaValueMin = min;
    this.track.ariaValueMax = max;
    this.track.ariaValueNow = value;
    this.mod(bar_style, this.bar);
  }

  dress() {
    super.dress();
    this.bar.style.background = this.model.follow("style")?.get("bar_color") ?? "";
  }
}

class Valid extends Described {
  static classes = ["widget-inline-hbox", "widget-valid"];

  build() {
    super.build();
    this.readout = this.el.appendChild(make("span", "widget-valid-readout", "widget-readout"));
  }

  update() {
    const valid = Boolean(this.get("value"));
    this.el.classList.toggle("mod-valid", valid);
    this.el.classList.toggle("mod-invalid", !valid);
    const sign = icon(valid ? "check" : "times");
    sign.removeAttribute("aria-hidden");
    sign.role = "img";
    sign.ariaLabel = valid ? "Valid" : "Invalid";
    this.readout.replaceChildren(sign, valid ? "" : this.get("readout"));
  }
}

views.set("ProgressView", Progress).set("ValidView", Valid);
