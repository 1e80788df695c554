import { describe, expect, it } from 'vitest';
import { drawChart } from './chart.ts';
import { drawDocument } from './document.ts';
import { logScale } from './log-scale.ts';

describe('a logarithmic scale', () => {
  it('goes from a power of ten to a power of ten, each as far from the next', () => {
    const { place, ticks } = logScale([2, 300], [0, 90]);
    expect(ticks).toEqual([1, 10, 100, 1_000]);
    expect(ticks.map(place)).toEqual([0, 30, 60, 90]);
  });

  it('has room for a single value, and for one below 1', () => {
    expect(logScale([1_000], [0, 1]).ticks).toEqual([1_000, 10_000]);
    expect(logScale([0.002, 0.5], [0, 1]).ticks).toEqual([0.001, 0.01, 0.1, 1]);
  });

  it('may go upwards on the paper', () => {
    const { place } = logScale([1, 100], [200, 100]);
    expect([1, 10, 100].map(place)).toEqual([200, 150, 100]);
  });
});

describe('a chart', () => {
  const chart = {
    title: 'Cold start <10>',
    xTitle: 'Services',
    yTitle: 'ms',
    series: [
      {
        name: 'sluice',
        points: [
          { x: 100, y: 10 },
          { x: 10_000, y: 20 },
        ],
      },
      { name: 'other', points: [{ x: 100, y: 500, isBound: true }] },
    ],
  };

  it('names its title, axes and series, and labels its powers of ten', () => {
    const svg = drawChart(chart);
    for (const text of ['Cold start &lt;10&gt;', 'Services', 'ms', 'sluice', 'other', '10,000', '1,000']) {
      expect(svg).toContain(`>${text}<`);
    }
  });

  it('draws an arrow above what was given up only', () => {
    expect(drawChart(chart).match(/v-14/g)).toHaveLength(1);
  });

  it('stands beside others in one document', () => {
    const svg = drawDocument([chart, chart, chart]);
    expect(svg).toContain('width="1120" height="680"');
    expect(svg.match(/<g /g)).toHaveLength(3);
  });
});
