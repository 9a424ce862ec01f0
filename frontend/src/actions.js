// Buttons in the notebook's own HTML that the page itself acts on, by `data-kezako-action`. They are
// drawn hidden, and shown where this browser can do it; the code behind them comes when one is pressed.
import { config } from "./config.js";
import { hush, say } from "./notice.js";
import { Upload } from "./widgets/upload.js";
import { word } from "./words.js";

const ACTIONS = {
  share: { offer: (button) => (button.hidden = false), act: share },
  camera: { offer: offerCamera, act: camera },
};

const DONE = ["share_copied", "share_saved"];

let busy = false; // one press at a time

/** Show the buttons inside `place` that can do something here; a button that cannot is removed. */
export function offerActions(place) {
  for (const button of place.querySelectorAll("[data-kezako-action]")) {
    ACTIONS[button.dataset.kezakoAction]?.offer(button);
  }
}

document.addEventListener("click", async ({ target }) => {
  const button = target.closest?.("[data-kezako-action]");
  const action = ACTIONS[button?.dataset.kezakoAction];
  if (!action || busy) return;
  busy = true;
  try {
    await action.act(button);
  } finally {
    busy = false;
  }
});

/** The rarer code behind a button; undefined, after a sentence, where it cannot be fetched. */
async function fetched(load) {
  try {
    return await load();
  } catch {
    say(word("part_missing"));
  }
}

async function share(button) {
  hush();
  const code = await fetched(() => import("./share.js"));
  const told = await code?.share(button.closest(".kezako"));
  if (told) say(word(told), { briefly: DONE.includes(told) });
}

async function camera() {
  const upload = Upload.first;
  if (!upload) return;
  hush();
  if (hasOwnCamera()) return capture(upload);
  const code = await fetched(() => import("./camera.js"));
  if (!code) return;
  const { photo, trouble } = await code.photograph(word);
  if (trouble) say(word(trouble));
  upload.again = null; // who closed the camera may want a file next time
  if (!photo) return;
  upload.input.focus({ preventScroll: true }); // as after choosing a file
  upload.take([photo], camera);
}

/**
 * Since Android 14 the browsers made from Chromium offer only the gallery for `image/*`, so the
 * camera needs a button of its own there. Firefox's chooser, and that of iOS, has it.
 */
function hasOwnCamera() {
  return /Android/.test(navigator.userAgent) && !/Firefox/.test(navigator.userAgent);
}

/** Open the phone's own camera. */
function capture(upload) {
  const input = document.createElement("input");
  input.type = "file";
  input.accept = "image/*";
  input.setAttribute("capture", "environment");
  input.addEventListener("change", () => upload.take([...input.files], () => capture(upload)));
  input.addEventListener("cancel", () => (upload.again = null));
  capture.input = input; // an unreferenced one may be collected unheard
  input.click();
}

async function offerCamera(button) {
  const own = hasOwnCamera();
  const possible =
    config.camera !== false &&
    (own || matchMedia("(pointer: fine)").matches) &&
    (await thereIsACamera(own));
  if (!possible) return button.remove();
  if (own) button.textContent = word("take_photo");
  button.hidden = false;
}

/** Whether there is a camera; `unknown` where the page may not ask, as it did not come by HTTPS. */
async function thereIsACamera(unknown) {
  const { mediaDevices } = navigator;
  if (!mediaDevices?.getUserMedia) return unknown;
  try {
    const devices = await mediaDevices.enumerateDevices();
    return devices.some(({ kind }) => kind === "videoinput");
  } catch {
    return true;
  }
}
