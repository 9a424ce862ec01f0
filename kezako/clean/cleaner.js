// Keys for the cleaner: each presses the button that a mouse would. Without this script, Tab,
// Enter and the menus' own keys do all of it.
(() => {
  if (window.kezakoCleaner) return;
  window.kezakoCleaner = true;

  const visible = (element) => element.offsetParent !== null;

  const move = (thumbnail, digit) => {
    const menu = thumbnail.querySelector(".kz-button-move select");
    const named = new RegExp(`^${digit}\\s`); // ipywidgets puts no-break spaces into options
    const chosen = [...menu.options].findIndex((option) => named.test(option.text));
    if (chosen < 0) return;
    menu.selectedIndex = menu.selectedIndex === chosen ? 0 : chosen;
    menu.dispatchEvent(new Event("change", { bubbles: true }));
  };

  const step = (root, thumbnail, by) => {
    const all = [...root.querySelectorAll(".kz-thumbnail")].filter(visible);
    const next = all[thumbnail ? all.indexOf(thumbnail) + by : 0];
    const target = next && next.querySelector("button:enabled");
    if (target) {
      target.focus();
      next.scrollIntoView({ block: "nearest" });
    }
  };

  const act = (root, thumbnail, key) => {
    const press = (where, name) => where && where.querySelector(name)?.click();
    if (key === "ArrowRight") step(root, thumbnail, 1);
    else if (key === "ArrowLeft") step(root, thumbnail, -1);
    else if (key === "k") press(thumbnail, ".kz-button-keep");
    else if (key === "d") press(thumbnail, ".kz-button-delete");
    else if (/^[1-9]$/.test(key) && thumbnail) move(thumbnail, key);
    else if (key === "n") press(root, ".kz-next");
    else if (key === "p") press(root, ".kz-previous");
    else if (key === "u") press(root, ".kz-undo");
    else return false;
    return true;
  };

  const listen = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const focused = document.activeElement;
    const nowhere = !focused || focused === document.body;
    const root = nowhere
      ? document.querySelector("body[data-voila] .kezako-cleaner")
      : focused.closest(".kezako-cleaner");
    if (!root || focused.matches("select, input, textarea")) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (act(root, focused.closest(".kz-thumbnail"), key)) {
      event.preventDefault();
      event.stopPropagation(); // in Jupyter, D twice would delete the cell
    }
  };

  window.addEventListener("keydown", listen, true);
})();
