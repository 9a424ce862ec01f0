// Fetched when "Use the camera" is pressed. It imports nothing that the page has loaded already:
// what two parts share becomes a file of its own, which every first visit would have to fetch.
import { encoded, whiteCanvas } from "./canvas.js";

const QUALITY = 0.95;
// More than cameras have: the browser takes the largest size that there is.
const WANTED = { width: { ideal: 4096 }, height: { ideal: 2160 }, facingMode: { ideal: "environment" } };

/** The key of a sentence for each way in which a camera does not open. */
const TROUBLES = {
  NotAllowedError: "camera_denied",
  SecurityError: "camera_denied",
  NotFoundError: "camera_none",
  OverconstrainedError: "camera_none",
  NotReadableError: "camera_busy",
  AbortError: "camera_busy",
};

/**
 * Show what the camera sees, until a photo is taken or the visitor closes it.
 *
 * Resolves to `{ photo, trouble }`: the File, or null; the key of a sentence where something went
 * wrong, or null. The camera is off then, in every case.
 */
export async function photograph(word) {
  const { dialog, video, waiting, shutter, close } = elements(word);
  let stream = null;
  let photo = null;
  let trouble = null;
  const stop = () => {
    for (const track of stream?.getTracks() ?? []) track.stop();
    video.srcObject = stream = null;
  };
  const end = (key = null) => {
    trouble = key;
    stop();
    dialog.close();
  };
  const fail = (error) => dialog.open && end(TROUBLES[error.name] ?? "camera_failed");

  const open = async () => {
    const arrived = await navigator.mediaDevices.getUserMedia({ video: WANTED });
    stream = arrived;
    if (!dialog.open) return stop(); // closed before the visitor had allowed it
    const [track] = stream.getVideoTracks();
    track.addEventListener("ended", () => dialog.open && end("camera_busy")); // unplugged
    // A face expects a mirror; what the camera on the back of a tablet sees is not mirrored.
    video.classList.toggle("kezako-mirror", track.getSettings().facingMode !== "environment");
    video.srcObject = stream;
    await video.play();
    waiting.hidden = true;
    shutter.disabled = false;
    shutter.focus();
  };
  const take = async () => {
    shutter.disabled = true;
    const pen = whiteCanvas(video.videoWidth, video.videoHeight);
    pen.drawImage(video, 0, 0);
    stop();
    const content = await encoded(pen, "image/jpeg", QUALITY);
    if (dialog.open) photo = new File([content], "photo.jpg", { type: content.type });
    end();
  };

  const left = () => end();
  const closed = new Promise((resolve) => dialog.addEventListener("close", resolve, { once: true }));
  close.addEventListener("click", left);
  shutter.addEventListener("click", () => take().catch(fail));
  addEventListener("pagehide", left);
  document.body.append(dialog);
  dialog.showModal();
  open().catch(fail);
  await closed; // by Escape, too
  removeEventListener("pagehide", left);
  stop();
  dialog.remove();
  return { photo, trouble };
}

function elements(word) {
  const make = (tag, parent, text = "") => {
    const element = document.createElement(tag);
    element.textContent = text;
    parent?.append(element);
    return element;
  };
  const dialog = make("dialog");
  dialog.className = "kezako-viewfinder";
  dialog.setAttribute("aria-label", word("camera"));
  const view = make("div", dialog);
  const video = make("video", view);
  video.muted = video.playsInline = true;
  const waiting = make("p", view, word("camera_waiting"));
  waiting.setAttribute("role", "status");
  const row = make("div", dialog);
  const shutter = make("button", row, word("shutter"));
  const close = make("button", row, word("close"));
  shutter.type = close.type = "button";
  shutter.className = "kezako-shutter";
  shutter.disabled = true;
  return { dialog, video, waiting, shutter, close };
}
