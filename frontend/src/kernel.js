import { PROTOCOL, decode, encode } from "./wire.js";

const RETRY = [500, 1000, 2000, 4000, 8000]; // milliseconds; the last again and again
const REPLACED = 4409; // another connection took this one's place
const DEAD = ["dead", "restarting", "autorestarting"]; // a new kernel knows nothing of this page
const UNKNOWN = 4410; // the server does not know this kernel, or not any more
const FINAL = (code) => code >= 4400 && code < 4500; // the server has ended the page, and says why

/**
 * A connection to one kernel that outlives the network's moods.
 *
 * What is sent while there is no connection is kept and sent once there is one. `on.message` gets
 * every message of the kernel, `on.open` is called whenever a connection stands (again), `on.lost`
 * when it broke and is being tried again, `on.gone` when the kernel has ended: with the server's
 * reason, if it gave one, and whether the server was started again since this page was sent.
 */
export class Kernel {
  constructor({ baseUrl, kernelId, boot = "", token = "" }, on) {
    this.on = on;
    this.boot = boot;
    this.session = id();
    this.address = new URL(`${baseUrl}api/kernels/${kernelId}`, location.href);
    if (token) this.address.searchParams.set("token", token);
    this.waiting = []; // messages for when there is a connection
    this.idle = new Map(); // id of a message that was sent -> what to call once it is dealt with
    this.at = null; // id of the message that the kernel deals with, or was the last to
    this.tries = 0;
    this.connect();
    addEventListener("offline", () => this.lose());
    addEventListener("online", () => this.tryNow());
  }

  /** Send a message on the shell channel; returns its id. `done` is called when it is dealt with. */
  send(type, content, { metadata = {}, buffers = [], done } = {}) {
    const message = this.compose(type, content, metadata, buffers);
    if (done) this.idle.set(message.header.msg_id, done);
    if (this.ready) this.put(message);
    else this.waiting.push(message);
    return message.header.msg_id;
  }

  /** Bytes that were given to the connection, and have not left yet. */
  get unsent() {
    const waiting = this.waiting.flatMap(({ buffers }) => buffers);
    return waiting.reduce((sum, { byteLength }) => sum + byteLength, this.socket?.bufferedAmount ?? 0);
  }

  /** Connect anew, and forget what has not been sent yet. */
  reset() {
    this.waiting = [];
    this.forsake();
    this.tryNow();
  }

  /** End this side of the connection for good. */
  close() {
    this.over = true;
    clearTimeout(this.timer);
    this.socket?.close();
  }

  compose(type, content, metadata, buffers) {
    const header = {
      msg_id: id(),
      msg_type: type,
      username: "",
      session: this.session,
      date: new Date().toISOString(),
      version: "5.3",
    };
    return { channel: "shell", header, parent_header: {}, metadata, content, buffers };
  }

  put(message) {
    this.socket.send(encode(message, this.socket.protocol));
  }

  connect() {
    const address = new URL(`${this.address.pathname}/channels`, this.address);
    address.search = this.address.search;
    address.searchParams.set("session_id", this.session);
    address.protocol = address.protocol.replace("http", "ws");
    const socket = (this.socket = new WebSocket(address, [PROTOCOL]));
    socket.binaryType = "arraybuffer";
    let opened = false;
    socket.onopen = () => {
      opened = true;
      // The server hands on nothing of the kernel's before it has answered this.
      this.put(this.compose("kernel_info_request", {}, {}, []));
    };
    socket.onmessage = ({ data }) => this.receive(decode(data, socket.protocol));
    socket.onclose = ({ code, reason }) => socket === this.socket && this.closed(code, reason, opened);
  }

  receive(message) {
    const parent = message.parent_header?.msg_id;
    if (message.header.msg_type === "kernel_info_reply" && !this.ready) {
      this.ready = true;
      this.tries = 0;
      for (const waiting of this.waiting.splice(0)) this.put(waiting);
      this.on.open();
    }
    this.on.message(message);
    if (message.header.msg_type === "status") this.attend(message.content.execution_state, parent);
    // A Jupyter server that ends a kernel for resting leaves the connection open.
    if (message.header.msg_type === "shutdown_reply") this.end("");
  }

  attend(state, parent) {
    if (DEAD.includes(state)) this.end("");
    if (state === "busy") this.at = parent;
    if (state !== "idle") return;
    this.idle.get(parent)?.();
    this.idle.delete(parent);
  }

  async closed(code, reason, opened) {
    if (this.over || code === REPLACED) return;
    if (code === UNKNOWN) {
      const { socket } = this;
      await this.askWhetherGone(reason); // a server that was restarted knows no kernel of before
      if (this.over || socket !== this.socket) return;
    } else if (FINAL(code)) return this.end(reason);
    this.lose();
    if (!opened) this.askWhetherGone();
    const wait = RETRY[Math.min(this.tries++, RETRY.length - 1)];
    this.timer = setTimeout(() => this.over || this.connect(), wait);
  }

  lose() {
    if (this.over) return;
    this.on.lost();
    this.forsake();
  }

  forsake() {
    this.ready = false;
    // What was under way may never be answered; who waits for it shall not wait for ever.
    for (const [key, done] of this.idle) {
      if (!this.waiting.some((message) => message.header.msg_id === key)) {
        this.idle.delete(key);
        done();
      }
    }
  }

  /** The network says that it is back: do not wait for the clock, nor for a dead connection. */
  tryNow() {
    if (this.over) return;
    clearTimeout(this.timer);
    const old = this.socket;
    this.connect();
    old.close();
  }

  async askWhetherGone(reason = "") {
    try {
      const { status, headers } = await fetch(this.address);
      if (status !== 404 && status !== 410) return;
      const boot = headers.get("Boot-Id");
      this.end(reason, Boolean(boot && this.boot && boot !== this.boot));
    } catch {
      // No network, or no server for the moment: the next try will tell.
    }
  }

  end(reason, restarted = false) {
    if (this.over) return;
    this.close();
    this.on.gone(reason, restarted);
  }
}

function id() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
    byte.toString(16).padStart(2, "0"),
  ).join("");
}
