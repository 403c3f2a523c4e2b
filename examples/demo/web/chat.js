// The chat panel. What the server says becomes text nodes only, never markup.

import { Line } from "./socket.js";

const KEPT = 300;
const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const guests = ["Ada", "Alan", "Barbara", "Edsger", "Grace", "Joe", "Katherine", "Robert", "Tony"];

export function startChat(panel) {
  const find = (id) => panel.querySelector("#" + id);
  const [log, here, name, room, text] = ["log", "here", "name", "room", "say-text"].map(find);
  let names = [];
  const me = {
    name: remembered("name") || guests[Math.floor(Math.random() * guests.length)],
    room: remembered("room") || "lobby",
  };

  const line = new Line(panel, () => "/chat?" + new URLSearchParams(me), {
    open: () => usable(true),
    message: (data) => heard(...data.split("\t")),
    close: () => {
      names = [];
      showNames();
      usable(false);
    },
  });

  const events = {
    welcome(inRoom, asName) {
      Object.assign(me, { room: inRoom, name: asName });
      name.value = asName;
      room.value = inRoom;
      log.replaceChildren();
      note(`You are ${asName} in ${inRoom}.`);
    },
    here(...all) {
      names = all;
      showNames();
    },
    joined(time, who) {
      names.push(who);
      showNames();
      note(`${who} came`, time);
    },
    left(time, who) {
      names = names.filter((other) => other !== who);
      showNames();
      note(`${who} left`, time);
    },
    renamed(time, old, now) {
      if (old === me.name) name.value = me.name = now;
      names = names.map((other) => (other === old ? now : other));
      showNames();
      note(`${old} is now ${now}`, time);
    },
    said(time, who, what) {
      const item = add("said", "", time);
      item.classList.toggle("mine", who === me.name);
      item.prepend(element("b", who), what);
    },
    error: (what) => add("note", what).classList.add("fault"),
  };

  function heard(tag, ...fields) {
    if (Object.hasOwn(events, tag)) events[tag](...fields);
  }

  function note(what, time) {
    add("note", what, time);
  }

  function add(kind, what, time) {
    const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
    const item = element("li", what);
    item.className = kind;
    if (time) {
      const when = new Date(Number(time));
      const stamp = element("time", clock.format(when));
      stamp.dateTime = when.toISOString();
      item.append(stamp);
    }
    log.append(item);
    while (log.children.length > KEPT) log.firstChild.remove();
    // Whoever reads further up is left there.
    if (atEnd || kind === "welcome") queueMicrotask(() => (log.scrollTop = log.scrollHeight));
    return item;
  }

  function showNames() {
    const items = [...names].sort((a, b) => a.localeCompare(b)).map((who) => {
      const item = element("li", who === me.name ? `${who} (you)` : who);
      item.classList.toggle("me", who === me.name);
      return item;
    });
    here.replaceChildren(...items);
    find("here-count").textContent = names.length ? `(${names.length})` : "";
  }

  // What was typed stays: only the buttons are switched off.
  function usable(yes) {
    for (const button of panel.querySelectorAll("form button")) button.disabled = !yes;
    log.classList.toggle("stale", !yes);
  }

  find("say").addEventListener("submit", (event) => {
    event.preventDefault();
    const what = text.value.trim();
    if (what && line.send("say " + what)) text.value = "";
  });

  find("who-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const wanted = { name: name.value.trim() || me.name, room: room.value.trim() || "lobby" };
    if (wanted.name !== me.name && line.send("name " + wanted.name)) remember("name", wanted.name);
    if (wanted.room !== me.room && line.send("room " + wanted.room)) remember("room", wanted.room);
    text.focus();
  });

  name.value = me.name;
  room.value = me.room;
}

function element(tag, text) {
  const made = document.createElement(tag);
  made.textContent = text;
  return made;
}

// Per window, so that two windows are two people.
function remembered(key) {
  try {
    return sessionStorage.getItem("drover-" + key);
  } catch {
    return null;
  }
}

function remember(key, value) {
  try {
    sessionStorage.setItem("drover-" + key, value);
  } catch {
    // Not remembered, then.
  }
}
