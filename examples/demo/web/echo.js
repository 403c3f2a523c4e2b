// The echo panel: sends numbered messages at the chosen rate, checks that each comes back as it
// went, and shows how long that took.

import { makeBody } from "./body.js";
import { Chart } from "./chart.js";
import { grouped, ms, size } from "./format.js";
import { Line } from "./socket.js";

const RATES = [0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000];
const TICK = 20;
const MAX_FLYING = 256;
const MAX_FLYING_BYTES = 8 * 1024 * 1024;
const RECENT = 200;

export class Echo {
  constructor(panel) {
    this.find = (id) => panel.querySelector("#" + id);
    this.control = this.findAll(["size", "rate", "kind", "content"]);
    this.trips = new Chart(this.find("rtt-chart"), "median", ms);
    this.bytes = new Chart(this.find("bytes-chart"), "rate", size);
    this.total = { sent: 0, received: 0, out: 0, in: 0, wrong: 0 };
    this.recent = [];
    this.number = 0;
    this.running = true;
    this.due = 0;
    this.nothingFlying();
    this.choose();
    this.listen();
    this.line = new Line(panel, () => "/echo", {
      open: () => this.opened(),
      message: (data) => this.heard(data),
      close: () => this.lost(),
    });
    setInterval(() => this.tick(), TICK);
    setInterval(() => this.showFigures(), 250);
  }

  findAll(ids) {
    return Object.fromEntries(ids.map((id) => [id, this.find(id)]));
  }

  listen() {
    for (const input of Object.values(this.control)) input.addEventListener("input", () => this.choose());
    this.find("toggle").addEventListener("click", () => this.toggle());
    this.find("ping").addEventListener("click", () => this.line.send("/ping"));
  }

  choose() {
    const { size: bits, rate, kind, content } = this.control;
    this.rate = RATES[rate.value];
    this.body = makeBody(2 ** bits.value, kind.value, content.value);
    this.find("size-out").textContent = bits.ariaValueText = size(this.body.length);
    this.find("rate-out").textContent = this.rate;
    rate.ariaValueText = `${this.rate} per second`;
  }

  toggle() {
    this.running = !this.running;
    this.find("toggle").textContent = this.running ? "Pause" : "Start";
  }

  opened() {
    this.find("ping").disabled = false;
    this.nothingFlying();
  }

  lost() {
    this.find("ping").disabled = true;
    this.showServer(["–", "–", "–", "–"]);
    this.nothingFlying();
  }

  nothingFlying() {
    this.flying = [];
    this.flyingBytes = 0;
  }

  // Never more on its way than the line can take: what is due but cannot go is dropped.
  tick() {
    if (!this.running || !this.line.isOpen()) return (this.due = 0);
    this.due += (this.rate * TICK) / 1000;
    for (; this.due >= 1; this.due--) {
      if (this.isFull()) return (this.due = 0);
      this.send();
    }
  }

  isFull() {
    return this.flying.length >= MAX_FLYING || this.flyingBytes + this.body.length > MAX_FLYING_BYTES;
  }

  send() {
    const { body } = this;
    const number = (this.number = (this.number + 1) >>> 0);
    const message = body.message(number);
    const at = performance.now();
    if (!this.line.send(message)) return;
    this.flying.push({ at, body, number });
    this.flyingBytes += body.length;
    this.total.sent += 1;
    this.total.out += body.length;
  }

  heard(data) {
    const [tag, ...fields] = typeof data === "string" ? data.slice(0, 100).split("\t") : [];
    if (tag === "stats") this.serverSaw(...fields);
    else if (tag === "pong") this.serverPong(Number(fields[0]) / 1000);
    else this.echoed(data);
  }

  echoed(data) {
    const now = performance.now();
    const length = data.byteLength ?? data.length;
    const trip = this.flying.shift();
    this.total.received += 1;
    this.total.in += length;
    this.bytes.add(length, now);
    if (!trip?.body.isMessage(data, trip.number)) this.total.wrong += 1;
    if (trip) this.arrived(trip, now);
  }

  arrived(trip, now) {
    this.flyingBytes -= trip.body.length;
    this.trips.add(now - trip.at, now);
    this.recent.push(now - trip.at);
    if (this.recent.length > RECENT) this.recent.shift();
  }

  serverSaw(messages, bytes, memory, compress) {
    this.showServer([grouped(messages), size(bytes), size(memory), compress === "true" ? "on" : "off"]);
  }

  showServer([messages, bytes, memory, compress]) {
    this.show("server-messages", messages);
    this.show("server-bytes", bytes);
    this.show("server-memory", memory);
    this.show("server-compress", compress);
  }

  serverPong(took) {
    this.show("server-ping", ms(took));
    this.trips.mark(took);
  }

  show(id, text) {
    this.find(id).textContent = text;
  }

  showFigures() {
    const { total } = this;
    this.show("sent", grouped(total.sent));
    this.show("received", grouped(total.received));
    this.show("bytes-out", size(total.out));
    this.show("bytes-in", size(total.in));
    this.show("flying", grouped(this.flying.length));
    this.show("wrong", grouped(total.wrong));
    this.find("wrong").classList.toggle("some", total.wrong > 0);
    if (this.recent.length > 0) this.showRoundTrip(this.recent.toSorted((a, b) => a - b));
  }

  showRoundTrip(sorted) {
    const middle = ms(sorted[sorted.length >> 1]);
    const high = ms(sorted[Math.floor(sorted.length * 0.99)]);
    this.show("rtt", middle);
    this.show("rtt99", high);
    const label = `Round trip time over the last 30 seconds: median ${middle}, 99 in 100 under ${high}`;
    this.find("rtt-chart").ariaLabel = label;
  }
}
