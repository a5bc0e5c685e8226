// A map as a file: larger than the model sees it, with what its colours stand for below it.

import { gradient, sheet } from "./grid_draw.js";

const LEAST = 672; // pixels of its longer side at least
const STRIP = 92; // pixels below it
const FONT = '"Source Sans", "Source Sans 3", "Segoe UI", system-ui, sans-serif';

/** A cell of the grid as a canvas with its legend: name and class, a bar of colours, its ends in numbers and in words. */
export function saved(cell, width, height) {
  const times = Math.max(1, Math.ceil(LEAST / Math.max(width, height)));
  const map = sheet(times * width, times * height);
  cell.paint(map, { scale: 1, x: 0, y: 0 });
  const whole = sheet(map.width, map.height + STRIP);
  const context = /** @type {CanvasRenderingContext2D} */ (whole.getContext("2d"));
  context.fillStyle = "#fff";
  context.fillRect(0, 0, whole.width, whole.height);
  context.drawImage(map, 0, 0);
  const { grid, row, column } = cell;
  const { signed, title } = column.data;
  const masked = grid.settings.view === "masked";
  if (!masked) bar(context, grid.tables[grid.tableOf(signed)], map.height + 12, Math.min(220, map.width / 3));
  const lines = [[`${title} · ${row.data.title}`, "600"], [cell.scaleText(), "400"], [masked || !row.target ? "" : grid.meaning(signed, row.target), "400"]];
  lines.forEach(([text, weight], i) => {
    context.fillStyle = "#31333f";
    context.font = `${weight} 17px ${FONT}`;
    const left = i === 1 && !masked ? Math.min(220, map.width / 3) + 24 : 12;
    context.fillText(text, left, map.height + 26 + 26 * i, whole.width - left - 12);
  });
  return whole;
}

function bar(context, table, top, width) {
  const [, ...stops] = gradient(table).slice(0, -1).split(/,(?=rgb)/);
  const fill = context.createLinearGradient(12, 0, 12 + width, 0);
  stops.forEach((colour, i) => fill.addColorStop(i / (stops.length - 1), colour));
  context.fillStyle = fill;
  context.fillRect(12, top + 26, width, 14);
}
