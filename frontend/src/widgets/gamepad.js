import { View, make } from "../view.js";
import { views, workers } from "../views.js";

const CONTROLS = "@jupyter-widgets/controls";

/** Follows the gamepad of a Controller: its buttons and axes become widgets of their own. */
function follow(controller) {
  const look = () => {
    const pad = navigator.getGamepads?.()[controller.get("index")];
    if (pad && !controller.get("connected")) connect(controller, pad);
    else if (pad?.id === controller.get("name")) read(controller, pad);
    else if (controller.get("connected")) disconnect(controller);
    requestAnimationFrame(look);
  };
  if (navigator.getGamepads) look();
}

function connect(controller, pad) {
  const { manager } = controller;
  const control = (kind, description) => {
    const model = manager.begin({
      _model_module: CONTROLS,
      _model_module_version: controller.get("_model_module_version"),
      _model_name: `Controller${kind}Model`,
      _view_module: CONTROLS,
      _view_module_version: controller.get("_view_module_version"),
      _view_name: `Controller${kind}View`,
      description: String(description),
      value: 0,
    });
    return `IPY_MODEL_${model.id}`;
  };
  controller.save({
    name: pad.id,
    mapping: pad.mapping,
    connected: true,
    timestamp: pad.timestamp,
    buttons: pad.buttons.map((_, i) => control("Button", i)),
    axes: pad.axes.map((_, i) => control("Axis", i)),
  });
}

function read(controller, pad) {
  if (pad.timestamp === controller.get("timestamp")) return;
  controller.save({ timestamp: pad.timestamp });
  const each = (name, values) =>
    controller.get(name).forEach((reference, i) => {
      const model = controller.manager.refer(reference);
      if (model && model.get("value") !== values[i].value) model.save(values[i]);
    });
  each("buttons", pad.buttons.map(({ value, pressed }) => ({ value, pressed })));
  each("axes", pad.axes.map((value) => ({ value })));
}

function disconnect(controller) {
  controller.save({ name: "", mapping: "", connected: false, timestamp: 0, buttons: [], axes: [] });
}

class Controller extends View {
  static classes = ["widget-controller"];

  build() {
    this.words = this.el.appendChild(make("div"));
    this.words.setAttribute("aria-live", "polite");
    this.rows = this.el.appendChild(make("div", "widget-controller-controls"));
  }

  update() {
    const known = Boolean(navigator.getGamepads);
    this.words.textContent =
      this.get("name") ||
      (known ? "Connect a gamepad and press any button." : "This browser knows no gamepads.");
    for (const part of this.parts.splice(0)) part.remove();
    for (const reference of [...this.get("axes"), ...this.get("buttons")]) {
      const model = this.manager.refer(reference);
      if (model) this.parts.push(new Meter(model));
    }
    this.rows.replaceChildren(...this.parts.map(({ el }) => el));
  }
}

/** One button, 0 to 1, or one axis, -1 to 1. */
class Meter extends View {
  static tag = "label";
  static classes = ["widget-controller-control"];

  build() {
    const axis = this.get("_view_name") === "ControllerAxisView";
    this.meter = make("meter");
    Object.assign(this.meter, { min: axis ? -1 : 0, max: 1 });
    this.el.append(this.meter, this.get("description"));
  }

  update() {
    this.meter.value = this.get("value");
  }
}

workers.set("ControllerModel", follow);
views
  .set("ControllerView", Controller)
  .set("ControllerButtonView", Meter)
  .set("ControllerAxisView", Meter);
