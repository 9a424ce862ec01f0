// Text on a canvas, which knows no lines. `measure(text)` tells how many pixels wide a text is.

const LONGEST = 400; // characters that are looked at: names are strangers' text
const RTL = /[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}\p{Script=Adlam}]/u;

/** "rtl" or "ltr", by the first letter. */
export function direction(text) {
  const first = /\p{L}/u.exec(text)?.[0];
  return first && RTL.test(first) ? "rtl" : "ltr";
}

/** `text` in at most `most` lines of `width` pixels; the last ends in "…" where that is too few. */
export function lines(text, measure, width, most) {
  const done = [];
  let line = "";
  const fits = (part) => measure(part.trimEnd()) <= width;
  // A part that is longer than a line is divided between words, then between characters.
  const add = (part, [split, ...finer]) => {
    if (fits(line + part)) line += part;
    else if (split && !fits(part)) for (const piece of split(part)) add(piece, finer);
    else {
      done.push(line);
      line = part;
    }
  };
  add(bounded(text), [between, words, characters]);
  done.push(line);
  const all = done.map((part) => part.trim()).filter(Boolean);
  if (all.length <= most) return all;
  return [...all.slice(0, most - 1), cut(`${all.slice(most - 1).join(" ")}`, measure, width)];
}

/** `text`, or as much of it as fits `width` pixels with "…". */
export function cut(text, measure, width) {
  const all = characters(bounded(text));
  if (measure(all.join("")) <= width) return all.join("");
  while (all.length && measure(`${all.join("").trimEnd()}…`) > width) all.pop();
  return `${all.join("").trimEnd()}…`;
}

function bounded(text) {
  return [...text.replace(/\s+/g, " ")].slice(0, LONGEST).join("");
}

/** Split at spaces, which stay with the word before. */
function between(text) {
  return text.match(/\S+\s*|\s+/g) ?? [];
}

/** Split where a language without spaces has words; a mark stays with the word before. */
function words(text) {
  if (!Intl.Segmenter) return [text];
  const parts = [];
  for (const { segment, isWordLike } of new Intl.Segmenter(undefined, { granularity: "word" }).segment(text)) {
    if (isWordLike || !parts.length) parts.push(segment);
    else parts[parts.length - 1] += segment;
  }
  return parts;
}

/** Split into what a reader takes for one character. */
function characters(text) {
  if (!Intl.Segmenter) return [...text];
  return Array.from(new Intl.Segmenter().segment(text), ({ segment }) => segment);
}
