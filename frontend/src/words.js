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
  restarted: "The server was restarted. What you see stays here until you start again.",
  unreadable: "This file cannot be read. Please choose another one.",
  too_large: "{name} has {size} MB, and at most {limit} MB can be sent. Please choose a smaller file.",
  only_one: "One photo at a time: {name} was taken.",
  only_address: "That is only the address of a picture. Save the picture, then choose or drop its file.",
  output_failed: "Something went wrong here.",
  part_missing: "This part of the page could not be loaded. Please reload the page.",
  share_copied: "The picture is copied: paste it wherever you like.",
  share_saved: "The picture is saved in your downloads.",
  share_again: "The picture is ready: press Share once more.",
  share_failed: "The picture could not be made. A screenshot shows the same.",
  camera: "Use the camera",
  take_photo: "Take a photo",
  shutter: "Take the photo",
  camera_waiting: "Opening the camera … Your browser may ask you to allow it.",
  camera_denied: "The camera is not allowed here. Allow it in your browser’s settings for this page, or choose a photo.",
  camera_none: "No camera was found. Please connect one, or choose a photo.",
  camera_busy: "The camera does not answer. Close other programs that may use it, then try again.",
  camera_failed: "The camera cannot be used in this browser. Please choose a photo.",
};

/** The sentence `key`, with `values` filled in. */
export function word(key, values = {}) {
  const given = document.querySelector("[data-kezako-words]")?.dataset.kezakoWords;
  const text = (given && JSON.parse(given)[key]) ?? ENGLISH[key];
  return text.replace(/\{(\w+)\}/g, (field, name) => values[name] ?? field);
}

/** Tell browsers and screen readers which language the page is in. */
export function setLanguage() {
  const code = document.querySelector("[data-kezako-language]")?.dataset.kezakoLanguage;
  if (code) document.documentElement.lang = code;
}
