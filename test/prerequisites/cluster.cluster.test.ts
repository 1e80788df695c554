import { expect, test } from 'vitest';
import { output } from '../lab/execute.ts';
import { corednsProgram } from './coredns.ts';
import { clusterProgram, clusterPrograms } from './kubernetes.ts';

test.each(clusterPrograms)('%s runs in the lab and is of the API server’s version', async (name) => {
  expect(await output('-', [clusterProgram(name), '--version'])).toBe('Kubernetes v1.36.3\n');
});

test('CoreDNS runs in the lab and has what the names of Services need', async () => {
  expect(await output('-', [corednsProgram(), '-plugins'])).toContain('kubernetes');
});
