import { forget } from "./address.js";
import { config, drawnState } from "./config.js";
import { Kernel } from "./kernel.js";
import { Manager } from "./manager.js";
import { hush, say } from "./notice.js";
import { show } from "./view.js";
import { views, workers } from "./views.js";
import { setLanguage, word } from "./words.js";
import "./widgets/boxes.js";
import "./widgets/buttons.js";
import "./widgets/choices.js";
import { capturing } from "./widgets/output.js";
import "./widgets/pictures.js";
import "./widgets/soon.js";
import { Upload, fillFromAnywhere } from "./widgets/upload.js";
import "./widgets/words.js";

const PLAIN = /^(Layout|Style)View$/; // what only says how another widget looks

const manager = new Manager();
const opened = []; // file inputs that were drawn; an unreferenced one may be collected unheard
const state = (name) => (document.documentElement.dataset.kezako = name);

workers.set("OutputModel", capturing);
manager.created = (model) => {
  if (!work(model) && isLink(model)) allKnown();
};
forget(config.forget ?? []);
manager.kernel = new Kernel(config, {
  message: (message) => manager.receive(message),
  open: () => manager.renew(arrived),
  lost: () => {
    state("lost");
    say(word("lost"));
  },
  gone: (reason, restarted) => {
    state("gone");
    say(restarted ? word("restarted") : reason || word("asleep"), { again: true });
  },
});

if (drawnState) {
  setLanguage();
  manager.load(drawnState);
  if (await allKnown()) replaceAll();
}

async function arrived() {
  await allKnown();
  replaceAll();
  setLanguage();
  if (document.documentElement.dataset.kezako === "lost") hush();
  state("live");
}

/** The rarer widgets' code is fetched only where the page has any of them. */
async function allKnown() {
  const rare = [...manager.models.values()].some((model) => {
    const view = model.get("_view_name");
    return (view && !views.has(view) && !PLAIN.test(view)) || isLink(model);
  });
  if (!rare) return true;
  try {
    await import("./more.js");
    for (const model of manager.models.values()) work(model);
    return true;
  } catch {
    return false; // each of them says so in its place
  }
}

/** Set to work what has no view, once. */
function work(model) {
  const worker = workers.get(model.get("_model_name"));
  if (worker && !model.works) worker(model);
  return (model.works = Boolean(worker));
}

function isLink(model) {
  return /LinkModel$/.test(model.get("_model_name"));
}

/** Put the living widgets where the server has drawn them, or left room for them. */
function replaceAll() {
  for (const place of document.querySelectorAll(".kezako-widget:not(.kezako-alive)")) {
    const model = manager.models.get(place.dataset.model);
    const view = model && show(model);
    if (!view) continue;
    const focus = path(place, document.activeElement);
    const touched = [...place.querySelectorAll("[data-model]")];
    place.classList.add("kezako-alive");
    place.replaceChildren(view.el);
    touched.forEach(keep);
    if (focus) focus.reduce((element, i) => element?.children[i], place)?.focus();
  }
}

function path(root, element) {
  if (!root.contains(element)) return null;
  const steps = [];
  for (; element !== root; element = element.parentNode) {
    steps.unshift([...element.parentNode.children].indexOf(element));
  }
  return steps;
}

/** What a visitor did before the script was there: the choice in a control that only was drawn. */
function keep(control) {
  const model = manager.models.get(control.dataset.model);
  if (!model) return;
  if (control.type === "file") {
    const take = () =>
      [...Upload.all].find((view) => view.model === model)?.take([...control.files]);
    if (control.files.length) take();
    // A dialog that was opened before may be open still, and fills the control that was drawn.
    control.addEventListener("change", take);
    opened.push(control);
  } else if (control.type === "checkbox" && control.checked !== control.defaultChecked) {
    model.save({ value: control.checked });
  } else if (control.tagName === "SELECT" && !control.selectedOptions[0]?.defaultSelected) {
    if (control.selectedIndex >= 0) model.save({ index: control.selectedIndex });
  }
}

fillFromAnywhere();

// A page that is left ends its kernel; one that comes back from the browser's memory has none.
addEventListener("pagehide", () => {
  const address = new URL(`${config.baseUrl}voila/api/shutdown/${config.kernelId}`, location.href);
  if (config.token) address.searchParams.set("token", config.token);
  const xsrf = /(?:^|; )_xsrf=([^;]*)/.exec(document.cookie)?.[1];
  navigator.sendBeacon(address, new URLSearchParams(xsrf ? { _xsrf: xsrf } : {}));
  manager.kernel.close();
});
addEventListener("pageshow", ({ persisted }) => persisted && location.reload());
