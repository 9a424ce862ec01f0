import { views } from "./views.js";

const STYLES = {
  background: "background",
  button_color: "background-color",
  font_family: "font-family",
  font_size: "font-size",
  font_style: "font-style",
  font_variant: "font-variant",
  font_weight: "font-weight",
  text_color: "color",
  text_decoration: "text-decoration",
};
const MODS = ["primary", "success", "info", "warning", "danger"];

let count = 0;

/**
 * What shows one model on the page. The class names are those of ipywidgets, so that a notebook's
 * own style sheet fits; `voila_snapshot/prerender.py` draws the same elements before any script runs.
 */
export class View {
  static tag = "div";
  static classes = [];

  constructor(model) {
    this.model = model;
    this.manager = model.manager;
    this.el = make(this.constructor.tag, "jupyter-widgets", ...this.constructor.classes);
    this.undo = [];
    this.parts = [];
    this.follow(model, (names) => this.changed(names));
    this.build();
    this.followStyle("layout", () => this.lay());
    this.followStyle("style", () => this.dress());
    this.classify();
    model.heard = (content) => this.hear(content);
    this.update(new Set(Object.keys(model.state)));
  }

  /** Make the elements inside `el`. */
  build() {}

  /** Show the model's state, of which the attributes `names` have changed. */
  update() {}

  remove() {
    for (const part of this.parts.splice(0)) part.remove();
    for (const stop of this.undo.splice(0)) stop();
    this.el.remove();
  }

  get(name) {
    return this.model.get(name);
  }

  follow(model, listener) {
    if (model) this.undo.push(model.listen(listener));
  }

  followStyle(name, show) {
    const style = this.model.follow(name);
    this.follow(style, show);
    show();
  }

  changed(names) {
    if (names.has("_dom_classes")) this.classify();
    if (names.has("layout")) this.followStyle("layout", () => this.lay());
    if (names.has("style")) this.followStyle("style", () => this.dress());
    this.update(names);
  }

  classify() {
    this.el.classList.remove(...(this.own ?? []));
    this.own = (this.get("_dom_classes") ?? []).filter((name) => name && !/\s/.test(name));
    this.el.classList.add(...this.own);
  }

  lay() {
    for (const [name, value] of Object.entries(this.model.follow("layout")?.state ?? {})) {
      if (!name.startsWith("_")) this.el.style.setProperty(name.replaceAll("_", "-"), value ?? "");
    }
  }

  /** The element that fonts and colours apply to. */
  get dressed() {
    return this.el;
  }

  dress() {
    for (const [name, value] of Object.entries(this.model.follow("style")?.state ?? {})) {
      if (name in STYLES) this.dressed.style.setProperty(STYLES[name], value || "");
    }
  }

  /** What the kernel tells this widget apart from its state, such as to take the focus. */
  hear({ do: what }) {
    const target = this.controls?.[0] ?? this.el;
    if (what === "focus") target.focus();
    if (what === "blur") target.blur();
  }

  /** Show `style`, one of ipywidgets' five, on `element`. */
  mod(style, element = this.el) {
    for (const name of MODS) element.classList.toggle(`mod-${name}`, name === style);
  }
}

/** A view with a description beside it. */
export class Described extends View {
  static classes = ["widget-inline-hbox"];

  constructor(model) {
    super(model);
    this.describe();
  }

  build() {
    this.label = this.el.appendChild(make("label", "widget-label"));
    this.label.id = unique();
  }

  changed(names) {
    super.changed(names);
    if (names.has("description") || names.has("tooltip")) this.describe();
  }

  describe() {
    const { label } = this;
    const description = this.get("description") ?? "";
    const tooltip = this.get("tooltip") ?? "";
    label.style.display = description ? "" : "none";
    if (this.get("description_allow_html")) label.replaceChildren(harmless(description));
    else label.textContent = description;
    label.title = tooltip;
    for (const control of this.controls ?? []) {
      control.title = description ? "" : tooltip;
      // Without words a control would be nameless to who cannot see it.
      if (!description) control.setAttribute("aria-label", tooltip || this.nameless);
    }
  }

  /** What a control is called that its maker gave neither description nor tooltip. */
  get nameless() {
    return this.model.get("_view_name").replace(/View$/, "");
  }

  dress() {
    super.dress();
    const width = this.model.follow("style")?.get("description_width");
    this.label.style.width = width || "";
    this.label.classList.toggle("kezako-fit", width === "initial");
  }

  /** A control inside this view, named by its description. */
  control(tag, type) {
    const control = this.el.appendChild(make(tag));
    if (type) control.type = type;
    control.id = this.label.htmlFor = unique();
    control.autocomplete = "off";
    control.dataset.model = this.model.id;
    (this.controls ??= []).push(control);
    return control;
  }

  update() {
    for (const control of this.controls ?? []) {
      control.disabled = Boolean(this.get("disabled"));
      const tabbable = this.get("tabbable");
      if (tabbable === false) control.tabIndex = -1;
      else control.removeAttribute("tabindex");
    }
  }
}

/** An element with classes. */
export function make(tag, ...classes) {
  const element = document.createElement(tag);
  element.classList.add(...classes);
  return element;
}

export function unique() {
  return `kezako-${(count += 1)}`;
}

/** The view of `model`, or of what stands in for it until its code has come. */
export function show(model) {
  const name = model?.get("_view_name");
  if (!name) return null;
  const View = views.get(name) ?? views.get("SoonView");
  return new View(model);
}

/** `html` as nodes without anything that acts: a description is a stranger's text at times. */
function harmless(html) {
  const { body } = new DOMParser().parseFromString(html, "text/html");
  const kept = ["A", "B", "BR", "CODE", "EM", "I", "KBD", "S", "SMALL", "SPAN", "STRONG", "SUB", "SUP", "U"];
  for (const element of [...body.querySelectorAll("*")]) {
    if (!kept.includes(element.tagName)) element.replaceWith(...element.childNodes);
    else {
      for (const { name, value } of [...element.attributes]) {
        const fine = name === "href" && /^(https?:|mailto:|#|\/)/i.test(value);
        if (!fine && name !== "title") element.removeAttribute(name);
      }
    }
  }
  const nodes = document.createDocumentFragment();
  nodes.append(...body.childNodes);
  return nodes;
}
