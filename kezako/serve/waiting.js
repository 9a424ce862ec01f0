// Looks for a place again. A refresh by itself would end at the browser's error page while the
// server is restarted.
const { again, where } = document.documentElement.dataset;

async function look() {
  try {
    const signal = AbortSignal.timeout?.(10000);
    const { ok } = await fetch(where, { method: "HEAD", cache: "no-store", signal });
    if (ok) return location.replace(where);
  } catch {
    // No network, or no server for the moment.
  }
  document.getElementById("away").hidden = false;
  setTimeout(look, 1000 * again);
}

setTimeout(look, 1000 * again);
