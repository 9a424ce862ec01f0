import { format } from "../format.js";
import { Described, make } from "../view.js";
import { views } from "../views.js";

/** One handle, or two, on a line; positions are what the handles say, values what the model has. */
class Slider extends Described {
  static classes = ["widget-inline-hbox", "widget-slider", "widget-hslider"];
  static handles = 1;

  build() {
    super.build();
    this.line = make("div", "slider-container");
    this.handles = Array.from({ length: this.constructor.handles }, () => {
      const handle = this.control("input", "range");
      handle.addEventListener("input", () => this.move(handle, this.get("continuous_update")));
      handle.addEventListener("change", () => this.move(handle, true));
      return handle;
    });
    this.line.append(...this.handles);
    this.readout = make("input", "widget-readout");
    this.readout.addEventListener("change", () => this.type());
    this.el.append(this.line, this.readout);
  }

  describe() {
    super.describe();
    const name = this.get("description") || this.nameless;
    const ends = ["from", "to"];
    this.handles.forEach((handle, i) => {
      handle.setAttribute("aria-label", this.handles.length > 1 ? `${name}, ${ends[i]}` : name);
    });
    this.readout.setAttribute("aria-label", `${name}, as text`);
  }

  limits() {
    const { min, max, step } = this.model.state;
    return { min, max, step: step ?? "any" };
  }

  positions() {
    return [this.get("value")].flat();
  }

  /** The attributes for `positions`. */
  changes(positions) {
    return { value: this.handles.length > 1 ? positions : positions[0] };
  }

  written(position) {
    return format(this.get("readout_format"))(position);
  }

  /** The position that `text` stands for; NaN if none. */
  parsed(text) {
    return Number(text.replaceAll(",", ""));
  }

  move(handle, keep) {
    const positions = this.handles.map(({ value }) => Number(value));
    const [low, high] = positions;
    if (high !== undefined && low > high) {
      positions.fill(handle === this.handles[0] ? high : low);
      handle.value = positions[0];
    }
    this.read(positions);
    if (keep) this.model.save(this.changes(positions));
  }

  type() {
    const { min, max } = this.limits();
    const words = this.handles.length > 1 ? this.readout.value.split(/\s*[–:]\s*|\s+-\s+/) : [this.readout.value];
    const positions = words.map((word) => Math.min(Math.max(this.parsed(word), min), max));
    const fine = positions.length === this.handles.length && !positions.some(Number.isNaN);
    if (fine && !(positions[0] > positions[1])) this.model.save(this.changes(positions));
    this.read(this.positions());
  }

  read(positions) {
    this.readout.value = positions.map((position) => this.written(position)).join(" – ");
    this.readout.size = Math.max(3, this.readout.value.length);
    positions.forEach((position, i) =>
      this.handles[i].setAttribute("aria-valuetext", this.written(position)),
    );
  }

  update(names) {
    super.update(names);
    const vertical = this.get("orientation") === "vertical";
    this.el.classList.toggle("widget-vslider", vertical);
    this.el.classList.toggle("widget-hslider", !vertical);
    this.readout.hidden = !this.get("readout");
    this.readout.disabled = Boolean(this.get("disabled"));
    const positions = this.positions();
    this.handles.forEach((handle, i) => {
      Object.assign(handle, this.limits());
      handle.value = positions[i];
    });
    this.read(positions);
  }

  dress() {
    super.dress();
    this.line.style.accentColor = this.model.follow("style")?.get("handle_color") ?? "";
  }
}

class Range extends Slider {
  static handles = 2;
  static classes = [...Slider.classes, "kezako-range"];
}

class Log extends Slider {
  positions() {
    return [Math.log(this.get("value")) / Math.log(this.get("base"))];
  }

  changes([position]) {
    return { value: this.get("base") ** position };
  }

  written(position) {
    return super.written(this.get("base") ** position);
  }

  parsed(text) {
    return Math.log(super.parsed(text)) / Math.log(this.get("base"));
  }
}

const chosen = (Base) =>
  class extends Base {
    limits() {
      return { min: 0, max: this.get("_options_labels").length - 1, step: 1 };
    }

    positions() {
      return [this.get("index") ?? 0].flat();
    }

    changes(positions) {
      return { index: this.handles.length > 1 ? positions : positions[0] };
    }

    written(position) {
      return this.get("_options_labels")[position] ?? "";
    }

    parsed(text) {
      const index = this.get("_options_labels").indexOf(text.trim());
      return index < 0 ? NaN : index;
    }
  };

views
  .set("IntSliderView", Slider)
  .set("FloatSliderView", Slider)
  .set("IntRangeSliderView", Range)
  .set("FloatRangeSliderView", Range)
  .set("FloatLogSliderView", Log)
  .set("SelectionSliderView", chosen(Slider))
  .set("SelectionRangeSliderView", chosen(Range));
