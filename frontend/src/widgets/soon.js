import { View, show } from "../view.js";
import { views } from "../views.js";

/** Stands where a widget will be once the code of the rarer ones has come. */
class Soon extends View {
  static classes = ["kezako-soon"];

  build() {
    import("../more.js").then(
      () => this.replace(),
      () => this.say("This part of the page could not be loaded. Please reload the page."),
    );
  }

  replace() {
    if (!views.has(this.get("_view_name"))) {
      const name = `${this.get("_model_module")}, ${this.get("_model_name")}`;
      this.say(`This page cannot show this kind of widget (${name}).`);
      return;
    }
    const part = show(this.model);
    this.el.replaceWith(part.el);
    this.el = part.el;
    this.parts = [part];
    for (const stop of this.undo.splice(0)) stop(); // the new view follows the model itself
  }

  say(sentence) {
    this.el.classList.add("kezako-error");
    this.el.textContent = sentence;
  }
}

views.set("SoonView", Soon);
