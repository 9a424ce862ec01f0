// Jupyter's two websocket formats: the one of the subprotocol below, and the older one, which a
// server speaks that selects no subprotocol.

export const PROTOCOL = "v1.kernel.websocket.jupyter.org";

const PARTS = ["header", "parent_header", "metadata", "content"];
const text = new TextEncoder();
const words = new TextDecoder();

/** A message as what `WebSocket.send` takes. */
export function encode(message, protocol) {
  return protocol === PROTOCOL ? encodeParts(message) : encodeOld(message);
}

/** What a websocket brought (a string or an ArrayBuffer), as a message with its `buffers`. */
export function decode(data, protocol) {
  if (typeof data === "string") return { buffers: [], ...JSON.parse(data) };
  return protocol === PROTOCOL ? decodeParts(data) : decodeOld(data);
}

// Count of offsets and offsets as 64-bit little-endian, then channel, four JSON parts, buffers.
function encodeParts({ channel, buffers, ...message }) {
  const parts = [
    text.encode(channel),
    ...PARTS.map((part) => text.encode(JSON.stringify(message[part]))),
    ...buffers.map(bytes),
  ];
  const offsets = [8 * (parts.length + 2)];
  for (const part of parts) offsets.push(offsets.at(-1) + part.length);
  const whole = new Uint8Array(offsets.at(-1));
  const numbers = new DataView(whole.buffer);
  [offsets.length, ...offsets].forEach((number, i) =>
    numbers.setBigUint64(8 * i, BigInt(number), true),
  );
  parts.forEach((part, i) => whole.set(part, offsets[i]));
  return whole;
}

function decodeParts(data) {
  const numbers = new DataView(data);
  const offset = (i) => Number(numbers.getBigUint64(8 * i, true));
  const part = (i) => new DataView(data, offset(i), offset(i + 1) - offset(i));
  const message = { channel: words.decode(part(1)), buffers: [] };
  PARTS.forEach((name, i) => (message[name] = JSON.parse(words.decode(part(i + 2)))));
  for (let i = 6; i < offset(0); i++) message.buffers.push(part(i));
  return message;
}

// Without buffers JSON; else count and offsets as 32-bit big-endian, then JSON, buffers.
function encodeOld({ buffers, ...message }) {
  if (!buffers.length) return JSON.stringify(message);
  const parts = [text.encode(JSON.stringify(message)), ...buffers.map(bytes)];
  const offsets = [4 * (parts.length + 1)];
  for (const part of parts) offsets.push(offsets.at(-1) + part.length);
  const whole = new Uint8Array(offsets.at(-1));
  const numbers = new DataView(whole.buffer);
  [parts.length, ...offsets.slice(0, -1)].forEach((number, i) => numbers.setUint32(4 * i, number));
  parts.forEach((part, i) => whole.set(part, offsets[i]));
  return whole;
}

function decodeOld(data) {
  const numbers = new DataView(data);
  const count = numbers.getUint32(0);
  const offset = (i) => (i < count ? numbers.getUint32(4 * (i + 1)) : data.byteLength);
  const part = (i) => new DataView(data, offset(i), offset(i + 1) - offset(i));
  const buffers = Array.from({ length: count - 1 }, (_, i) => part(i + 1));
  return { ...JSON.parse(words.decode(part(0))), buffers };
}

function bytes(buffer) {
  return ArrayBuffer.isView(buffer)
    ? new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength)
    : new Uint8Array(buffer);
}
