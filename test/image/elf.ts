import { execa } from 'execa';

/** What the header of a program or library says. */
export interface Elf {
  /** As readelf calls it. */
  readonly machine: string;
  /** The libraries that it asks for, by their sonames. */
  readonly needed: readonly string[];
}

/** Reads an ELF file; `undefined` when it is none. */
export async function readElf(path: string): Promise<Elf | undefined> {
  const { stdout, failed } = await execa('readelf', ['--wide', '--file-header', '--dynamic', path], {
    reject: false,
    env: { LC_ALL: 'C' },
  });
  const machine = /^ *Machine: +(.+)$/m.exec(stdout)?.[1];
  if (failed || machine === undefined) return undefined;
  return { machine, needed: [...stdout.matchAll(/\(NEEDED\).*\[(.+)\]/g)].map(([, name = '']) => name) };
}
