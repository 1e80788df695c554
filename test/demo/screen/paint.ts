import { createColors } from 'picocolors';

/** The few ways in which the demo emphasises. */
export interface Paint {
  readonly title: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly good: (text: string) => string;
  readonly bad: (text: string) => string;
  /** Gives the names of pods and nodes in a text a colour each, so that the eye can follow them. */
  readonly names: (text: string) => string;
}

/** Without colours every text stays as it is. */
export function makePaint(colours: boolean): Paint {
  const { bold, dim, green, red, cyan, magenta, yellow, blue } = createColors(colours);
  const ofName = new Map([
    ['web-0', green],
    ['web-1', cyan],
    ['web-2', magenta],
    ['dns-0', yellow],
    ['dns-1', blue],
  ]);
  return {
    title: bold,
    dim,
    good: (text) => bold(green(text)),
    bad: (text) => bold(red(text)),
    names: (text) => text.replace(/\b(?:web|dns)-\d\b/g, (name) => ofName.get(name)?.(name) ?? name),
  };
}
