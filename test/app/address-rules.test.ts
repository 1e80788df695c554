import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { addressRulesOf } from '../../src/app/address-rules.ts';
import { makeConfig } from '../../src/app/config/make-config.ts';

const yaml = `
apiVersion: v1
clusters:
- name: one
  cluster: {server: "https://[fd00::1]:6443", certificate-authority: ca.crt}
- name: two
  cluster:
    certificate-authority-data: c2VydmVyOiBodHRwczovLzkuOS45Ljk=
    server: https://192.0.2.1:6443
- name: three
  cluster:
    server: https://api.example.org:6443
`;
const json = '{"clusters":[{"cluster":{"server":"https://192.0.2.1"},"name":"one"}]}';

test.each([
  [
    'YAML',
    yaml,
    [
      ['fd00::1', [6443]],
      ['192.0.2.1', [6443]],
    ],
  ],
  ['JSON', json, [['192.0.2.1', [443]]]],
  ['nothing', '', []],
])('the API server is where a kubeconfig in %s says', (_, text, expected) => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-kubeconfig-'));
  const kubeconfig = join(folder, 'config');
  writeFileSync(kubeconfig, text);
  const { apiServers } = addressRulesOf(makeConfig({ kubeconfig }));
  rmSync(folder, { recursive: true });
  expect([...apiServers].map(([address, ports]) => [address, [...ports]])).toEqual(expected);
});

test('the API server that is named counts, whatever the kubeconfig says', () => {
  const { apiServers } = addressRulesOf(makeConfig({ kubeconfig: '/nowhere', master: 'http://192.0.2.9' }));
  expect(apiServers).toEqual(new Map([['192.0.2.9', new Set([80])]]));
});

test('a kubeconfig that is not there names none', () => {
  expect(addressRulesOf(makeConfig({ kubeconfig: '/nowhere' })).apiServers.size).toBe(0);
});
