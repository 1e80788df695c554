/** Counters, gauges and histograms in the Prometheus text format, version 0.0.4. */

export type Labels<Name extends string> = Readonly<Record<Name, string>>;

export interface Description<Name extends string> {
  readonly name: string;
  readonly help: string;
  readonly labels: readonly Name[];
}

export interface Counter<Name extends string> {
  /** Adds 1 unless told otherwise; adding 0 makes the series appear. Throws RangeError on a negative amount. */
  add(labels: Labels<Name>, amount?: number): void;
}

export interface Gauge<Name extends string> {
  set(labels: Labels<Name>, value: number): void;
}

export interface Histogram<Name extends string> {
  observe(labels: Labels<Name>, value: number): void;
}

export interface Registry {
  counter<Name extends string>(description: Description<Name>): Counter<Name>;
  gauge<Name extends string>(description: Description<Name>): Gauge<Name>;
  /** `buckets`: upper bounds, ascending, without +Inf. */
  histogram<Name extends string>(description: Description<Name>, buckets: readonly number[]): Histogram<Name>;
  /** Called before each rendering, for values that are read rather than counted. */
  beforeRender(listener: () => void): void;
  render(): string;
}

export function makeRegistry(): Registry {
  const families: (() => string)[] = [];
  const listeners: (() => void)[] = [];
  return {
    counter: (description) => counter(description, families),
    gauge: (description) => gauge(description, families),
    histogram: (description, buckets) => histogram(description, buckets, families),
    beforeRender: (listener) => listeners.push(listener),
    render: () => {
      listeners.forEach((listener) => listener());
      return families.map((family) => family()).join('');
    },
  };
}

type Families = (() => string)[];

function counter<Name extends string>(description: Description<Name>, families: Families): Counter<Name> {
  const values = new Map<string, number>();
  families.push(() => renderFamily(description, 'counter', samples(description.name, values)));
  return {
    add: (labels, amount = 1) => {
      if (amount < 0) {
        throw new RangeError(`${description.name}: a counter never falls, asked to add ${amount}`);
      }
      const key = labelText(description.labels, labels);
      values.set(key, (values.get(key) ?? 0) + amount);
    },
  };
}

function gauge<Name extends string>(description: Description<Name>, families: Families): Gauge<Name> {
  const values = new Map<string, number>();
  families.push(() => renderFamily(description, 'gauge', samples(description.name, values)));
  return {
    set: (labels, value) => values.set(labelText(description.labels, labels), value),
  };
}

interface Distribution {
  /** One per bucket, not cumulated. */
  readonly counts: number[];
  sum: number;
  count: number;
}

function histogram<Name extends string>(
  description: Description<Name>,
  buckets: readonly number[],
  families: Families,
): Histogram<Name> {
  const series = new Map<string, Distribution>();
  families.push(() =>
    renderFamily(
      description,
      'histogram',
      [...series].flatMap(([labels, each]) => distributionLines(description.name, labels, each, buckets)),
    ),
  );
  return {
    observe: (labels, value) => {
      const key = labelText(description.labels, labels);
      const distribution = series.get(key) ?? { counts: buckets.map(() => 0), sum: 0, count: 0 };
      const bucket = buckets.findIndex((bound) => value <= bound);
      if (bucket >= 0) {
        distribution.counts[bucket] = (distribution.counts[bucket] ?? 0) + 1;
      }
      distribution.sum += value;
      distribution.count += 1;
      series.set(key, distribution);
    },
  };
}

function distributionLines(
  name: string,
  labels: string,
  distribution: Distribution,
  buckets: readonly number[],
): readonly string[] {
  const prefix = labels === '' ? '' : `${labels},`;
  let cumulated = 0;
  const lines = buckets.map((bound, index) => {
    cumulated += distribution.counts[index] ?? 0;
    return `${name}_bucket{${prefix}le="${bound}"} ${cumulated}`;
  });
  return [
    ...lines,
    `${name}_bucket{${prefix}le="+Inf"} ${distribution.count}`,
    `${name}_sum${braces(labels)} ${distribution.sum}`,
    `${name}_count${braces(labels)} ${distribution.count}`,
  ];
}

function samples(name: string, values: ReadonlyMap<string, number>): readonly string[] {
  return [...values].map(([labels, value]) => `${name}${braces(labels)} ${value}`);
}

function renderFamily(description: Description<string>, type: string, lines: readonly string[]): string {
  const help = description.help.replaceAll('\\', String.raw`\\`).replaceAll('\n', String.raw`\n`);
  return [`# HELP ${description.name} ${help}`, `# TYPE ${description.name} ${type}`, ...lines, ''].join('\n');
}

function braces(labels: string): string {
  return labels === '' ? '' : `{${labels}}`;
}

/** Also the key of a series: names in the declared order, so that one set of labels has one text. */
function labelText<Name extends string>(names: readonly Name[], labels: Labels<Name>): string {
  return names.map((name) => `${name}="${escapeLabel(labels[name])}"`).join(',');
}

function escapeLabel(value: string): string {
  return value.replaceAll('\\', String.raw`\\`).replaceAll('"', String.raw`\"`).replaceAll('\n', String.raw`\n`);
}
