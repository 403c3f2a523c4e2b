// A chart of the last half minute that moves with time: one bin per 100 ms, drawn as a line
// inside a band from the lowest to the highest value, and single marks.

const SPAN = 30000;
const BIN = 100;
const LEFT = 58;
const BOTTOM = 18;
const TOP = 8;

const calm = matchMedia("(prefers-reduced-motion: reduce)");

export class Chart {
  // `kind` is "median" (of the values in a bin, in ms) or "rate" (their sum per second, in bytes);
  // `unit` writes a value of the scale.
  constructor(canvas, kind, unit) {
    this.canvas = canvas;
    this.kind = kind;
    this.unit = unit;
    this.nice = kind === "median" ? niceTen : niceTwo;
    this.least = kind === "median" ? 0.1 : 64;
    this.bins = [];
    this.marks = [];
    this.top = 0;
    this.drawn = 0;
    new ResizeObserver(() => this.resize()).observe(canvas);
    requestAnimationFrame((now) => this.frame(now));
  }

  add(value, now = performance.now()) {
    const at = Math.floor(now / BIN);
    let bin = this.bins.at(-1);
    if (!bin || bin.at !== at) this.bins.push((bin = { at, values: [] }));
    bin.values.push(value);
  }

  mark(value, now = performance.now()) {
    this.marks.push({ at: now, value });
  }

  resize() {
    const ratio = devicePixelRatio || 1;
    this.canvas.width = this.canvas.clientWidth * ratio;
    this.canvas.height = this.canvas.clientHeight * ratio;
    this.drawn = 0;
  }

  frame(now) {
    requestAnimationFrame((next) => this.frame(next));
    if (calm.matches && now - this.drawn < 1000) return;
    this.drawn = now;
    this.forget(now);
    this.draw(now);
  }

  forget(now) {
    const oldest = now - SPAN - BIN;
    while (this.bins.length && this.bins[0].at * BIN < oldest) this.bins.shift();
    while (this.marks.length && this.marks[0].at < oldest) this.marks.shift();
  }

  // What to draw: bins that are over. The present one would dip at the right edge.
  points(present) {
    const over = this.bins.filter((bin) => bin.at < present);
    return this.kind === "median" ? over.map(median) : perSecond(over, present);
  }

  // The scale follows the highest value: up at once, down slowly.
  scale(points) {
    const highest = Math.max(this.least, ...points.map((p) => p.high), ...this.marks.map((m) => m.value));
    this.top = Math.max(highest, this.top * 0.99);
    return this.nice(this.top * 1.05);
  }

  draw(now) {
    const ctx = this.canvas.getContext("2d");
    const ratio = devicePixelRatio || 1;
    const [width, height] = [this.canvas.width / ratio, this.canvas.height / ratio];
    const style = getComputedStyle(this.canvas);
    const colour = (name) => style.getPropertyValue(name).trim();
    const points = this.points(Math.floor(now / BIN));
    const top = this.scale(points);
    const x = (at) => LEFT + (1 - (now - at) / SPAN) * (width - LEFT);
    const y = (value) => height - BOTTOM - (value / top) * (height - BOTTOM - TOP);

    ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    ctx.clearRect(0, 0, width, height);
    this.axes(ctx, { width, height, top, x, y, now }, colour);
    ctx.save();
    ctx.beginPath();
    ctx.rect(LEFT, 0, width - LEFT, height);
    ctx.clip();
    for (const run of runs(points)) this.run(ctx, run, x, y, colour);
    ctx.fillStyle = colour("--mark");
    for (const { at, value } of this.marks) diamond(ctx, x(at), y(value), 5);
    ctx.restore();
  }

  axes(ctx, { width, height, top, x, y, now }, colour) {
    ctx.font = "12px " + getComputedStyle(this.canvas).fontFamily;
    ctx.fillStyle = colour("--soft");
    ctx.strokeStyle = colour("--rule");
    ctx.lineWidth = 1;
    ctx.textAlign = "right";
    ctx.textBaseline = "middle";
    for (const value of height > 120 ? [0, top / 2, top] : [0, top]) {
      const at = Math.round(y(value)) + 0.5;
      line(ctx, LEFT, at, width, at);
      ctx.fillText(this.unit(value), LEFT - 8, at);
    }
    ctx.textAlign = "center";
    for (let second = 0; second <= SPAN / 1000; second += 10) {
      const text = second === 0 ? "now" : `−${second} s`;
      const at = x(now - second * 1000);
      ctx.textAlign = second === 0 ? "right" : second * 1000 === SPAN ? "left" : "center";
      ctx.fillText(text, at, height - 7);
    }
  }

  run(ctx, points, x, y, colour) {
    const centre = (point) => x((point.at + 0.5) * BIN);
    ctx.fillStyle = colour("--band");
    ctx.beginPath();
    for (const p of points) ctx.lineTo(centre(p), y(p.high));
    for (const p of points.toReversed()) ctx.lineTo(centre(p), y(p.low));
    ctx.fill();
    ctx.strokeStyle = colour("--line");
    ctx.lineWidth = 2;
    ctx.lineJoin = "round";
    ctx.lineCap = "round";
    ctx.beginPath();
    for (const p of points) ctx.lineTo(centre(p), y(p.line));
    if (points.length === 1) ctx.lineTo(centre(points[0]) + 0.1, y(points[0].line));
    ctx.stroke();
  }
}

function median({ at, values }) {
  const sorted = values.toSorted((a, b) => a - b);
  return { at, low: sorted[0], line: sorted[sorted.length >> 1], high: sorted.at(-1) };
}

// At each bin, the sum of the second that ends with it.
function perSecond(bins, present) {
  if (bins.length === 0) return [];
  const sums = new Map(bins.map(({ at, values }) => [at, values.reduce((a, b) => a + b, 0)]));
  const points = [];
  let sum = 0;
  for (let at = bins[0].at; at < present; at++) {
    sum += (sums.get(at) ?? 0) - (sums.get(at - 1000 / BIN) ?? 0);
    points.push({ at, low: 0, line: sum, high: sum });
  }
  return points;
}

// The next of 1, 2, 4, 8...
function niceTwo(value) {
  return 2 ** Math.ceil(Math.log2(value));
}

// The next of 1, 2, 5, 10, 20, 50...
function niceTen(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].find((step) => step * power >= value) * power;
}

// Parts of the line without a gap: above 1.5 s of silence it is broken.
function runs(points) {
  const found = [];
  for (const point of points) {
    const last = found.at(-1);
    if (last && point.at - last.at(-1).at <= 15) last.push(point);
    else found.push([point]);
  }
  return found;
}

function line(ctx, x1, y1, x2, y2) {
  ctx.beginPath();
  ctx.moveTo(x1, y1);
  ctx.lineTo(x2, y2);
  ctx.stroke();
}

function diamond(ctx, x, y, r) {
  ctx.beginPath();
  ctx.moveTo(x, y - r);
  ctx.lineTo(x + r, y);
  ctx.lineTo(x, y + r);
  ctx.lineTo(x - r, y);
  ctx.fill();
}
