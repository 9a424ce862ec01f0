import { put, take } from "./buffers.js";

const PAUSE = 40; // milliseconds between two updates of one widget: the server counts messages

/**
 * The state of one widget, kept equal to the kernel's.
 *
 * One update at a time is under way; what changes meanwhile is sent together afterwards, so that a
 * slider's many steps do not queue up. The kernel sends every update back as it understood it; until
 * that echo comes, older news of the same attribute is not believed.
 */
export class Model {
  constructor(manager, id, state) {
    this.manager = manager;
    this.id = id;
    this.state = state;
    this.listeners = new Set();
    this.unsent = null; // attributes for the next update
    this.busy = false;
    this.echoes = new Map(); // attribute -> id of the update whose echo is awaited
  }

  get(name) {
    return this.state[name];
  }

  /** The model that the attribute `name` refers to, if any. */
  follow(name) {
    return this.manager.refer(this.state[name]);
  }

  /** Call `listener` with the set of changed attributes; returns what ends that. */
  listen(listener) {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Change attributes on this page only. */
  set(changes) {
    const names = Object.keys(changes).filter((name) => !same(this.state[name], changes[name]));
    Object.assign(this.state, changes);
    if (names.length) for (const listener of [...this.listeners]) listener(new Set(names));
  }

  /** Change attributes here and in the kernel; the promise ends once the kernel has dealt with it. */
  save(changes) {
    this.set(changes);
    this.unsent = { ...this.unsent, ...changes };
    const sent = new Promise((resolve) => (this.whenSent ??= []).push(resolve));
    this.flush();
    return sent;
  }

  flush({ now = false } = {}) {
    if ((this.busy && !now) || !this.unsent) return;
    const waiting = this.whenSent.splice(0);
    const { state, paths, buffers } = take(this.unsent);
    const names = Object.keys(this.unsent);
    this.unsent = null;
    this.busy = true;
    const began = performance.now();
    const content = { method: "update", state, buffer_paths: paths };
    const update = this.manager.tell(this.id, content, buffers, () => {
      // An echo comes before the end; one that did not is not coming (`echo_update=False`).
      for (const name of names) if (this.echoes.get(name) === update) this.echoes.delete(name);
      for (const resolve of waiting) resolve();
      const rest = Math.max(0, began + PAUSE - performance.now());
      setTimeout(() => {
        this.busy = false;
        this.flush();
      }, rest);
    });
    for (const name of names) this.echoes.set(name, update);
  }

  /** Send a message of the widget's own, such as a click. */
  send(content, buffers = []) {
    // A click means the page as it stands: what waits its turn goes first.
    for (const model of this.manager.models.values()) model.flush({ now: true });
    this.manager.tell(this.id, { method: "custom", content }, buffers);
  }

  /** What the kernel says of this widget. */
  receive(message) {
    const { data } = message.content;
    if (data.method === "custom") return this.heard?.(data.content, message.buffers);
    if (data.method !== "update" && data.method !== "echo_update") return undefined;
    const state = put(data.state, data.buffer_paths ?? [], message.buffers);
    if (data.method === "echo_update") {
      for (const name of Object.keys(state)) {
        const awaited = this.echoes.get(name);
        if (awaited === undefined) continue;
        if (awaited !== message.parent_header.msg_id) delete state[name];
        else this.echoes.delete(name);
      }
    }
    for (const name of Object.keys(this.unsent ?? {})) delete state[name];
    return this.set(state);
  }

  /** The whole state as the kernel has it, after a new connection. */
  renew(state) {
    for (const name of [...this.echoes.keys(), ...Object.keys(this.unsent ?? {})]) {
      delete state[name];
    }
    this.set(state);
  }
}

function same(one, other) {
  if (one === other) return true;
  if (typeof one !== "object" || typeof other !== "object" || !one || !other) return false;
  if (ArrayBuffer.isView(one) || ArrayBuffer.isView(other)) return false;
  const keys = Object.keys(one);
  return (
    Array.isArray(one) === Array.isArray(other) &&
    keys.length === Object.keys(other).length &&
    keys.every((key) => key in other && same(one[key], other[key]))
  );
}
