import { draw } from "../mime.js";
import { View, make } from "../view.js";
import { word } from "../words.js";
import { views } from "../views.js";

const ECHOED = 200_000; // characters; more than the kernel needs to be told of its own outputs

const PREVIEW = "kezako-preview"; // the class of an Output that shows the chosen file at once

/**
 * What the notebook printed and displayed into it.
 *
 * With the class `kezako-preview` it shows the file that was just chosen, from the browser's own
 * memory, while it is sent, and afterwards as long as the notebook displays nothing in its place.
 */
export class Output extends View {
  static classes = ["widget-output"];
  static previews = () => [...Output.all].filter((view) => view.el.matches(`.${PREVIEW}`));
  static all = new Set();

  build() {
    Output.all.add(this);
    this.area = this.el.appendChild(make("div", "jp-OutputArea"));
  }

  remove() {
    Output.all.delete(this);
    this.forget(this.local);
    super.remove();
  }

  update(names) {
    if (names.has("outputs")) this.draw();
  }

  draw() {
    for (const part of this.parts.splice(0)) part.remove();
    const outputs = this.get("outputs");
    if (this.local && (this.local.pending || !outputs.length)) {
      this.area.replaceChildren(this.local.el);
      return;
    }
    const drawn = outputs.map((output) => draw(output, this.manager)).filter(Boolean);
    this.parts = drawn.flatMap(({ part }) => part ?? []);
    this.area.replaceChildren(...drawn.map(({ el }) => el));
  }

  /**
   * Show `file` at once, with the progress of its sending; `cancel` is called by a button.
   *
   * Returns `{ shown, tell(shown), progress(share), sent(), withdraw() }`; `shown` is a promise of
   * whether the browser could show it, `share` a number from 0 to 1, null while nobody can tell.
   */
  preview(file, cancel) {
    const before = this.local;
    const local = (this.local = { pending: true, url: URL.createObjectURL(file) });
    const image = make("img");
    image.alt = word("photo");
    image.src = local.url;
    image.draggable = false;
    const shown = image.decode().then(
      () => image.naturalWidth > 0,
      () => false,
    );
    shown.then((fine) => fine || image.remove());
    const bar = make("progress");
    const said = make("span");
    said.id = "kezako-sending";
    bar.setAttribute("aria-labelledby", said.id);
    const button = make("button", "kezako-cancel");
    button.type = "button";
    button.textContent = word("cancel");
    button.addEventListener("click", cancel);
    const state = make("div", "kezako-sending");
    state.append(said, bar, button);
    const frame = make("div", "jp-OutputArea-output", "jp-RenderedImage");
    frame.append(image);
    local.el = make("div", "jp-OutputArea-child");
    local.el.append(frame, state);
    const progress = (share) => {
      button.hidden = share === 1; // what has arrived cannot be taken back
      if (share === null) said.textContent = word("on_its_way");
      else if (share === 1) said.textContent = word("looking");
      else said.textContent = word("sending", { percent: Math.round(100 * share) });
      if (share === null || share === 1) bar.removeAttribute("value");
      else bar.value = share;
    };
    progress(null);
    this.draw();
    return {
      shown,
      // The notebook need not send back what is on show already.
      tell: (fine) => this.model.send({ event: "preview", shown: fine }),
      progress,
      sent: () => {
        state.remove();
        local.pending = false;
        this.forget(before);
        this.draw();
      },
      withdraw: () => {
        this.forget(local);
        if (this.local === local) this.local = before;
        this.draw();
      },
    };
  }

  /** The chosen file is no longer the notebook's. */
  drop() {
    if (!this.local || this.local.pending) return;
    this.forget(this.local);
    this.local = null;
    this.draw();
  }

  forget(local) {
    if (local) URL.revokeObjectURL(local.url);
  }
}

/** Takes what is printed while the kernel is inside `with output:`, whether it is shown or not. */
export function capturing(model) {
  let clearing = false; // at the next output
  model.capture = (type, content) => {
    if (type === "clear_output" && content.wait) clearing = true;
    else if (type === "clear_output") keep(model, []);
    else {
      const before = clearing ? [] : model.get("outputs");
      clearing = false;
      keep(model, added(before, { output_type: type, ...content }));
    }
  };
  let listened;
  const attend = () => {
    if (listened) model.manager.outputs.delete(listened);
    listened = model.get("msg_id");
    if (listened) model.manager.outputs.set(listened, model);
  };
  model.listen((names) => names.has("msg_id") && attend());
  attend();
}

function keep(model, outputs) {
  if (JSON.stringify(outputs).length < ECHOED) model.save({ outputs });
  else model.set({ outputs });
}

// Lines of one stream follow one another in one output.
function added(outputs, output) {
  const last = outputs.at(-1);
  if (output.output_type !== "stream" || last?.name !== output.name) return [...outputs, output];
  return [...outputs.slice(0, -1), { ...last, text: last.text + output.text }];
}

views.set("OutputView", Output);
