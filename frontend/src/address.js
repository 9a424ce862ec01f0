// The page's title and address follow what it shows.

let told; // the JSON that was read last

/** Take the parameters `names` out of the address. */
export function forget(names) {
  const address = new URL(location.href);
  if (!names.some((name) => address.searchParams.has(name))) return;
  for (const name of names) address.searchParams.delete(name);
  history.replaceState(history.state, "", address);
}

/**
 * Follow the first element of a notebook's HTML in `root` that names a title, and a query, such as
 * `<h1 data-kezako-title="Bears" data-kezako-query='{"model": "bears"}'>`.
 *
 * The query is put into the address when it changes, not when the page opens: who reloads or shares
 * the page then gets what it shows.
 */
export function follow(root) {
  const { kezakoTitle: title, kezakoQuery: query } =
    root.querySelector("[data-kezako-title]")?.dataset ?? {};
  if (title) document.title = title;
  if (!query || query === told) return;
  const changed = told !== undefined;
  told = query;
  if (!changed) return;
  const address = new URL(location.href);
  for (const [name, value] of Object.entries(JSON.parse(query))) {
    address.searchParams.set(name, value);
  }
  history.replaceState(history.state, "", address);
}
