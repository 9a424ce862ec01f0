import { make } from "./view.js";
import { word } from "./words.js";

let ended = false; // the last sentence stays: there is nothing else to do on this page
const place = () => document.getElementById("kezako-notice");

const BRIEFLY = 6000; // milliseconds

let timer;

/**
 * Say `sentence` above everything, until the next; with a button where there is only one way on.
 * What is said `briefly` asks nothing of the visitor, and makes way for what it covers.
 */
export function say(sentence, { again = false, briefly = false } = {}) {
  if (ended) return;
  ended = again;
  const words = make("span");
  words.textContent = sentence;
  const button = make("button", "kezako-again");
  button.type = "button";
  button.textContent = word(again ? "start_again" : "close");
  button.addEventListener("click", () => (again ? location.reload() : hush()));
  place().replaceChildren(words, button);
  place().hidden = false;
  clearTimeout(timer);
  if (briefly) timer = setTimeout(fade, BRIEFLY);
}

/** Hush, unless the visitor is about to press its button. */
function fade() {
  if (place().matches(":hover, :focus-within")) timer = setTimeout(fade, BRIEFLY);
  else hush();
}

export function hush() {
  if (ended) return;
  clearTimeout(timer);
  place().replaceChildren();
  place().hidden = true;
}
