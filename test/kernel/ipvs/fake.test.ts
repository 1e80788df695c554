import { describe, expect, it } from 'vitest';
import { fakeIpvs } from '../../../src/kernel/fake/ipvs.ts';
import { addDestination, addressIdentity, addServer, destination, editServer, virtualServer } from './operations.ts';

const web = addressIdentity();
const pod = destination('10.1.0.1');

describe('the controls of the table in memory', () => {
  it('fail one operation that matches, which then does nothing', () => {
    const table = fakeIpvs();
    table.failNext((operation) => operation.kind === 'add-destination', 'ENOMEM');
    const result = table.apply([addServer(virtualServer(web)), addDestination(web, pod)]);
    expect(result.failures.map(({ index, error }) => [index, error.code])).toEqual([[1, 'ENOMEM']]);
    expect(table.dumpDestinations(web)).toEqual([]);
    expect(table.apply([addDestination(web, pod)]).failures).toEqual([]);
  });

  it('lose the replies of one call, whose work is done all the same', () => {
    const table = fakeIpvs();
    table.loseNextReplies();
    expect(table.apply([])).toEqual({ failures: [], unknown: false });
    expect(table.apply([addServer(virtualServer(web))]).unknown).toBe(true);
    expect(table.dump()).toHaveLength(1);
    expect(table.apply([editServer(virtualServer(web))])).toEqual({ failures: [], unknown: false });
  });

  it('count writes, refused ones included', () => {
    const table = fakeIpvs();
    table.apply([addServer(virtualServer(web)), addServer(virtualServer(web))]);
    expect(table.writes).toBe(2);
  });

  it('set the connections of a destination, which an edit keeps', () => {
    const table = fakeIpvs();
    table.apply([addServer(virtualServer(web)), addDestination(web, pod)]);
    table.setConnections(web, pod, { activeConnections: 3, inactiveConnections: 4 });
    table.apply([{ kind: 'edit-destination', identity: web, destination: { ...pod, weight: 0 } }]);
    expect(table.dumpDestinations(web)).toEqual([{ ...pod, weight: 0, activeConnections: 3, inactiveConnections: 4 }]);
    expect(() =>
      table.setConnections(web, { ...pod, port: 1 }, { activeConnections: 0, inactiveConnections: 0 }),
    ).toThrow('no destination 10.1.0.1:1 of TCP 192.0.2.1:80');
  });

  it('leave out schedulers', () => {
    const table = fakeIpvs({ schedulers: ['rr'] });
    const result = table.apply([
      addServer(virtualServer(web, { scheduler: 'mh' })),
      addServer(virtualServer(web)),
      editServer(virtualServer(web, { scheduler: 'wrr' })),
    ]);
    expect(result.failures.map(({ index, error }) => [index, error.code])).toEqual([
      [0, 'ENOENT'],
      [2, 'ENOENT'],
    ]);
  });
});
