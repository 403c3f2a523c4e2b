// A WebSocket that comes back: after a loss it tries again, ever more rarely, and at once when
// asked or when the network returns. It keeps the panel's status line true.

const FIRST_DELAY = 500;
const LONGEST_DELAY = 10000;
const OPENING_DELAY = 8000;

export class Line {
  // `url` is asked for each time, since the chat's address holds the present room and name.
  constructor(panel, url, on) {
    this.url = url;
    this.on = on;
    this.status = panel.querySelector(".status");
    this.text = panel.querySelector(".status-text");
    this.retry = panel.querySelector(".retry");
    this.extension = panel.querySelector(".extension");
    this.delay = FIRST_DELAY;
    this.retry.addEventListener("click", () => this.connect());
    window.addEventListener("online", () => this.isOpen() || this.connect());
    this.connect();
  }

  isOpen() {
    return this.socket.readyState === WebSocket.OPEN;
  }

  send(data) {
    if (!this.isOpen()) return false;
    this.socket.send(data);
    return true;
  }

  connect() {
    clearInterval(this.countdown);
    this.drop();
    const socket = new WebSocket(new URL(this.url(), location.href.replace(/^http/, "ws")));
    socket.binaryType = "arraybuffer";
    socket.onopen = () => this.opened();
    socket.onmessage = (event) => this.on.message(event.data);
    socket.onclose = (event) => this.lost(event);
    this.socket = socket;
    this.opening = setTimeout(() => socket.close(), OPENING_DELAY);
    this.show("connecting", "Connecting");
  }

  // Forget the present socket without hearing of it again.
  drop() {
    clearTimeout(this.opening);
    if (!this.socket) return;
    this.socket.onopen = this.socket.onmessage = this.socket.onclose = null;
    this.socket.close();
  }

  opened() {
    clearTimeout(this.opening);
    this.delay = FIRST_DELAY;
    this.extension.textContent = this.socket.extensions || "no extension";
    this.show("open", "Connected");
    this.on.open();
  }

  lost(event) {
    clearTimeout(this.opening);
    this.extension.textContent = "";
    this.on.close();
    const why = event.reason || (event.code === 1006 ? "" : `code ${event.code}`);
    // Spread out, so that many pages do not all come back in the same moment.
    const until = Date.now() + this.delay * (0.8 + 0.4 * Math.random());
    this.delay = Math.min(this.delay * 2, LONGEST_DELAY);
    this.count(until, why ? `Disconnected (${why})` : "Disconnected");
  }

  count(until, what) {
    const tick = () => {
      const left = until - Date.now();
      if (left <= 0) return this.connect();
      this.show("closed", what, `, trying again in ${Math.ceil(left / 1000)} s`);
    };
    clearInterval(this.countdown);
    this.countdown = setInterval(tick, 250);
    tick();
  }

  // Screen readers hear `what` once; the countdown beside it stays silent.
  show(state, what, rest = "") {
    this.status.dataset.state = state;
    this.retry.hidden = state !== "closed";
    if (this.text.firstChild?.data !== what || rest === "") {
      const silent = document.createElement("span");
      silent.setAttribute("aria-hidden", "true");
      this.text.replaceChildren(document.createTextNode(what), silent);
    }
    this.text.lastChild.textContent = rest;
  }
}
