// A chart of the last half minute that moves with time: one bin per 100 ms, drawn as a line
// inside a band from the lowest to the highest value, and single marks.

const SPAN = 30000;
const BIN = 100;
const BINS_PER_SECOND = 1000 / BIN;
// Silence of more bins than this breaks the line.
const GAP = 15;
const [LEFT, TOP, BOTTOM] = [58, 8, 18];

const calm = matchMedia("(prefers-reduced-motion: reduce)");

export class Chart {
  // `kind` is "median" (of the values in a bin, in ms) or "rate" (their sum per second, in bytes);
  // `unit` writes a value of the scale.
  constructor(canvas, kind, unit) {
    Object.assign(this, kind === "median" ? medians : rates, { canvas, unit });
    this.bins = [];
    this.marks = [];
    this.highest = 0;
    this.drawn = 0;
    new ResizeObserver(() => this.resize()).observe(canvas);
    requestAnimationFrame((now) => this.frame(now));
  }

  add(value, now = performance.now()) {
    const at = Math.floor(now / BIN);
    if (this.bins.at(-1)?.at !== at) this.bins.push({ at, values: [] });
    this.bins.at(-1).values.push(value);
  }

  mark(value, now = performance.now()) {
    this.marks.push({ at: now, value });
  }

  resize() {
    this.canvas.width = this.canvas.clientWidth * devicePixelRatio;
    this.canvas.height = this.canvas.clientHeight * devicePixelRatio;
    this.drawn = 0;
  }

  frame(now) {
    requestAnimationFrame((next) => this.frame(next));
    if (calm.matches && now - this.drawn < 1000) return;
    this.drawn = now;
    this.forget(now - SPAN - BIN);
    this.draw(now);
  }

  forget(oldest) {
    while (this.bins.length && this.bins[0].at * BIN < oldest) this.bins.shift();
    while (this.marks.length && this.marks[0].at < oldest) this.marks.shift();
  }

  draw(now) {
    // The present bin is not over: it would dip at the right edge.
    const present = Math.floor(now / BIN);
    const points = this.points(this.bins.filter((bin) => bin.at < present), present);
    const pen = new Pen(this.canvas, now, this.scale(points));
    pen.values(this.unit);
    pen.seconds();
    pen.clip();
    for (const run of runs(points)) pen.run(run);
    for (const { at, value } of this.marks) pen.diamond(at, value);
  }

  // The scale follows the highest value: up at once, down slowly.
  scale(points) {
    const now = Math.max(this.least, ...points.map((p) => p.high), ...this.marks.map((m) => m.value));
    this.highest = Math.max(now, this.highest * 0.99);
    return this.round(this.highest * 1.05);
  }
}

const medians = {
  least: 0.1,
  // A bin that is over never changes: it is summed up once.
  points: (bins) => bins.map((bin) => (bin.point ??= median(bin))),
  // The next of 1, 2, 5, 10, 20, 50...
  round(value) {
    const power = 10 ** Math.floor(Math.log10(value));
    return [1, 2, 5, 10].find((step) => step * power >= value) * power;
  },
};

function median({ at, values }) {
  const sorted = values.sort((a, b) => a - b);
  return { at, low: sorted[0], line: sorted[sorted.length >> 1], high: sorted.at(-1) };
}

const rates = {
  least: 64,
  // At each bin, the sum of the second that ends with it.
  points(bins, present) {
    const sums = new Map(bins.map((bin) => [bin.at, (bin.sum ??= total(bin.values))]));
    const points = [];
    let sum = 0;
    for (let at = bins[0]?.at; at < present; at++) {
      sum += (sums.get(at) ?? 0) - (sums.get(at - BINS_PER_SECOND) ?? 0);
      points.push({ at, low: 0, line: sum, high: sum });
    }
    return points;
  },
  // The next of 1, 2, 4, 8...
  round: (value) => 2 ** Math.ceil(Math.log2(value)),
};

function total(values) {
  return values.reduce((a, b) => a + b, 0);
}

function runs(points) {
  const found = [];
  for (const point of points) {
    const last = found.at(-1);
    if (last && point.at - last.at(-1).at <= GAP) last.push(point);
    else found.push([point]);
  }
  return found;
}

// Draws one picture, in the colours of the page's style.
class Pen {
  constructor(canvas, now, top) {
    const style = getComputedStyle(canvas);
    Object.assign(this, { now, top, ctx: canvas.getContext("2d") });
    this.width = canvas.width / devicePixelRatio;
    this.height = canvas.height / devicePixelRatio;
    this.colour = (name) => style.getPropertyValue(name).trim();
    this.ctx.reset();
    this.ctx.scale(devicePixelRatio, devicePixelRatio);
    this.ctx.font = `12px ${style.fontFamily}`;
    this.ctx.textBaseline = "middle";
  }

  x(time) {
    return LEFT + (1 - (this.now - time) / SPAN) * (this.width - LEFT);
  }

  y(value) {
    return this.height - BOTTOM - (value / this.top) * (this.height - BOTTOM - TOP);
  }

  values(unit) {
    const { ctx, top } = this;
    ctx.fillStyle = this.colour("--soft");
    ctx.strokeStyle = this.colour("--rule");
    ctx.textAlign = "right";
    for (const value of this.height > 120 ? [0, top / 2, top] : [0, top]) {
      const y = Math.round(this.y(value)) + 0.5;
      ctx.fillText(unit(value), LEFT - 8, y);
      ctx.beginPath();
      ctx.moveTo(LEFT, y);
      ctx.lineTo(this.width, y);
      ctx.stroke();
    }
  }

  seconds() {
    const y = this.height - 7;
    const label = (text, ago, align) => {
      this.ctx.textAlign = align;
      this.ctx.fillText(text, this.x(this.now - ago), y);
    };
    label("−30 s", 30000, "left");
    label("−20 s", 20000, "center");
    label("−10 s", 10000, "center");
    label("now", 0, "right");
  }

  clip() {
    this.ctx.beginPath();
    this.ctx.rect(LEFT, 0, this.width - LEFT, this.height);
    this.ctx.clip();
  }

  run(points) {
    const { ctx } = this;
    const x = (point) => this.x((point.at + 1) * BIN);
    ctx.fillStyle = this.colour("--band");
    ctx.beginPath();
    for (const point of points) ctx.lineTo(x(point), this.y(point.high));
    for (const point of points.toReversed()) ctx.lineTo(x(point), this.y(point.low));
    ctx.fill();
    Object.assign(ctx, { strokeStyle: this.colour("--line"), lineWidth: 2, lineJoin: "round", lineCap: "round" });
    ctx.beginPath();
    // A point that stands alone still shows, as a dot.
    ctx.moveTo(x(points[0]) - 0.1, this.y(points[0].line));
    for (const point of points) ctx.lineTo(x(point), this.y(point.line));
    ctx.stroke();
  }

  diamond(time, value) {
    const [x, y, r] = [this.x(time), this.y(value), 5];
    this.ctx.fillStyle = this.colour("--mark");
    this.ctx.beginPath();
    this.ctx.moveTo(x, y - r);
    this.ctx.lineTo(x + r, y);
    this.ctx.lineTo(x, y + r);
    this.ctx.lineTo(x - r, y);
    this.ctx.fill();
  }
}
