// The chat panel. What the server says becomes text nodes only, never markup.

import { Line } from "./socket.js";

const KEPT = 300;
const GUESTS = ["Ada", "Alan", "Barbara", "Edsger", "Grace", "Joe", "Katherine", "Robert", "Tony"];
const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });

export class Chat {
  constructor(panel) {
    this.panel = panel;
    this.log = panel.querySelector("#log");
    this.here = panel.querySelector("#here");
    this.count = panel.querySelector("#here-count");
    this.who = panel.querySelector("#who-form").elements;
    this.text = panel.querySelector("#say-text");
    this.me = {
      name: recall("name") || GUESTS[Math.floor(Math.random() * GUESTS.length)],
      room: recall("room") || "lobby",
    };
    this.showMe();
    this.lost();
    panel.querySelector("#say").addEventListener("submit", (event) => this.say(event));
    panel.querySelector("#who-form").addEventListener("submit", (event) => this.change(event));
    this.line = new Line(panel, () => "/chat?" + new URLSearchParams(this.me), {
      open: () => this.usable(true),
      message: (data) => this.heard(data.split("\t")),
      close: () => this.lost(),
    });
  }

  say(event) {
    event.preventDefault();
    const what = this.text.value.trim();
    if (what && this.line.send("say " + what)) this.text.value = "";
  }

  change(event) {
    event.preventDefault();
    for (const field of ["name", "room"]) {
      const wanted = this.who[field].value.trim();
      if (wanted && wanted !== this.me[field]) this.line.send(`${field} ${wanted}`);
    }
    this.showMe();
    this.text.focus();
  }

  lost() {
    this.showNames([]);
    this.usable(false);
  }

  // What was typed stays: only the buttons are switched off.
  usable(yes) {
    for (const button of this.panel.querySelectorAll("form button")) button.disabled = !yes;
    this.log.classList.toggle("stale", !yes);
  }

  heard([tag, ...fields]) {
    if (Object.hasOwn(events, tag)) events[tag].apply(this, fields);
  }

  iAm(me) {
    Object.assign(this.me, me);
    for (const [key, value] of Object.entries(me)) keep(key, value);
    this.showMe();
  }

  showMe() {
    this.who.name.value = this.me.name;
    this.who.room.value = this.me.room;
  }

  showNames(names) {
    this.names = names.sort((a, b) => a.localeCompare(b));
    this.here.replaceChildren(...this.names.map((name) => this.person(name)));
    this.count.textContent = names.length ? `(${names.length})` : "";
  }

  person(name) {
    const mine = name === this.me.name;
    return element("li", mine ? "me" : "", mine ? `${name} (you)` : name);
  }

  note(text, time) {
    this.add(element("li", "note", text), time);
  }

  add(item, time) {
    const { log } = this;
    const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
    if (time) item.append(stamp(new Date(Number(time))));
    log.append(item);
    while (log.children.length > KEPT) log.firstChild.remove();
    // Whoever reads further up is left there.
    if (atEnd) log.scrollTop = log.scrollHeight;
  }
}

// What to do with each kind of line; `this` is the chat.
const events = {
  welcome(room, name) {
    this.iAm({ room, name });
    this.log.replaceChildren();
    this.note(`You are ${name} in ${room}.`);
  },
  here(...names) {
    this.showNames(names);
  },
  joined(time, name) {
    this.showNames([...this.names, name]);
    this.note(`${name} came`, time);
  },
  left(time, name) {
    this.showNames(this.names.filter((other) => other !== name));
    this.note(`${name} left`, time);
  },
  renamed(time, old, name) {
    if (old === this.me.name) this.iAm({ name });
    this.showNames(this.names.map((other) => (other === old ? name : other)));
    this.note(`${old} is now ${name}`, time);
  },
  said(time, name, text) {
    const item = element("li", name === this.me.name ? "said mine" : "said", "");
    item.append(element("b", "", name), text);
    this.add(item, time);
  },
  error(text) {
    this.add(element("li", "note fault", text));
  },
};

function element(tag, kind, text) {
  const made = document.createElement(tag);
  made.className = kind;
  made.textContent = text;
  return made;
}

function stamp(when) {
  const made = element("time", "", clock.format(when));
  made.dateTime = when.toISOString();
  return made;
}

// Per window, so that two windows are two people.
function recall(key) {
  try {
    return sessionStorage.getItem("drover-" + key);
  } catch {
    return null;
  }
}

function keep(key, value) {
  try {
    sessionStorage.setItem("drover-" + key, value);
  } catch {
    // Forgotten at the next load, then.
  }
}
