/** One diagram with logarithmic axes as SVG. */

import { logScale } from './log-scale.ts';

export interface Chart {
  readonly title: string;
  readonly xTitle: string;
  /** With its unit. */
  readonly yTitle: string;
  readonly series: readonly Series[];
}

export interface Series {
  readonly name: string;
  readonly points: readonly Point[];
}

export interface Point {
  readonly x: number;
  readonly y: number;
  /** What was given up after `y` is above it; an arrow stands for that. */
  readonly isBound?: boolean;
}

export const chartWidth = 560;
export const chartHeight = 340;
const plot = { left: 64, right: chartWidth - 172, top: 40, bottom: chartHeight - 52 };

/** Told apart by people who see no colours too (Okabe and Ito), and by the shape of the marks. */
const colours = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#000000', '#777777'];
const shapes: readonly ((x: number, y: number) => string)[] = [
  (x, y) => `M${at(x - 4)} ${at(y)}a4 4 0 1 0 8 0a4 4 0 1 0 -8 0z`,
  (x, y) => `M${at(x - 4)} ${at(y - 4)}h8v8h-8z`,
  (x, y) => `M${at(x)} ${at(y - 5)}l5 9h-10z`,
  (x, y) => `M${at(x)} ${at(y - 5)}l5 5l-5 5l-5 -5z`,
];

/** A group, at the origin. */
export function drawChart({ title, xTitle, yTitle, series }: Chart): string {
  const points = series.flatMap((each) => each.points);
  const x = logScale(
    points.map((point) => point.x),
    [plot.left, plot.right],
  );
  const y = logScale(
    points.map((point) => point.y),
    [plot.bottom, plot.top],
  );
  return [
    text(title, { x: plot.left, y: 20, style: 'font-weight="bold"' }),
    ...x.ticks.map((tick) => line(x.place(tick), plot.top, x.place(tick), plot.bottom)),
    ...y.ticks.map((tick) => line(plot.left, y.place(tick), plot.right, y.place(tick))),
    ...x.ticks.map((tick) => text(label(tick), { x: x.place(tick), y: plot.bottom + 16, style: middle })),
    ...y.ticks.map((tick) => text(label(tick), { x: plot.left - 6, y: y.place(tick) + 4, style: 'text-anchor="end"' })),
    text(xTitle, { x: (plot.left + plot.right) / 2, y: plot.bottom + 36, style: middle }),
    text(yTitle, { x: plot.left, y: 34, style: 'font-size="11"' }),
    ...series.flatMap((each, index) =>
      drawSeries(
        each.name,
        index,
        each.points.map((point) => ({ ...point, x: x.place(point.x), y: y.place(point.y) })),
      ),
    ),
  ].join('\n');
}

const middle = 'text-anchor="middle"';

/** `placed`: on the paper. */
function drawSeries(name: string, index: number, placed: readonly Point[]): readonly string[] {
  const colour = colours[index % colours.length] ?? '';
  const shape = shapes[index % shapes.length] ?? (() => '');
  const path = placed.map(({ x, y }, number) => `${number === 0 ? 'M' : 'L'}${at(x)} ${at(y)}`).join('');
  const key = { x: plot.right + 16, y: plot.top + 8 + index * 18 };
  return [
    `<path d="${path}" fill="none" stroke="${colour}" stroke-width="1.5"/>`,
    ...placed.map(({ x, y }) => `<path d="${shape(x, y)}" fill="${colour}"/>`),
    ...placed
      .filter(({ isBound }) => isBound === true)
      .map(({ x, y }) => `<path d="M${at(x)} ${at(y - 6)}v-14m-4 5l4 -5l4 5" fill="none" stroke="${colour}"/>`),
    `<path d="${shape(key.x, key.y)}" fill="${colour}"/>`,
    text(name, { x: key.x + 10, y: key.y + 4, style: 'font-size="11"' }),
  ];
}

function line(x1: number, y1: number, x2: number, y2: number): string {
  return `<path d="M${at(x1)} ${at(y1)}L${at(x2)} ${at(y2)}" stroke="#ddd"/>`;
}

function text(content: string, { x, y, style }: { readonly x: number; readonly y: number; readonly style: string }) {
  return `<text x="${at(x)}" y="${at(y)}" ${style}>${escape(content)}</text>`;
}

/** Without exponents: 0.1, 1, 10,000. */
function label(tick: number): string {
  return tick.toLocaleString('en', { maximumFractionDigits: 6 });
}

function at(place: number): string {
  return String(Math.round(place * 10) / 10);
}

function escape(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
