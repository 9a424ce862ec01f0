// Binary values travel beside a widget's JSON state; paths say where they belong.

/** Put `buffers` into `state` at `paths`. */
export function put(state, paths, buffers) {
  paths.forEach((path, i) => {
    let place = state;
    for (const key of path.slice(0, -1)) place = place[key];
    place[path.at(-1)] = buffers[i];
  });
  return state;
}

/** `state` without its binary values, their paths, and them. */
export function take(state) {
  const paths = [];
  const buffers = [];
  // JSON leaves undefined out of objects, and writes null for it in arrays: as the kernel does.
  const walk = (value, path) => {
    if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) {
      paths.push(path);
      buffers.push(value);
      return undefined;
    }
    if (Array.isArray(value)) return value.map((item, i) => walk(item, [...path, i]));
    if (value === null || typeof value !== "object") return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, walk(item, [...path, key])]),
    );
  };
  return { state: walk(state, []), paths, buffers };
}

/** The bytes that `data` stands for. */
export function fromBase64(data) {
  return new DataView(Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0)).buffer);
}
