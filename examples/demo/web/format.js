// Figures as people read them.

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];

export function ms(value) {
  if (value === 0) return "0 ms";
  if (value >= 1000) return `${(value / 1000).toFixed(value < 10000 ? 1 : 0)} s`;
  return `${value.toFixed(value < 1 ? 2 : value < 10 ? 1 : 0)} ms`;
}

export function size(bytes) {
  let value = Number(bytes);
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${value.toFixed(Number.isInteger(value) || value >= 100 ? 0 : 1)} ${UNITS[unit]}`;
}

export function grouped(count) {
  return Number(count).toLocaleString("en");
}
