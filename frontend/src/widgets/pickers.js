import { Described, make } from "../view.js";
import { views } from "../views.js";

const two = (number) => String(Math.floor(number)).padStart(2, "0");
const four = (number) => String(number).padStart(4, "0");

// A moment is a dictionary of numbers; its month counts from nought.
const dateText = ({ year, month, date }) => `${four(year)}-${two(month + 1)}-${two(date)}`;
const timeText = ({ hours, minutes, seconds }) =>
  `${two(hours)}:${two(minutes)}${seconds ? `:${two(seconds)}` : ""}`;

function readDate(text) {
  const [year, month, date] = text.split("-").map(Number);
  return { year, month: month - 1, date };
}

function readTime(text) {
  const [hours, minutes, seconds = 0] = text.split(":").map(Number);
  return { hours, minutes, seconds: Math.floor(seconds), milliseconds: 0 };
}

/** A field for a moment; nothing chosen is null. */
class Picker extends Described {
  build() {
    super.build();
    this.field = this.control("input", this.constructor.kind);
    this.field.addEventListener("change", () => {
      const { value } = this.field;
      this.model.save({ value: value ? this.read(value) : null });
    });
  }

  update(names) {
    super.update(names);
    for (const name of ["value", "min", "max"]) {
      const moment = this.get(name);
      this.field[name] = moment ? this.text(moment) : "";
    }
    this.field.step = this.get("step") ?? "any";
  }
}

class DatePicker extends Picker {
  static classes = ["widget-inline-hbox", "widget-datepicker"];
  static kind = "date";
}

class TimePicker extends Picker {
  static classes = ["widget-inline-hbox", "widget-timepicker"];
  static kind = "time";
}

class NaivePicker extends Picker {
  static classes = ["widget-inline-hbox", "widget-datetimepicker"];
  static kind = "datetime-local";
}

/** Travels in UTC and is shown in the visitor's own time. */
class DatetimePicker extends NaivePicker {}

DatePicker.prototype.text = dateText;
DatePicker.prototype.read = readDate;
TimePicker.prototype.text = timeText;
TimePicker.prototype.read = readTime;
NaivePicker.prototype.text = (moment) => `${dateText(moment)}T${timeText(moment)}`;
NaivePicker.prototype.read = (text) => {
  const [date, time] = text.split("T");
  return { ...readDate(date), ...readTime(time) };
};
DatetimePicker.prototype.text = ({ year, month, date, hours, minutes, seconds }) => {
  const utc = new Date(Date.UTC(year, month, date, hours, minutes, seconds));
  const local = new Date(utc - 60_000 * utc.getTimezoneOffset());
  return local.toISOString().slice(0, seconds ? 19 : 16);
};
DatetimePicker.prototype.read = (text) => {
  const utc = new Date(text).toISOString();
  return { ...readDate(utc.slice(0, 10)), ...readTime(utc.slice(11, 19)) };
};

class ColorPicker extends Described {
  static classes = ["widget-inline-hbox", "widget-colorpicker"];

  build() {
    super.build();
    this.name = this.control("input", "text");
    this.name.classList.add("widget-colorpicker-input");
    this.wheel = this.control("input", "color");
    this.name.addEventListener("change", () => this.model.save({ value: this.name.value }));
    this.wheel.addEventListener("change", () => this.model.save({ value: this.wheel.value }));
  }

  describe() {
    super.describe();
    this.name.ariaLabel = `${this.get("description") || "Colour"}, as text`;
  }

  update(names) {
    super.update(names);
    this.name.value = this.get("value");
    this.name.hidden = Boolean(this.get("concise"));
    this.wheel.value = hex(this.get("value"));
  }
}

/** Any CSS colour as `#rrggbb`, which is all that a colour field takes. */
export function hex(color) {
  const pen = make("canvas").getContext("2d");
  pen.fillStyle = color;
  return /^#[0-9a-f]{6}$/.test(pen.fillStyle) ? pen.fillStyle : "#000000";
}

views
  .set("DatePickerView", DatePicker)
  .set("TimeView", TimePicker)
  .set("DatetimeView", DatetimePicker)
  .set("NaiveDatetimeView", NaivePicker)
  .set("ColorPickerView", ColorPicker);
