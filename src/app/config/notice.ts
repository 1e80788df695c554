/** What a person should know of a configuration that is accepted all the same. */

export interface ConfigNotice {
  readonly kind: 'ignored' | 'overridden' | 'unknown-field' | 'duplicate-field';
  /** The flag with its dashes, or the field with its dots. */
  readonly name: string;
  /** A clause. */
  readonly why: string;
}

/** One warning for each cause, with every setting it is about. */
export interface ConfigWarning {
  readonly message: string;
  readonly settings: Readonly<Record<string, string>>;
}

export function warningsOf(notices: readonly ConfigNotice[]): readonly ConfigWarning[] {
  return causes.flatMap(({ kinds, message }) => {
    const about = notices.filter(({ kind }) => kinds.includes(kind));
    return about.length === 0
      ? []
      : [{ message, settings: Object.fromEntries(about.map(({ name, why }) => [name, why])) }];
  });
}

/** `these settings have no effect: --profiling (it belongs to the Go runtime), …` */
export function formatWarning({ message, settings }: ConfigWarning): string {
  const named = Object.entries(settings).map(([name, why]) => `${name} (${why})`);
  return `${message}: ${named.join(', ')}`;
}

const causes: readonly { readonly kinds: readonly ConfigNotice['kind'][]; readonly message: string }[] = [
  {
    kinds: ['unknown-field', 'duplicate-field'],
    message: 'the configuration file is accepted, though not all of it is as it should be',
  },
  { kinds: ['ignored'], message: 'these settings have no effect' },
  { kinds: ['overridden'], message: 'the configuration file decides in place of these flags' },
];
