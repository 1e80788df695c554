import { type Chart, chartHeight, chartWidth, drawChart } from './chart.ts';

const columns = 2;

/** A whole SVG document: the charts in two columns, on white whatever is behind. */
export function drawDocument(charts: readonly Chart[]): string {
  const width = chartWidth * Math.min(columns, charts.length);
  const height = chartHeight * Math.ceil(charts.length / columns);
  const groups = charts.map((chart, index) => {
    const [x, y] = [(index % columns) * chartWidth, Math.floor(index / columns) * chartHeight];
    return `<g transform="translate(${x} ${y})">\n${drawChart(chart)}\n</g>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">`,
    '<rect width="100%" height="100%" fill="#fff"/>',
    ...groups,
    '</svg>',
    '',
  ].join('\n');
}
