const read = (id) => JSON.parse(document.getElementById(id)?.textContent ?? "null");

/**
 * What the server says of this page: `baseUrl`, `kernelId`, `uploadLimit` in bytes, `camera` (whether
 * it may be used here), `boot`, which is another after each start of the server ("" if unknown), and
 * `forget`: names in the address's query that are of no use in a link to the page.
 */
export const config = {
  ...read("kezako-page"),
  token: new URLSearchParams(location.search).get("token") ?? "", // of a Jupyter server
};

/** The widgets' state that came with the page; null where the kernel has to be asked. */
export const drawnState = read("kezako-state");
