import { View, show } from "../view.js";
import { views } from "../views.js";

const ALERTS = ["success", "info", "warning", "danger"];

/** Widgets beside, above or around one another. */
export class Box extends View {
  static classes = ["widget-container", "widget-box"];

  update(names) {
    if (names.has("children")) this.arrange(this.shown(), this.el);
    if (names.has("box_style")) {
      for (const name of ALERTS) {
        this.el.classList.toggle(`alert-${name}`, name === this.get("box_style"));
      }
    }
    if (names.has("selected_index") && !names.has("children")) this.arrange(this.shown(), this.el);
  }

  /** The models to show, in order. */
  shown() {
    return this.get("children").map((child) => this.manager.refer(child));
  }

  /** Show `models` in `place`; a view that is there already stays, with its focus. */
  arrange(models, place) {
    const old = this.parts;
    this.parts = models.flatMap((model) => {
      const kept = old.findIndex((part) => part.model === model);
      return (kept < 0 ? show(model) : old.splice(kept, 1)[0]) ?? [];
    });
    for (const part of old) part.remove();
    this.parts.forEach((part, i) => {
      if (place.children[i] !== part.el) place.insertBefore(part.el, place.children[i] ?? null);
    });
  }
}

class VBox extends Box {
  static classes = [...Box.classes, "widget-vbox"];
}

class HBox extends Box {
  static classes = [...Box.classes, "widget-hbox"];
}

class GridBox extends Box {
  static classes = ["widget-container", "widget-gridbox"];
}

/** One of its children at a time. */
class Stack extends Box {
  shown() {
    const child = this.get("children")[this.get("selected_index")];
    return child ? [this.manager.refer(child)] : [];
  }
}

views
  .set("BoxView", Box)
  .set("VBoxView", VBox)
  .set("HBoxView", HBox)
  .set("GridBoxView", GridBox)
  .set("StackView", Stack);
