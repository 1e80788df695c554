import { describe, expect, it } from 'vitest';
import { readOptions } from './options.ts';

describe('the options of the benchmark', () => {
  it('take the test kernel, and under an emulated one what needs no other process', () => {
    expect(readOptions([]).kernel).toBe('user-mode');
    const { kernel, plan } = readOptions(['--kernel', 'tcg']);
    expect(kernel).toBe('tcg');
    expect([plan.cold.length, plan.restart.length, plan.change.length]).toEqual([6, 2, 0]);
  });

  it('take the measures that are named, whatever the kernel', () => {
    const { plan } = readOptions(['--kernel', 'tcg', '--only', 'change']);
    expect([plan.cold.length, plan.change.length]).toEqual([0, 2]);
  });

  it('take as many UDP flows in a full run as on a busy node, and none in npm test', () => {
    const flows = (...args: readonly string[]) => readOptions(args).plan.udp;
    expect(flows()).toEqual([1_000, 10_000]);
    expect(flows('--only', 'udp')).toEqual([1_000, 10_000]);
    expect(flows('--only', 'cold')).toEqual([]);
    expect(flows('--guard')).toEqual([]);
  });

  it('take peers only when asked for, with as many Services as asked for', () => {
    const sizes = (...args: readonly string[]) => readOptions(args).plan.peers.sizes.map(({ services }) => services);
    expect(sizes()).toEqual([]);
    expect(sizes('--peers')).toEqual([100, 1_000, 10_000]);
    expect(sizes('--only', 'peers', '--services', '50,500')).toEqual([50, 500]);
    expect(() => readOptions(['--services', '500,50'])).toThrow('--services: expected growing whole numbers from 2');
  });

  it('take other sizes of the measures, too, when asked for', () => {
    const { plan } = readOptions(['--only', 'cold,pauses', '--services', '10000', '--no-acts']);
    expect(plan.cold).toEqual([{ services: 10_000, endpoints: 10, family: 'IPv4' }]);
    expect([plan.pauses, plan.restart, plan.acts.acts]).toEqual([plan.cold, [], []]);
    const ofFamily = (family: string) => readOptions(['--only', 'cold', '--services', '1000', '--family', family]);
    expect(ofFamily('IPv6').plan.cold).toEqual([{ services: 1_000, endpoints: 10, family: 'IPv6' }]);
    expect(() => ofFamily('IPv5')).toThrow('--family: expected IPv4 or IPv6, found "IPv5"');
  });

  it('take other numbers of endpoints with the Services that are asked for, the peers too', () => {
    const { plan } = readOptions(['--only', 'cold,peers', '--services', '100,1000', '--endpoints', '100']);
    expect(plan.cold.map(({ services, endpoints }) => [services, endpoints])).toEqual([
      [100, 100],
      [1_000, 100],
    ]);
    expect(plan.peers.sizes).toEqual(plan.cold);
    expect(() => readOptions(['--endpoints', '100'])).toThrow('--endpoints: expected --services beside it, found none');
    for (const word of ['0', '-1', '1.5', 'many', '']) {
      expect(() => readOptions(['--services', '100', `--endpoints=${word}`])).toThrow(
        `--endpoints: expected a whole number from 1, found "${word}"`,
      );
    }
  });

  it('take more Services than a cluster has when asked for, and in a full run, but not in a quick one', () => {
    const large = (...args: readonly string[]) => readOptions(args).plan.large.sizes.map(({ services }) => services);
    expect(large()).toEqual([50_000]);
    expect(large('--only', 'large')).toEqual([50_000]);
    expect(large('--only', 'cold')).toEqual([]);
    expect(large('--quick')).toEqual([]);
  });

  it('have limits of their own for the part that runs beside other work, and none for small sizes', () => {
    expect(readOptions([]).limits).toBe('full');
    const { limits, plan } = readOptions(['--guard']);
    expect([limits, plan.cold.length, plan.memory.length]).toEqual(['guard', 1, 0]);
    expect([readOptions(['--guard']).node, readOptions([]).node]).toEqual([['--no-maglev'], []]);
    expect([readOptions(['--quick']).limits, readOptions(['--kernel', 'tcg']).limits]).toEqual([undefined, undefined]);
    expect(readOptions(['--profile', 'folder']).limits).toBeUndefined();
    expect(readOptions(['--node=--single-threaded-gc'])).toMatchObject({
      node: ['--single-threaded-gc'],
      limits: undefined,
    });
  });

  it('measure with the Node.js of the image unless told, and with another hold no limits', () => {
    expect(readOptions([]).nodeProgram).toBeUndefined();
    expect(readOptions(['--node-program=/usr/bin/node'])).toMatchObject({
      nodeProgram: '/usr/bin/node',
      limits: undefined,
    });
  });

  it('refuse what they do not know', () => {
    expect(() => readOptions(['--kernel', 'xen'])).toThrow('--kernel: expected user-mode or tcg, found "xen"');
    expect(() => readOptions(['--only', 'cold,warm'])).toThrow('found "warm"');
    expect(() => readOptions(['--rounds', '0'])).toThrow('--rounds: expected a whole number from 1, found 0');
  });
});
