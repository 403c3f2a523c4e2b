// The echo panel: sends numbered messages at the chosen rate, checks that each comes back as it
// went, and shows how long that took.

import { Chart } from "./chart.js";
import { Line } from "./socket.js";

const RATES = [0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000];
const TICK = 20;
const MAX_FLYING = 256;
const MAX_FLYING_BYTES = 8 * 1024 * 1024;
const RECENT = 1000;
const WORDS = "the quick brown fox jumps over the lazy dog while the drover counts sheep ";

export function startEcho(panel) {
  const find = (id) => panel.querySelector("#" + id);
  const control = { size: find("size"), rate: find("rate"), kind: find("kind"), content: find("content") };
  const trips = new Chart(find("rtt-chart"), "median", ms);
  const bytes = new Chart(find("bytes-chart"), "rate", (n) => size(n));
  const total = { sent: 0, received: 0, out: 0, in: 0, wrong: 0 };
  const recent = [];
  let flying = [];
  let flyingBytes = 0;
  let number = 0;
  let running = true;
  let due = 0;
  let body = makeBody();

  const line = new Line(panel, () => "/echo", { open: opened, message: heard, close: closed });

  function opened() {
    panel.classList.remove("stale");
    find("ping").disabled = false;
    flying = [];
    flyingBytes = 0;
  }

  function closed() {
    find("ping").disabled = true;
    for (const id of ["messages", "bytes", "memory", "compress"]) find("server-" + id).textContent = "–";
    flying = [];
    flyingBytes = 0;
  }

  function heard(data) {
    if (typeof data === "string") {
      const [tag, ...fields] = data.slice(0, 100).split("\t");
      if (tag === "stats") return serverStats(...fields);
      if (tag === "pong") return serverPong(Number(fields[0]));
    }
    echoed(data);
  }

  function echoed(data) {
    const trip = flying.shift();
    const length = data.byteLength ?? data.length;
    total.received += 1;
    total.in += length;
    if (!trip || !trip.same(data)) total.wrong += 1;
    if (!trip) return;
    flyingBytes -= trip.length;
    const now = performance.now();
    const took = now - trip.at;
    trips.add(took, now);
    bytes.add(length, now);
    recent.push(took);
    if (recent.length > RECENT) recent.shift();
  }

  function serverStats(messages, count, memory, compress) {
    find("server-messages").textContent = grouped(messages);
    find("server-bytes").textContent = size(Number(count));
    find("server-memory").textContent = size(Number(memory));
    find("server-compress").textContent = compress === "true" ? "on" : "off";
  }

  function serverPong(microseconds) {
    find("server-ping").textContent = ms(microseconds / 1000);
    trips.mark(microseconds / 1000);
  }

  // Never more on its way than the line can take: what is due but cannot go is dropped.
  function tick() {
    if (!running || !line.isOpen()) return (due = 0);
    due += (RATES[control.rate.value] * TICK) / 1000;
    while (due >= 1) {
      due -= 1;
      if (flying.length >= MAX_FLYING || flyingBytes + body.length > MAX_FLYING_BYTES) return (due = 0);
      sendOne();
    }
  }

  function sendOne() {
    number = (number + 1) >>> 0;
    const message = body.numbered(number);
    const at = performance.now();
    if (!line.send(message)) return;
    flying.push({ at, length: body.length, same: body.check(number) });
    flyingBytes += body.length;
    total.sent += 1;
    total.out += body.length;
  }

  function makeBody() {
    const length = 2 ** control.size.value;
    return control.kind.value === "text" ? textBody(length, control.content.value) : binaryBody(length, control.content.value);
  }

  function showFigures() {
    find("sent").textContent = grouped(total.sent);
    find("received").textContent = grouped(total.received);
    find("bytes-out").textContent = size(total.out);
    find("bytes-in").textContent = size(total.in);
    find("flying").textContent = grouped(flying.length);
    find("wrong").textContent = grouped(total.wrong);
    find("wrong").classList.toggle("some", total.wrong > 0);
    if (recent.length === 0) return;
    const sorted = recent.slice(-200).sort((a, b) => a - b);
    const [middle, high] = [sorted[sorted.length >> 1], sorted[Math.floor(sorted.length * 0.99)]];
    find("rtt").textContent = ms(middle);
    find("rtt99").textContent = ms(high);
    find("rtt-chart").ariaLabel = `Round trip time over the last 30 seconds: median ${ms(middle)}, 99 in 100 under ${ms(high)}`;
  }

  function showControls() {
    find("size-out").textContent = size(2 ** control.size.value);
    find("rate-out").textContent = RATES[control.rate.value];
    control.size.ariaValueText = size(2 ** control.size.value);
    control.rate.ariaValueText = `${RATES[control.rate.value]} per second`;
    body = makeBody();
  }

  for (const input of Object.values(control)) input.addEventListener("input", showControls);
  find("toggle").addEventListener("click", () => {
    running = !running;
    find("toggle").textContent = running ? "Pause" : "Start";
  });
  find("ping").addEventListener("click", () => line.send("/ping"));
  showControls();
  setInterval(tick, TICK);
  setInterval(showFigures, 250);
}

// A body is made once for each choice of size and content; each message differs in its number.
function textBody(length, content) {
  const filler = content === "words" ? WORDS : randomText(Math.min(length, 65536));
  const rest = filler.repeat(Math.ceil(length / filler.length)).slice(0, length - 10);
  const numbered = (number) => String(number).padStart(10, "0") + rest;
  return { length, numbered, check: (number) => (data) => data === numbered(number) };
}

function binaryBody(length, content) {
  const filler = content === "words" ? new TextEncoder().encode(WORDS) : randomBytes(Math.min(length, 65536));
  const base = new Uint8Array(length);
  for (let at = 0; at < length; at += filler.length) base.set(filler.subarray(0, length - at), at);
  const numbered = (number) => {
    const message = base.slice();
    new DataView(message.buffer).setUint32(0, number);
    return message;
  };
  const check = (number) => (data) => {
    if (typeof data === "string" || data.byteLength !== length) return false;
    const [got, sent] = [new Uint8Array(data), numbered(number)];
    return got.every((byte, at) => byte === sent[at]);
  };
  return { length, numbered, check };
}

function randomBytes(length) {
  return crypto.getRandomValues(new Uint8Array(length));
}

function randomText(length) {
  return Array.from(randomBytes(length), (byte) => String.fromCharCode(33 + (byte % 94))).join("");
}

function ms(value) {
  if (value === 0) return "0 ms";
  if (value >= 1000) return `${(value / 1000).toFixed(value < 10000 ? 1 : 0)} s`;
  return `${value < 1 ? value.toFixed(2) : value < 10 ? value.toFixed(1) : value.toFixed(0)} ms`;
}

function size(value) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 || Number.isInteger(value) ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

function grouped(value) {
  return Number(value).toLocaleString();
}
