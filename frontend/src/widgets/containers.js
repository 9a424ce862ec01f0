import { make, show, unique } from "../view.js";
import { views } from "../views.js";
import { Box } from "./boxes.js";

/** Its children under titles, one of them open. */
class Titled extends Box {
  update(names) {
    if (names.has("children") || names.has("titles")) this.rebuild();
    this.open(this.get("selected_index"));
  }

  get titles() {
    return this.get("children").map((_, i) => this.get("titles")[i] || String(i + 1));
  }

  rebuild() {
    for (const part of this.parts.splice(0)) part.remove();
    this.heads = [];
    this.panels = this.get("children").map((child) => {
      const panel = make("div");
      panel.id = unique();
      const part = show(this.manager.refer(child));
      if (part) {
        this.parts.push(part);
        panel.append(part.el);
      }
      return panel;
    });
    this.frame();
  }

  select(index) {
    this.model.save({ selected_index: index });
  }
}

class Tab extends Titled {
  static classes = ["widget-container", "widget-tab"];

  frame() {
    const bar = make("div", "kezako-tabs");
    bar.role = "tablist";
    this.heads = this.titles.map((title, i) => {
      const head = bar.appendChild(make("button", "kezako-tab"));
      head.type = "button";
      head.role = "tab";
      head.id = unique();
      head.textContent = title;
      head.setAttribute("aria-controls", this.panels[i].id);
      head.addEventListener("click", () => this.select(i));
      head.addEventListener("keydown", (event) => this.step(event, i));
      return head;
    });
    this.panels.forEach((panel, i) => {
      panel.classList.add("widget-tab-contents");
      panel.role = "tabpanel";
      panel.setAttribute("aria-labelledby", this.heads[i].id);
    });
    this.el.replaceChildren(bar, ...this.panels);
  }

  step(event, index) {
    const count = this.heads.length;
    const next = { ArrowRight: index + 1, ArrowLeft: index - 1 + count, Home: 0, End: count - 1 };
    if (!(event.key in next)) return;
    event.preventDefault();
    const chosen = next[event.key] % count;
    this.select(chosen);
    this.heads[chosen].focus();
  }

  open(index) {
    this.heads.forEach((head, i) => {
      head.ariaSelected = i === index;
      head.tabIndex = i === (index ?? 0) ? 0 : -1;
      this.panels[i].hidden = i !== index;
    });
  }
}

class Accordion extends Titled {
  static classes = ["widget-container", "jupyter-widget-Accordion"];

  frame() {
    const folds = this.panels.map((panel, i) => {
      const fold = make("div", "jupyter-widget-Collapse");
      const head = fold.appendChild(make("button", "jupyter-widget-Collapse-header"));
      head.type = "button";
      head.textContent = this.titles[i];
      head.setAttribute("aria-controls", panel.id);
      head.addEventListener("click", () => this.select(this.get("selected_index") === i ? null : i));
      panel.classList.add("jupyter-widget-Collapse-contents");
      fold.append(panel);
      this.heads.push(head);
      return fold;
    });
    this.el.replaceChildren(...folds);
  }

  open(index) {
    this.heads.forEach((head, i) => {
      head.ariaExpanded = i === index;
      head.parentNode.classList.toggle("jupyter-widget-Collapse-open", i === index);
      this.panels[i].hidden = i !== index;
    });
  }
}

views.set("TabView", Tab).set("AccordionView", Accordion);
