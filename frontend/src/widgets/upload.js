import { config } from "../config.js";
import { icon } from "../icons.js";
import { hush, say } from "../notice.js";
import { prepared } from "../photo.js";
import { View, make } from "../view.js";
import { views } from "../views.js";

const WHOLE = "kezako-whole"; // the class of a FileUpload that wants files exactly as they are

/**
 * A label over a real file input, so that choosing works before any script does. Pasting, and
 * dropping anywhere on the page, fill the first one that is on show.
 */
export class Upload extends View {
  static tag = "label";
  static classes = ["jupyter-button", "widget-upload"];

  build() {
    this.input = make("input");
    this.input.type = "file";
    this.input.dataset.model = this.model.id;
    this.input.addEventListener("change", () => this.take([...this.input.files]));
    this.words = make("span");
    this.el.append(this.words, this.input);
  }

  update() {
    const disabled = Boolean(this.get("disabled"));
    this.input.accept = this.get("accept");
    this.input.multiple = this.get("multiple");
    this.input.disabled = disabled;
    this.el.classList.toggle("mod-disabled", disabled);
    this.el.title = this.get("tooltip") ?? "";
    this.mod(this.get("button_style"));
    if (!this.sending) this.write(this.description);
  }

  get description() {
    const description = this.get("description");
    // A line break at the end says that the count of files is not wanted.
    return description.endsWith("\n") ? description : `${description} (${this.get("value").length})`;
  }

  write(text) {
    this.words.replaceChildren(...[icon(this.get("icon")), text].filter(Boolean));
  }

  /** Whether it can be filled by hand now. */
  get open() {
    return !this.get("disabled") && this.el.checkVisibility?.() !== false && this.el.isConnected;
  }

  async take(files) {
    const chosen = (this.get("multiple") ? files : files.slice(0, 1)).filter(fits);
    this.input.value = ""; // so that the same file can be chosen again
    if (!chosen.length) return;
    hush();
    const turn = (this.sending = Symbol("the newest choice"));
    this.el.setAttribute("aria-busy", "true");
    this.write("Sending …");
    try {
      const ready = await Promise.all(chosen.map((file) => this.prepare(file)));
      if (turn === this.sending && ready.every(fits)) {
        await this.model.save({ value: ready, error: "" });
      }
    } catch {
      say("This file cannot be read. Please choose another one.");
    }
    if (turn === this.sending) {
      this.sending = null;
      this.el.removeAttribute("aria-busy");
      this.write(this.description);
    }
  }

  async prepare(file) {
    if (!this.el.classList.contains(WHOLE)) return prepared(file);
    const { name, type, size, lastModified } = file;
    return { name, type, size, last_modified: lastModified, content: await file.arrayBuffer() };
  }
}

/** Whether a file, prepared or not yet, may be sent; else a sentence. */
function fits({ name, size, content }) {
  // A photo that the browser shrinks may be larger; only what is left of it counts.
  const limit = content ? config.uploadLimit : Math.max(config.uploadLimit, 1e9);
  if (size <= limit) return true;
  const megabytes = (bytes) => `${Math.max(0.1, bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;
  const tall = name.length > 40 ? `${name.slice(0, 19)}…${name.slice(-20)}` : name;
  say(
    `${tall} has ${megabytes(size)}, and at most ${megabytes(limit)} can be sent. ` +
      "Please choose a smaller file.",
  );
  return false;
}

/** Let files be dropped on the page and pasted into it; `uploads` gives the views there are. */
export function fillFromAnywhere(uploads) {
  const give = (files) => {
    const open = uploads().find((upload) => upload.open);
    if (open && files.length) open.take([...files]);
    return open;
  };
  const holds = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
  const mark = (on) => document.documentElement.classList.toggle("kezako-dropping", on);
  addEventListener("dragover", (event) => {
    if (!holds(event)) return;
    event.preventDefault(); // a browser would leave the page for the picture
    mark(true);
  });
  addEventListener("dragleave", (event) => event.relatedTarget || mark(false));
  addEventListener("drop", (event) => {
    mark(false);
    if (!holds(event)) return;
    event.preventDefault();
    give(event.dataTransfer.files);
  });
  addEventListener("paste", (event) => {
    const { files } = event.clipboardData ?? { files: [] };
    if (files.length && give(files)) event.preventDefault();
  });
}

views.set("FileUploadView", Upload);
