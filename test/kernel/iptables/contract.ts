import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Family, families } from '../../../src/core/model/facts.ts';
import type { IpsetPort } from '../../../src/kernel/ipset/open-ipset.ts';
import type { IptablesKind, IptablesPort } from '../../../src/kernel/iptables/open-iptables.ts';
import { ProgramError } from '../../../src/kernel/program.ts';

/** The iptables of one network namespace under test, which nobody has asked for anything yet. */
export interface IptablesUnderTest {
  readonly iptables: IptablesPort;
  /** The sets that rules may name. */
  readonly ipset: IpsetPort;
  /** Another program makes a set. */
  readonly createSet: (name: string, family: Family) => void;
  readonly close: () => void;
}

/** Two chains, of which one leads to the other, and a rule that leads to them. */
const nat = [
  '*nat',
  ':PREROUTING ACCEPT [0:0]',
  ':INPUT ACCEPT [0:0]',
  ':OUTPUT ACCEPT [0:0]',
  ':POSTROUTING ACCEPT [0:0]',
  ':FIRST - [0:0]',
  ':SECOND - [0:0]',
  '-A PREROUTING -m comment --comment "service portals -j NOWHERE" -j FIRST',
  '-A FIRST -p tcp -j SECOND',
  '-A FIRST -j RETURN',
  '-A SECOND -j MARK --set-xmark 0x4000/0x4000',
];

/** What every IptablesPort does. */
export function testIptablesContract(make: () => Promise<IptablesUnderTest>): void {
  let subject: IptablesUnderTest;

  beforeEach(async () => {
    subject = await make();
  });
  afterEach(() => subject.close());

  it('reads nothing where nobody ever had a rule', async () => {
    expect(await subject.iptables.read()).toEqual([]);
  });

  it('reads both kinds of both families, each with what was given to it', async () => {
    const all = families.flatMap((family) => (['nft', 'legacy'] as const).map((kind) => ({ family, kind })));
    for (const { family, kind } of all) {
      await subject.iptables.restore(kind, family, `*filter\n:${kind}-${family} - [0:0]\nCOMMIT\n`);
    }
    const readings = await subject.iptables.read();
    expect(readings.map(({ family, kind }) => ({ family, kind }))).toEqual(all);
    for (const { family, kind, text } of readings) {
      expect(tablesIn(text)).toEqual([
        [
          '*filter',
          ...['INPUT', 'FORWARD', 'OUTPUT'].map((name) => `:${name} ACCEPT [0:0]`),
          `:${kind}-${family} - [0:0]`,
        ],
      ]);
    }
  });

  for (const kind of ['nft', 'legacy'] as const) {
    for (const family of families) {
      describe(`${kind}, ${family}`, () => {
        testOneKind(() => subject, kind, family);
      });
    }
  }
}

function testOneKind(subject: () => IptablesUnderTest, kind: IptablesKind, family: Family): void {
  const restore = (...lines: readonly string[]): Promise<void> =>
    subject().iptables.restore(kind, family, lines.map((line) => `${line}\n`).join(''));
  const tables = async (): Promise<readonly (readonly string[])[]> =>
    (await subject().iptables.read()).flatMap(({ text }) => tablesIn(text));

  it('keeps what it is given', async () => {
    await restore(...nat, 'COMMIT');
    expect(await tables()).toEqual([nat]);
  });

  it('adds to what is there, and empties a chain that is named', async () => {
    await restore(...nat, 'COMMIT');
    await restore('*nat', '# a comment', '', ':SECOND - [0:0]', ':OUTPUT DROP [0:0]', '-A SECOND -j ACCEPT', 'COMMIT');
    const changed = nat.slice(0, -1).concat('-A SECOND -j ACCEPT');
    expect(await tables()).toEqual([changed.map((line) => line.replace(':OUTPUT ACCEPT', ':OUTPUT DROP'))]);
  });

  it('removes chains that were emptied and that nothing leads to any more', async () => {
    await restore(...nat, 'COMMIT');
    const doomed = nat.find((line) => line.startsWith('-A PREROUTING')) ?? '';
    await restore(
      '*nat',
      ':FIRST - [0:0]',
      ':SECOND - [0:0]',
      `-D${doomed.slice(2)}`,
      '-X FIRST',
      '-X SECOND',
      'COMMIT',
    );
    expect(await tables()).toEqual([nat.slice(0, 5)]);
  });

  it('removes one rule of several that are the same', async () => {
    await restore(...nat, '-A FIRST -j RETURN', 'COMMIT');
    await restore('*nat', '-D FIRST -j RETURN', 'COMMIT');
    expect(await tables()).toEqual([nat]);
  });

  it('refuses what does not fit, and changes nothing', async () => {
    subject().createSet('of-other', family === 'IPv4' ? 'IPv6' : 'IPv4');
    await restore(...nat, 'COMMIT');
    for (const [what, ...lines] of misfits) {
      const outcome = await outcomeOf(restore('*nat', '-A OUTPUT -j ACCEPT', ...lines, 'COMMIT'));
      expect([what, outcome]).toEqual([what, 'program-refused']);
    }
    expect(await tables()).toEqual([nat]);
  });

  it('refuses a text that is not whole', async () => {
    await restore(...nat, 'COMMIT');
    for (const lines of [['nat'], ['COMMIT'], ['*nowhere', 'COMMIT'], ['*nat', '-A OUTPUT -j ACCEPT']]) {
      expect([lines, await outcomeOf(restore(...lines))]).toEqual([lines, 'program-refused']);
    }
    expect(await tables()).toEqual([nat]);
    expect(await outcomeOf(restore())).toBe('done');
  });

  it('changes the tables before a refusal', async () => {
    const filter = ['*filter', ':INPUT ACCEPT [0:0]', ':FORWARD ACCEPT [0:0]', ':OUTPUT ACCEPT [0:0]'];
    await restore(...nat, 'COMMIT');
    const lines = [...filter, '-A INPUT -j DROP', 'COMMIT', '*nat', '-X FIRST', 'COMMIT'];
    expect(await outcomeOf(restore(...lines))).toBe('program-refused');
    expect(await tables()).toEqual([[...filter, '-A INPUT -j DROP'], nat]);
  });

  it('makes a table for nothing only where iptables-legacy is asked', async () => {
    await restore('*filter', 'COMMIT');
    expect(await outcomeOf(restore('*mangle', '-X NOWHERE', 'COMMIT'))).toBe('program-refused');
    expect((await tables()).map(([name]) => name)).toEqual(kind === 'nft' ? [] : ['*filter', '*mangle']);
  });

  it('holds the sets that its rules name', async () => {
    const rule = 'OUTPUT -m set --match-set held src -j RETURN';
    subject().createSet('held', family);
    await restore('*nat', `-A ${rule}`, 'COMMIT');
    expect((await tables()).flat()).toContain(`-A ${rule}`);
    expect(subject().ipset.destroy('held')).toBe('in-use');
    expect(await outcomeOf(restore('*nat', `-D ${rule}`, '-X NOWHERE', 'COMMIT'))).toBe('program-refused');
    expect(subject().ipset.destroy('held')).toBe('in-use');
    await restore('*nat', `-D ${rule}`, 'COMMIT');
    await vi.waitFor(() => expect(subject().ipset.destroy('held')).toBe('removed'));
  });
}

/** What each is, and its lines in the table nat. */
const misfits: readonly (readonly [string, ...string[]])[] = [
  ['a rule of no chain', '-A NOWHERE -j RETURN'],
  ['a rule to no chain', '-A FIRST -j NOWHERE'],
  ['a rule to a chain made after it', '-A FIRST -j LATER', ':LATER - [0:0]'],
  ['a rule to a built-in chain', '-A FIRST -j OUTPUT'],
  ['a rule that leads back', '-A SECOND -j FIRST'],
  ['a rule that goes back', '-A SECOND -g FIRST'],
  ['a set that is not there', '-A FIRST -m set --match-set nowhere src -j RETURN'],
  ['a set of the other family', '-A FIRST -m set --match-set of-other src -j RETURN'],
  ['the end of no rule', '-D FIRST -j ACCEPT'],
  ['the end of a rule of no chain', '-D NOWHERE -j ACCEPT'],
  ['the end of a rule twice', '-D FIRST -j RETURN', '-D FIRST -j RETURN'],
  ['the end of no chain', '-X NOWHERE'],
  ['the end of a chain with rules', ':LATER - [0:0]', '-A LATER -j RETURN', '-X LATER'],
  ['the end of a chain that another leads to', ':SECOND - [0:0]', '-X SECOND'],
  ['the end of a built-in chain', '-X OUTPUT'],
  ['a chain named like a target', ':ACCEPT - [0:0]'],
  ['a chain with too long a name', `:${'N'.repeat(29)} - [0:0]`],
  ['what is no line', 'nonsense'],
  ['a table in a table', '*filter'],
];

/** Each table without comments and COMMIT, by its name. */
function tablesIn(text: string): readonly (readonly string[])[] {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  const starts = lines.flatMap((line, index) => (line.startsWith('*') ? [index] : []));
  const tables = starts.map((start) => lines.slice(start, lines.indexOf('COMMIT', start)));
  return tables.sort(([one = ''], [other = '']) => (one < other ? -1 : 1));
}

async function outcomeOf(work: Promise<void>): Promise<string> {
  try {
    await work;
    return 'done';
  } catch (error) {
    return error instanceof ProgramError ? error.code : String(error);
  }
}
