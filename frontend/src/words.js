// What the front end itself says. A page in another language brings its own sentences, as JSON in
// the attribute `data-kezako-words` of any of its elements, and its code in `data-kezako-language`.

const ENGLISH = {
  sending: "Sending your photo, {percent} %",
  on_its_way: "Sending your photo …",
  looking: "Looking …",
  photo: "Your photo",
  cancel: "Cancel",
  close: "Close",
  start_again: "Start again",
  lost: "Connection lost, trying again …",
  asleep: "This page has been asleep for too long.",
  unreadable: "This file cannot be read. Please choose another one.",
  too_large: "{name} has {size} MB, and at most {limit} MB can be sent. Please choose a smaller file.",
  only_one: "One photo at a time: {name} was taken.",
  only_address: "That is only the address of a picture. Save the picture, then choose or drop its file.",
  output_failed: "Something went wrong here.",
};

/** The sentence `key`, with `values` filled in. */
export function word(key, values = {}) {
  const given = document.querySelector("[data-kezako-words]")?.dataset.kezakoWords;
  let text = (given && JSON.parse(given)[key]) ?? ENGLISH[key];
  for (const [name, value] of Object.entries(values)) text = text.replace(`{${name}}`, () => value);
  return text;
}

/** Tell browsers and screen readers which language the page is in. */
export function setLanguage() {
  const code = document.querySelector("[data-kezako-language]")?.dataset.kezakoLanguage;
  if (code) document.documentElement.lang = code;
}
