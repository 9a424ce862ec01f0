import { fromBase64, put } from "./buffers.js";
import { Model } from "./model.js";

const PREFIX = "IPY_MODEL_";
const CAPTURED = ["stream", "display_data", "execute_result", "error", "clear_output"];

/** All widgets of the page: their models by id, and what the kernel says to them. */
export class Manager {
  constructor() {
    this.models = new Map();
    this.outputs = new Map(); // id of a message -> the Output widget that takes what it prints
    this.kernel = null;
    this.control = null; // id of the comm that knows all widgets
  }

  /** The model behind a reference such as `IPY_MODEL_0123…`; undefined for anything else. */
  refer(reference) {
    return typeof reference === "string" && reference.startsWith(PREFIX)
      ? this.models.get(reference.slice(PREFIX.length))
      : undefined;
  }

  /** The state that came with the page, as `Widget.get_manager_state` writes it. */
  load(states) {
    for (const [id, { model_name, model_module, state, buffers = [] }] of Object.entries(states)) {
      const paths = buffers.map((buffer) => buffer.path);
      put(state, paths, buffers.map((buffer) => fromBase64(buffer.data)));
      this.create(id, { _model_name: model_name, _model_module: model_module, ...state });
    }
  }

  create(id, state) {
    const model = new Model(this, id, state);
    this.models.set(id, model);
    this.created?.(model);
    return model;
  }

  /** A new widget with `state`, made here and known to the kernel. */
  begin(state) {
    const id = Array.from(crypto.getRandomValues(new Uint32Array(4)), (n) => n.toString(16)).join("");
    this.kernel.send(
      "comm_open",
      { comm_id: id, target_name: "jupyter.widget", data: { state, buffer_paths: [] } },
      { metadata: { version: "2.1.0" } },
    );
    return this.create(id, state);
  }

  /** Ask for the state of all widgets; `arrived` is called once it has been taken over. */
  renew(arrived) {
    this.arrived = arrived;
    this.control = `control-${Math.random().toString(36).slice(2)}`;
    this.kernel.send(
      "comm_open",
      { comm_id: this.control, target_name: "jupyter.widget.control", data: {} },
      { metadata: { version: "1.0.0" } },
    );
    this.tell(this.control, { method: "request_states" }, []);
  }

  /** Send `data` to the comm `id`; returns the id of the message. */
  tell(id, data, buffers, done) {
    return this.kernel.send("comm_msg", { comm_id: id, data }, { buffers, done });
  }

  receive(message) {
    const type = message.header.msg_type;
    const { content } = message;
    if (type === "comm_msg" && content.comm_id === this.control) this.take(message);
    else if (type === "comm_msg") this.models.get(content.comm_id)?.receive(message);
    else if (type === "comm_open" && content.target_name === "jupyter.widget") this.open(message);
    else if (type === "comm_close") this.models.delete(content.comm_id);
    else if (CAPTURED.includes(type)) {
      this.outputs.get(message.parent_header.msg_id)?.capture(type, content);
    }
  }

  open({ content, buffers }) {
    const state = put(content.data.state, content.data.buffer_paths ?? [], buffers);
    if (!this.models.has(content.comm_id)) this.create(content.comm_id, state);
  }

  take({ content, buffers }) {
    const { method, states, buffer_paths } = content.data;
    if (method !== "update_states") return;
    put(states, buffer_paths, buffers);
    for (const [id, { model_name, model_module, state }] of Object.entries(states)) {
      const whole = { _model_name: model_name, _model_module: model_module, ...state };
      if (!this.models.has(id)) this.create(id, whole);
    }
    for (const [id, { state }] of Object.entries(states)) this.models.get(id).renew(state);
    this.arrived();
  }
}
