// A few of Font Awesome's names as characters that every device has: no font is loaded for them.
const SIGNS = {
  "arrow-down": "↓",
  "arrow-left": "←",
  "arrow-right": "→",
  "arrow-up": "↑",
  ban: "⊘",
  bars: "≡",
  camera: "◉",
  check: "✓",
  circle: "●",
  close: "✕",
  cog: "⚙",
  download: "⭳",
  edit: "✎",
  envelope: "✉",
  eye: "◉",
  "fast-backward": "⏮",
  "fast-forward": "⏭",
  heart: "♥",
  home: "⌂",
  info: "ℹ",
  minus: "−",
  music: "♪",
  pause: "⏸",
  pencil: "✎",
  play: "▶",
  plus: "+",
  question: "?",
  refresh: "↻",
  repeat: "↻",
  rotate: "↻",
  save: "⭳",
  search: "⌕",
  square: "■",
  star: "★",
  "step-backward": "⏮",
  "step-forward": "⏭",
  stop: "■",
  times: "✕",
  trash: "✕",
  undo: "↺",
  upload: "↑",
  warning: "⚠",
};

/** The sign of `icon`, e.g. "check" or "fa-check", as an element; null where there is none. */
export function icon(name) {
  const names = (name ?? "").split(/\s+/).map((part) => part.replace(/^fa-/, ""));
  const sign = names.map((part) => SIGNS[part]).find(Boolean);
  if (!sign) return null;
  const element = document.createElement("i");
  element.className = "kezako-icon";
  element.ariaHidden = "true";
  element.textContent = sign;
  return element;
}
