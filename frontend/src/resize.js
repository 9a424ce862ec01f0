// Pillow's resampling, to the pixel: what is shrunk here is what the server would make of it.

const BITS = 22; // of a weight's fraction: Pillow's 32 - 8 - 2
const HALF = 1 << (BITS - 1); // rounds when it is shifted away
const BAND = 1 << 19; // pixels that are read at once: a part of a second even on a slow phone

/** How far a filter reaches, in pixels of the result, and what weight it gives there. */
export const BILINEAR = { reach: 1, weight: (x) => Math.max(0, 1 - Math.abs(x)) };
export const BICUBIC = {
  reach: 2,
  weight: (x) => {
    const far = Math.abs(x);
    if (far < 1) return (1.5 * far - 2.5) * far * far + 1;
    return far < 2 ? ((-0.5 * far + 2.5) * far - 4) * far + 2 : 0;
  },
};

/**
 * The pixels of a picture of `from` = [width, height] at the size `to`, as RGBA without
 * transparency: (4 × to[0] × to[1]) bytes.
 *
 * `read(top, rows)` gives rows of the picture as RGBA, (4 × width × rows) bytes; `pause` is awaited
 * after each band of them. Memory is that of one band and of the result.
 */
export async function resized(read, from, to, filter, pause = () => {}) {
  const across = weights(from[0], to[0], filter);
  const down = weights(from[1], to[1], filter);
  const out = new Uint8ClampedArray(4 * to[0] * to[1]);
  for (let row = 0; row < to[1]; ) {
    const top = down.starts[row];
    let end = row + 1;
    while (end < to[1] && (down.ends[end] - top) * from[0] <= BAND) end++;
    const rows = down.ends[end - 1] - top;
    const narrow = shrunkAcross(await read(top, rows), from[0], rows, across, to[0]);
    shrinkDown(narrow, top, down, row, end, out, to[0]);
    row = end;
    await pause();
  }
  return out;
}

/** For each pixel of the result: which pixels it is made of, and with what whole-number weights. */
function weights(from, to, { reach, weight }) {
  const scale = from / to;
  const stretch = Math.max(scale, 1);
  const support = reach * stretch;
  const most = 2 * Math.ceil(support) + 1;
  const starts = new Int32Array(to);
  const ends = new Int32Array(to);
  const values = new Int32Array(to * most);
  for (let i = 0; i < to; i++) {
    const centre = (i + 0.5) * scale;
    const start = (starts[i] = Math.max(0, Math.trunc(centre - support + 0.5)));
    const end = (ends[i] = Math.min(from, Math.trunc(centre + support + 0.5)));
    const exact = [];
    for (let at = start; at < end; at++) exact.push(weight((at - centre + 0.5) * (1 / stretch)));
    const sum = exact.reduce((total, value) => total + value, 0);
    exact.forEach((value, n) => {
      const fixed = (value / sum) * 2 ** BITS;
      values[i * most + n] = Math.trunc(fixed + (fixed < 0 ? -0.5 : 0.5));
    });
  }
  return { starts, ends, values, most };
}

function clipped(sum) {
  const value = sum >> BITS;
  return value < 0 ? 0 : value > 255 ? 255 : value;
}

/** `rows` rows of RGBA, each shrunk to `columns` pixels of RGB. */
function shrunkAcross(pixels, width, rows, { starts, ends, values, most }, columns) {
  const out = new Uint8Array(3 * columns * rows);
  let to = 0;
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      let red = HALF;
      let green = HALF;
      let blue = HALF;
      let from = 4 * (row * width + starts[column]);
      const last = column * most + ends[column] - starts[column];
      for (let n = column * most; n < last; n++, from += 4) {
        const value = values[n];
        red += pixels[from] * value;
        green += pixels[from + 1] * value;
        blue += pixels[from + 2] * value;
      }
      out[to++] = clipped(red);
      out[to++] = clipped(green);
      out[to++] = clipped(blue);
    }
  }
  return out;
}

/** Write the rows from `first` up to `last` of the result, made of `narrow`, whose first is `top`. */
function shrinkDown(narrow, top, { starts, ends, values, most }, first, last, out, columns) {
  const sums = new Int32Array(3 * columns);
  for (let row = first; row < last; row++) {
    sums.fill(HALF);
    for (let at = starts[row]; at < ends[row]; at++) {
      const value = values[row * most + at - starts[row]];
      const from = 3 * columns * (at - top);
      for (let i = 0; i < sums.length; i++) sums[i] += narrow[from + i] * value;
    }
    let to = 4 * columns * row;
    for (let i = 0; i < sums.length; i += 3) {
      out[to++] = clipped(sums[i]);
      out[to++] = clipped(sums[i + 1]);
      out[to++] = clipped(sums[i + 2]);
      out[to++] = 255;
    }
  }
}
