import { icon } from "../icons.js";
import { View, make } from "../view.js";
import { views } from "../views.js";

/** Counts by itself from `min` to `max`. */
class Play extends View {
  static classes = ["widget-inline-hbox", "widget-play"];

  build() {
    this.el.role = "group";
    this.start = this.button("Play", "play", () => this.toggle());
    this.stop = this.button("Stop", "stop", () => {
      this.model.save({ value: this.get("min"), playing: false });
    });
    this.again = this.button("Repeat", "repeat", () => {
      this.model.save({ repeat: !this.get("repeat") });
    });
  }

  button(name, sign, act) {
    const button = this.el.appendChild(make("button", "jupyter-button"));
    button.type = "button";
    button.ariaLabel = button.title = name;
    button.append(icon(sign));
    button.addEventListener("click", act);
    return button;
  }

  toggle() {
    const ended = this.get("value") >= this.get("max");
    this.model.save({
      playing: !this.get("playing"),
      ...(ended && !this.get("playing") ? { value: this.get("min") } : {}),
    });
  }

  update(names) {
    for (const button of this.el.children) button.disabled = Boolean(this.get("disabled"));
    const playing = Boolean(this.get("playing"));
    this.start.replaceChildren(icon(playing ? "pause" : "play"));
    this.start.ariaLabel = this.start.title = playing ? "Pause" : "Play";
    this.again.hidden = !this.get("show_repeat");
    this.again.ariaPressed = Boolean(this.get("repeat"));
    this.again.classList.toggle("mod-active", Boolean(this.get("repeat")));
    if (names.has("playing") || names.has("interval")) this.tick(playing);
  }

  tick(playing) {
    clearInterval(this.clock);
    if (playing) this.clock = setInterval(() => this.step(), this.get("interval"));
  }

  step() {
    const { value, min, max, step, repeat } = this.model.state;
    if (value + step <= max) this.model.save({ value: value + step });
    else if (repeat) this.model.save({ value: min });
    else this.model.save({ playing: false });
  }

  remove() {
    clearInterval(this.clock);
    super.remove();
  }
}

views.set("PlayView", Play);
