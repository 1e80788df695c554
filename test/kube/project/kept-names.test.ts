import { expect, test } from 'vitest';
import { projectEndpointSlice } from '../../../src/kube/project/endpoint-slice.ts';
import { projectService } from '../../../src/kube/project/service.ts';
import { rawService, rawSlice } from '../objects.ts';

test('of the names of a Service and its slice only those are kept that others may name', () => {
  const kept = new Set<string>();
  const settings = {
    ownProxyNames: [],
    intern: (text: string) => {
      kept.add(text);
      return text;
    },
  };
  projectService(rawService('web'), settings);
  projectEndpointSlice(
    rawSlice('web-1', { endpoints: [{ addresses: ['10.1.0.2'], nodeName: 'node-1' }] }, { uid: 'u-1' }),
    settings,
  );
  expect([...kept].sort()).toStrictEqual(['default', 'default/web', 'http', 'node-1']);
});
