import { make } from "./view.js";
import { word } from "./words.js";

let ended = false; // the last sentence stays: there is nothing else to do on this page
const place = () => document.getElementById("kezako-notice");

/** Say `sentence` above everything, until the next; with a button where there is only one way on. */
export function say(sentence, { again = false } = {}) {
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
}

export function hush() {
  if (ended) return;
  place().replaceChildren();
  place().hidden = true;
}
