import { workers } from "../views.js";

/** `jslink` and `jsdlink`: attributes of two widgets kept equal on the page, without the kernel. */
function link(model, both) {
  const { manager } = model;
  const end = (name) => {
    const [reference, attribute] = model.get(name) ?? [];
    return { model: manager.refer(reference), attribute };
  };
  const copy = (from, to) => {
    if (from.model && to.model) to.model.save({ [to.attribute]: from.model.get(from.attribute) });
  };
  const stop = [];
  const connect = () => {
    for (const unlink of stop.splice(0)) unlink();
    const [source, target] = [end("source"), end("target")];
    const follow = (from, to) => {
      const listener = (names) => names.has(from.attribute) && copy(from, to);
      if (from.model) stop.push(from.model.listen(listener));
    };
    follow(source, target);
    if (both) follow(target, source);
    copy(source, target);
  };
  model.listen(connect);
  queueMicrotask(connect); // the widgets at its ends may come with the same message
}

workers
  .set("LinkModel", (model) => link(model, true))
  .set("DirectionalLinkModel", (model) => link(model, false));
