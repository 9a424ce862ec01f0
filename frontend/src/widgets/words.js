import { follow } from "../address.js";
import { offerActions } from "../actions.js";
import { Described, make } from "../view.js";
import { views } from "../views.js";

/** A line of text that is read out when it changes. */
class Label extends Described {
  static classes = ["widget-inline-hbox", "widget-label"];

  build() {
    super.build();
    this.el.setAttribute("aria-live", "polite");
  }

  describe() {}

  update(names) {
    if (names.has("value")) this.el.textContent = this.get("value");
  }
}

/** The maker's own HTML. */
class Html extends Described {
  static classes = ["widget-inline-hbox", "widget-html"];

  build() {
    super.build();
    this.content = this.el.appendChild(make("div", "widget-html-content"));
  }

  update(names) {
    if (!names.has("value")) return;
    this.content.innerHTML = this.get("value");
    follow(this.content);
    offerActions(this.content);
  }
}

views.set("LabelView", Label).set("HTMLView", Html).set("HTMLMathView", Html);
