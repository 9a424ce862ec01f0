/** A number's format as Python and d3 write it: `d`, `.2f`, `.3g`, `,`, `.0%`, `+.1e`. */
export function format(spec) {
  const [, plus, comma, digits, kind] = /^([+]?)[0-9]*(,?)(?:\.(\d+))?([a-z%]?)$/i.exec(spec ?? "") ?? [];
  const places = digits === undefined ? undefined : Number(digits);
  return (value) => {
    const text = written(Number(value), kind, places);
    const signed = plus && value > 0 ? `+${text}` : text;
    const [whole, ...rest] = signed.split(".");
    return comma ? [whole.replace(/\B(?=(\d{3})+(?!\d))/g, ","), ...rest].join(".") : signed;
  };
}

function written(value, kind, places) {
  if (kind === "d") return String(Math.round(value));
  if (kind === "f") return value.toFixed(places ?? 6);
  if (kind === "%") return `${(100 * value).toFixed(places ?? 6)}%`;
  if (kind === "e") return value.toExponential(places ?? 6);
  if (places === undefined) return String(value);
  return value.toPrecision(Math.max(1, places));
}
