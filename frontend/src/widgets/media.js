import { views } from "../views.js";
import { Media } from "./pictures.js";

class Player extends Media {
  update(names) {
    super.update(names);
    for (const name of ["autoplay", "loop", "controls"]) this.el[name] = Boolean(this.get(name));
    this.el.title = this.get("tooltip") ?? "";
  }
}

class Audio extends Player {
  static tag = "audio";
  static kind = "audio";
  static classes = ["widget-audio"];
}

class Video extends Player {
  static tag = "video";
  static kind = "video";
  static classes = ["widget-video"];
}

views.set("AudioView", Audio).set("VideoView", Video);
