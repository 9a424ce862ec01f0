import { config } from "../config.js";
import { icon } from "../icons.js";
import { hush, say } from "../notice.js";
import { isTrue, prepared } from "../photo.js";
import { View, make } from "../view.js";
import { views } from "../views.js";
import { word } from "../words.js";
import { Output } from "./output.js";

const WHOLE = "kezako-whole"; // the class of a FileUpload that wants files exactly as they are
const LOOK = 100; // milliseconds between two looks at how much has been sent

/**
 * A label over a real file input, so that choosing works before any script does. Pasting, and
 * dropping anywhere on the page, fill the first one that is on show, else the first.
 *
 * While files are sent, the page's root has the attribute `data-upload`, for the style sheet.
 */
export class Upload extends View {
  static tag = "label";
  static classes = ["jupyter-button", "widget-upload"];
  static all = new Set();

  build() {
    Upload.all.add(this);
    this.input = make("input");
    this.input.type = "file";
    this.input.dataset.model = this.model.id;
    this.input.addEventListener("change", () => this.take([...this.input.files]));
    this.words = make("span");
    this.el.append(this.words, this.input);
  }

  remove() {
    Upload.all.delete(this);
    super.remove();
  }

  update(names) {
    if (names.has("value") && !this.sending && this.signature !== signature(this.get("value"))) {
      this.signature = null;
      for (const preview of Output.previews()) preview.drop();
    }
    const disabled = Boolean(this.get("disabled"));
    this.input.accept = this.get("accept");
    this.input.multiple = this.get("multiple");
    this.input.disabled = disabled;
    this.el.classList.toggle("mod-disabled", disabled);
    this.el.title = this.get("tooltip") ?? "";
    this.mod(this.get("button_style"));
    this.write(this.description);
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
    return !this.get("disabled") && this.el.isConnected;
  }

  get visible() {
    return this.el.checkVisibility?.() !== false;
  }

  /** The one that pasting and dropping fill, and that a button opens; undefined for none. */
  static get first() {
    const open = [...Upload.all].filter((upload) => upload.open);
    return open.find((upload) => upload.visible) ?? open[0];
  }

  /** Ask for another file where the last one came from: the camera, else the file chooser. */
  another() {
    if (this.again) this.again();
    else this.input.click();
  }

  /** Send `files`; `again` opens what they came from, if that is not the file chooser. */
  async take(files, again = null) {
    const one = !this.get("multiple") && files.length > 1;
    const chosen = (one ? files.slice(0, 1) : files).filter(fits);
    this.byKeyboard = this.input.matches(":focus-visible");
    this.input.value = ""; // so that the same file can be chosen again
    if (!chosen.length) return;
    this.again = again;
    hush();
    if (one) say(word("only_one", { name: short(chosen[0].name) }));
    const turn = (this.sending = Symbol("the newest choice"));
    this.cancel?.(); // of a file that is still being sent
    this.el.setAttribute("aria-busy", "true");
    document.documentElement.dataset.upload = "sending";
    const preview = Output.previews()[0]?.preview(chosen[0], () => this.cancel?.());
    const before = this.signature;
    let withdrawn = false;
    this.cancel = () => {
      withdrawn = true;
      this.signature = before;
      this.cancel = null;
      preview?.withdraw();
      if (this.travels) this.manager.kernel.reset(); // the rest of it is not sent
      this.rest(turn);
    };
    try {
      const ready = await Promise.all(chosen.map((file) => this.prepare(file)));
      const shown = Boolean(await preview?.shown) && (await isTrue(chosen[0]));
      if (withdrawn) return;
      if (ready.every(fits)) await this.send(ready, preview, shown);
      else this.cancel();
    } catch {
      if (withdrawn) return;
      this.cancel();
      say(word("unreadable"));
    }
    if (withdrawn) return;
    preview?.sent();
    this.rest(turn);
  }

  /** Send prepared files, and wait until the notebook has dealt with them. */
  async send(ready, preview, shown) {
    preview?.tell(shown); // before the photo itself arrives
    this.signature = signature(ready);
    this.travels = true;
    const whole = ready.reduce((sum, { size }) => sum + size, 0);
    const { kernel } = this.manager;
    let told = false; // whether the browser tells how much has left: Chromium does
    const look = () => {
      const update = this.model.echoes.get("value");
      if (update && update === kernel.at) return preview?.progress(1);
      // Firefox counts a message once all of it has left, WebKit at once.
      const share = 1 - Math.min(1, kernel.unsent / Math.max(whole, 1));
      told ||= share > 0 && share < 1;
      return preview?.progress(told ? Math.min(share, 0.99) : null);
    };
    const timer = setInterval(look, LOOK);
    const saved = this.model.save({ value: ready, error: "" });
    look();
    await saved;
    clearInterval(timer);
    this.travels = false;
  }

  /** The choice `turn` is dealt with. */
  rest(turn) {
    if (turn !== this.sending) return;
    this.sending = this.cancel = null;
    this.travels = false;
    this.el.removeAttribute("aria-busy");
    delete document.documentElement.dataset.upload;
    // Who chose by keyboard goes on at the button that stands for another choice now.
    if (this.byKeyboard && document.activeElement === document.body) {
      document.querySelector(".kezako-chooser")?.focus({ preventScroll: true });
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
  const megabytes = (bytes) => Math.max(0.1, bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0);
  say(word("too_large", { name: short(name), size: megabytes(size), limit: megabytes(limit) }));
  return false;
}

function short(name) {
  return name.length > 40 ? `${name.slice(0, 19)}…${name.slice(-20)}` : name;
}

/** What tells one choice from another, here and in the notebook's copy of it. */
function signature(value) {
  return value.map(({ name, size }) => `${name} ${size}`).join("\n");
}

/** Let files be dropped on the page and pasted into it. */
export function fillFromAnywhere() {
  const give = (files) => {
    const open = Upload.first;
    if (open && files.length) open.take([...files]);
    return open;
  };
  const types = (event) => [...(event.dataTransfer?.types ?? [])];
  const holds = (event) =>
    !ours && (types(event).includes("Files") || types(event).includes("text/uri-list"));
  const mark = (on) => document.documentElement.classList.toggle("kezako-dropping", on);
  let ours = false; // a link or picture of this page is being dragged
  addEventListener("dragstart", () => (ours = true));
  addEventListener("dragend", () => (ours = false));
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
    const { files } = event.dataTransfer;
    if (files.length) give(files);
    else say(word("only_address"));
  });
  addEventListener("paste", (event) => {
    const { files } = event.clipboardData ?? { files: [] };
    if (files.length && give(files)) event.preventDefault();
  });
}

views.set("FileUploadView", Upload);
