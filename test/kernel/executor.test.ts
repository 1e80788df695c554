import { describe, expect, it } from 'vitest';
import type { FilterElement } from '../../src/core/model/filter-element.ts';
import type { Operation, Plan } from '../../src/core/model/operation.ts';
import { emptyPlan } from '../../src/core/plan.ts';
import type { Execution } from '../../src/kernel/execution.ts';
import { executePlan } from '../../src/kernel/executor.ts';
import { lineOf, type Script, scriptedPorts } from '../support/scripted-ports.ts';
import { destination, virtualServer } from '../support/servers.ts';

const server = virtualServer();
const { identity } = server;
const VIP = '10.96.0.1';
const frontend = { address: VIP, protocol: 'TCP', port: 80 } as const;

function element(set: 'virtual_servers' | 'masquerade' | 'drop'): FilterElement {
  return { set, ...frontend };
}

function add(which: FilterElement) {
  return { kind: 'add-element', element: which } as const;
}

function remove(which: FilterElement) {
  return { kind: 'remove-element', element: which } as const;
}

const claim = [add(element('virtual_servers')), add(element('masquerade'))];
const make = [
  { kind: 'add-virtual-server', server },
  { kind: 'add-destination', identity, destination: destination('10.1.0.1') },
] as const;
const guard = [add({ set: 'vips', address: VIP })];
const expose = [{ kind: 'add-vip', vip: { address: VIP, source: '192.168.0.1' } }] as const;
const making: Plan = { ...emptyPlan, claim, make, guard, expose };

const hide = [{ kind: 'remove-vip', address: VIP }] as const;
const unguard = [remove(element('masquerade')), remove({ set: 'vips', address: VIP })];
const removal = [{ kind: 'remove-virtual-server', identity }] as const;
const disclaim = [remove(element('virtual_servers'))];
const clearing: Plan = { ...emptyPlan, hide, unguard, remove: removal, disclaim };

function run(plan: Plan, script: Script = {}): Execution & { readonly lines: readonly string[] } {
  const ports = scriptedPorts(script);
  const execution = executePlan(plan, ports);
  return { ...execution, lines: ports.lines };
}

function linesOf(operations: Iterable<Operation>): readonly string[] {
  return [...operations].map(lineOf);
}

function failures(execution: Execution): readonly string[] {
  return execution.failed.map(({ operation, error, remedy }) => `${lineOf(operation)}: ${error.code}, ${remedy}`);
}

describe('executePlan', () => {
  it('goes through the phases in order, one call each', () => {
    const quiesce = [{ kind: 'edit-destination', identity, destination: destination('10.1.0.9', 0) }] as const;
    const ports = scriptedPorts();
    const { performed, failed, withheld, isUncertain } = executePlan(
      { ...making, quiesce, hide, unguard, remove: removal, disclaim },
      ports,
    );
    expect(ports.calls).toEqual([
      ['filter: add-element virtual_servers TCP 10.96.0.1:80', 'filter: add-element masquerade TCP 10.96.0.1:80'],
      ['ipvs: add-virtual-server TCP 10.96.0.1:80', 'ipvs: add-destination TCP 10.96.0.1:80 10.1.0.1:8080 weight 1'],
      ['filter: add-element vips 10.96.0.1'],
      ['link: add-vip vip 10.96.0.1'],
      ['ipvs: edit-destination TCP 10.96.0.1:80 10.1.0.9:8080 weight 0'],
      ['link: remove-vip vip 10.96.0.1'],
      ['filter: remove-element masquerade TCP 10.96.0.1:80', 'filter: remove-element vips 10.96.0.1'],
      ['ipvs: remove-virtual-server TCP 10.96.0.1:80'],
      ['filter: remove-element virtual_servers TCP 10.96.0.1:80'],
    ]);
    expect(performed).toHaveLength(12);
    expect([failed, withheld, isUncertain]).toEqual([[], [], false]);
  });

  it('calls nobody for an empty plan', () => {
    expect(run(emptyPlan).lines).toEqual([]);
  });
});

describe('what rests on a failed operation', () => {
  it('a virtual server whose ownership is not recorded is not made, nor its VIP exposed', () => {
    const found = run(making, { refuse: { 'add-element virtual_servers': 'ENOMEM' } });
    expect(linesOf(found.withheld)).toEqual(linesOf([...make, ...expose]));
    expect(linesOf(found.performed)).toEqual([lineOf(add(element('masquerade'))), ...linesOf(guard)]);
  });

  it('a virtual server whose masquerade does not stand is not made, nor its VIP exposed', () => {
    const found = run(making, { refuse: { 'add-element masquerade': 'ENOSPC' } });
    expect(linesOf(found.withheld)).toEqual(linesOf([...make, ...expose]));
    expect(failures(found)).toEqual(['add-element masquerade TCP 10.96.0.1:80: ENOSPC, retry']);
  });

  it('another VIP is exposed all the same', () => {
    const other = { kind: 'add-vip', vip: { address: '10.96.0.2', source: undefined } } as const;
    const found = run({ ...making, expose: [...expose, other] }, { refuse: { 'add-element masquerade': 'ENOSPC' } });
    expect(linesOf(found.withheld)).toEqual(linesOf([...make, ...expose]));
    expect(found.lines).toContain('link: add-vip vip 10.96.0.2');
  });

  it.each(['add-element virtual_servers', 'add-element masquerade'])(
    'no VIP is exposed when replies to %s are lost',
    (lose) => {
      const found = run(making, { lose });
      expect(linesOf(found.withheld)).toContain('add-vip vip 10.96.0.1');
      expect(found.isUncertain).toBe(true);
    },
  );

  it('nothing is made when it is not known whether ownership is recorded', () => {
    expect(run(making, { lose: 'add-element virtual_servers' }).lines.join()).not.toContain('ipvs');
  });

  it('the destinations of a virtual server that was not made are withheld, not failed', () => {
    const found = run(making, { refuse: { 'add-virtual-server': 'ENOMEM', 'add-destination': 'ESRCH' } });
    expect(failures(found)).toEqual(['add-virtual-server TCP 10.96.0.1:80: ENOMEM, retry']);
    expect(linesOf(found.withheld)).toEqual([lineOf(make[1])]);
    expect(found.isUncertain).toBe(false);
  });

  it('the record of a virtual server that could not be removed stays', () => {
    const found = run(clearing, { refuse: { 'remove-virtual-server': 'EIO' } });
    expect(linesOf(found.withheld)).toEqual(linesOf(disclaim));
    expect(found.lines.at(-1)).toBe('ipvs: remove-virtual-server TCP 10.96.0.1:80');
  });

  it('the record of a virtual server that may still be there stays', () => {
    const found = run(clearing, { lose: 'remove-virtual-server' });
    expect(linesOf(found.withheld)).toEqual(linesOf(disclaim));
    expect(found.isUncertain).toBe(true);
  });

  it('the guards of a virtual server that could not be removed stay, whether it has a VIP or not', () => {
    const late = { ...clearing, unguard: [], disclaim: [...disclaim, remove(element('masquerade'))] };
    const found = run(late, { refuse: { 'remove-virtual-server': 'EIO' } });
    expect(linesOf(found.withheld)).toEqual(linesOf(late.disclaim));
  });

  it('the guards of a VIP that could not be hidden stay', () => {
    const found = run(clearing, { refuse: { 'remove-vip': 'EPERM' } });
    expect(linesOf(found.withheld)).toEqual(linesOf(unguard));
  });

  it('the guards of a VIP that may still be there stay', () => {
    const found = run(clearing, { lose: 'remove-vip' });
    expect(linesOf(found.withheld)).toEqual(linesOf(unguard));
  });

  it('the guards of other addresses go all the same', () => {
    const hairpin = remove({ set: 'hairpin', address: '10.1.0.1' });
    const found = run({ ...clearing, unguard: [...unguard, hairpin] }, { refuse: { 'remove-vip': 'EPERM' } });
    expect(found.lines).toContain('filter: remove-element hairpin 10.1.0.1');
    expect(found.lines).toContain('filter: remove-element virtual_servers TCP 10.96.0.1:80');
  });
});

describe('remedies', () => {
  it('what exists is edited, and the kernel read again', () => {
    const found = run(making, { refuse: { 'add-virtual-server': 'EEXIST', 'add-destination': 'EEXIST' } });
    expect(found.lines.slice(4, 6)).toEqual([
      'ipvs: edit-virtual-server TCP 10.96.0.1:80',
      'ipvs: edit-destination TCP 10.96.0.1:80 10.1.0.1:8080 weight 1',
    ]);
    expect(found.failed).toEqual([]);
    expect(found.isUncertain).toBe(true);
  });

  it('a destination that is gone is added', () => {
    const edit = [{ kind: 'edit-destination', identity, destination: destination('10.1.0.1', 5) }] as const;
    const found = run({ ...emptyPlan, make: edit }, { refuse: { 'edit-destination': 'ENOENT' } });
    expect(found.lines.at(-1)).toBe('ipvs: add-destination TCP 10.96.0.1:80 10.1.0.1:8080 weight 5');
    expect(linesOf(found.performed)).toEqual(['add-destination TCP 10.96.0.1:80 10.1.0.1:8080 weight 5']);
    expect(found.isUncertain).toBe(true);
  });

  it('a second attempt that fails too is a failure', () => {
    const found = run(making, { refuse: { 'add-virtual-server': 'EEXIST', 'edit-virtual-server': 'EINVAL' } });
    expect(failures(found)).toEqual(['edit-virtual-server TCP 10.96.0.1:80: EINVAL, quarantine']);
  });

  it.each(['remove-virtual-server', 'remove-vip', 'remove-element masquerade'])(
    '%s of what is gone is done',
    (part) => {
      const found = run(clearing, { refuse: { [part]: 'ENOENT' } });
      expect([found.failed, found.withheld]).toEqual([[], []]);
      expect(found.performed).toHaveLength(5);
    },
  );

  it('a virtual server that vanished is read again', () => {
    const only = { ...emptyPlan, make: [make[1]] };
    const found = run(only, { refuse: { 'add-destination': 'ESRCH' } });
    expect(failures(found)).toEqual(['add-destination TCP 10.96.0.1:80 10.1.0.1:8080 weight 1: ESRCH, read-again']);
    expect(found.isUncertain).toBe(true);
  });

  it('a missing scheduler and a refused destination are told apart', () => {
    expect(failures(run(making, { refuse: { 'add-virtual-server': 'ENOENT' } }))).toEqual([
      'add-virtual-server TCP 10.96.0.1:80: ENOENT, scheduler-missing',
    ]);
    expect(failures(run(making, { refuse: { 'add-destination': 'EINVAL' } }))).toEqual([
      'add-destination TCP 10.96.0.1:80 10.1.0.1:8080 weight 1: EINVAL, quarantine',
    ]);
  });

  it('a failure stops nothing else', () => {
    const found = run(making, { refuse: { 'add-destination': 'ENOMEM' } });
    expect(found.performed).toHaveLength(5);
    expect(found.withheld).toEqual([]);
  });
});
