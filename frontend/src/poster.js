import { whiteCanvas } from "./canvas.js";
import { cut, direction, lines } from "./text.js";

// Pixels; the colours are the light ones of kezako/page/page.css, whatever the visitor's screen has.
const WIDTH = 1080;
const EDGE = 56;
const INNER = WIDTH - 2 * EDGE;
const TALLEST = 1080; // of the photo
const MOST = 4; // lines of the headline
const INK = "#16181d";
const SOFT = "#5b6270";
const GROUND = "#fbfbfa";
const LINE = "#e3e6eb";
const TRACK = "#e6eaf0";
const ACCENT = "#1d5fd1";
const BAR = "#9db4d8";
const FAMILY = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif';

/**
 * A picture of an answer, 1080 pixels wide, as a canvas's context.
 *
 * `photo` is an image element, or undefined; `headline`, `sentence`, `title` and `address` are text,
 * and may be empty; `bars` are `{ name, percent, share, named }`, with `share` from 0 to 1.
 */
export function pictureOf({ photo, headline, sentence, bars, title, address }) {
  const blocks = [
    photo && photograph(photo),
    ...paragraph(headline, { size: 64, weight: 700, leading: 1.2, most: MOST }, 36),
    ...paragraph(sentence, { size: 36, color: SOFT, leading: 1.35, most: 3 }, 16),
    ...bars.map((bar, i) => row(bar, i ? 28 : 32)),
    rule(44),
    ...paragraph(title, { size: 30, weight: 600, color: SOFT, leading: 1.3, most: 1 }, 28),
    ...paragraph(address, { size: 26, color: SOFT, leading: 1.3, most: 1 }, 4),
  ].filter(Boolean);
  const height = blocks.reduce((sum, { above, height }) => sum + above + height, 2 * EDGE);
  const pen = whiteCanvas(WIDTH, Math.ceil(height));
  pen.fillStyle = GROUND;
  pen.fillRect(0, 0, WIDTH, height);
  let y = EDGE;
  for (const { above, height, draw } of blocks) {
    y += above;
    draw(pen, y);
    y += height;
  }
  return pen;
}

// Each block: `above`, the room before it, its `height`, and `draw(pen, y)`.

function photograph(photo) {
  const factor = Math.min(INNER / photo.naturalWidth, TALLEST / photo.naturalHeight);
  const width = Math.max(1, photo.naturalWidth * factor);
  const height = Math.max(1, photo.naturalHeight * factor);
  const x = (WIDTH - width) / 2;
  const draw = (pen, y) => {
    pen.save();
    rounded(pen, x, y, width, height, Math.min(36, width / 2, height / 2));
    pen.clip();
    pen.fillStyle = "#fff"; // behind what is transparent
    pen.fillRect(x, y, width, height);
    pen.drawImage(photo, x, y, width, height);
    pen.restore();
  };
  return { above: 0, height, draw };
}

/** One block for each line of `text`. */
function paragraph(text, { size, weight = 400, color = INK, leading, most }, above) {
  const font = `${weight} ${size}px ${FAMILY}`;
  const height = size * leading;
  const way = direction(text);
  return lines(text, measured(font), INNER, most).map((line, i) => ({
    above: i ? 0 : above,
    height,
    draw: (pen, y) => {
      style(pen, font, color, way === "rtl" ? "right" : "left", way);
      pen.fillText(line, way === "rtl" ? WIDTH - EDGE : EDGE, y + height / 2);
    },
  }));
}

function row({ name, percent, share, named }, above) {
  const font = `${named ? 600 : 400} 38px ${FAMILY}`;
  const measure = measured(font);
  const color = named ? INK : SOFT;
  const draw = (pen, y) => {
    style(pen, font, color, "right", "ltr");
    pen.fillText(percent, WIDTH - EDGE, y + 25);
    const shown = cut(name, measure, INNER - measure(percent) - 32);
    style(pen, font, color, "left", direction(name));
    pen.fillText(shown, EDGE, y + 25);
    for (const [width, fill] of [[INNER, TRACK], [Math.max(16, INNER * share), named ? ACCENT : BAR]]) {
      pen.fillStyle = fill;
      rounded(pen, EDGE, y + 58, width, 16, 8);
      pen.fill();
    }
  };
  return { above, height: 74, draw };
}

function rule(above) {
  const draw = (pen, y) => {
    pen.fillStyle = LINE;
    pen.fillRect(EDGE, y, INNER, 2);
  };
  return { above, height: 2, draw };
}

function style(pen, font, color, align, way) {
  Object.assign(pen, { font, fillStyle: color, textAlign: align, textBaseline: "middle", direction: way });
}

/** What tells how wide a text in `font` is. */
function measured(font) {
  const pen = document.createElement("canvas").getContext("2d");
  pen.font = font;
  return (text) => pen.measureText(text).width;
}

/** The path of a rectangle with round corners; `roundRect` is too new for some. */
function rounded(pen, x, y, width, height, radius) {
  pen.beginPath();
  pen.moveTo(x + radius, y);
  pen.arcTo(x + width, y, x + width, y + height, radius);
  pen.arcTo(x + width, y + height, x, y + height, radius);
  pen.arcTo(x, y + height, x, y, radius);
  pen.arcTo(x, y, x + width, y, radius);
  pen.closePath();
}
