// The rarer widgets, fetched only by a page that has one of them.
import "./widgets/containers.js";
import "./widgets/gamepad.js";
import "./widgets/inputs.js";
import "./widgets/lists.js";
import "./widgets/links.js";
import "./widgets/media.js";
import "./widgets/pickers.js";
import "./widgets/play.js";
import "./widgets/progress.js";
import "./widgets/sliders.js";
import "./widgets/tags.js";
