import { draw } from "../mime.js";
import { View, make } from "../view.js";
import { views } from "../views.js";

const ECHOED = 200_000; // characters; more than the kernel needs to be told of its own outputs

/** What the notebook printed and displayed into it. */
class Output extends View {
  static classes = ["widget-output"];

  build() {
    this.area = this.el.appendChild(make("div", "jp-OutputArea"));
  }

  update(names) {
    if (!names.has("outputs")) return;
    for (const part of this.parts.splice(0)) part.remove();
    const drawn = this.get("outputs")
      .map((output) => draw(output, this.manager))
      .filter(Boolean);
    this.parts = drawn.flatMap(({ part }) => part ?? []);
    this.area.replaceChildren(...drawn.map(({ el }) => el));
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
