import { expect, it } from 'vitest';
import type { Preview } from '../../src/app/preview.ts';
import { planText } from '../../src/cli/plan-text.ts';
import { stylesFor } from '../../src/cli/styles.ts';
import type { Reason, Refusal } from '../../src/core/model/reason.ts';

function refusal(reason: Reason, found: string): Refusal {
  return { reason, subject: 'spec.externalIPs', found, expected: 'another' };
}

it('tells what is refused from what is programmed but reported', () => {
  const refusals = [
    refusal('address-of-a-node', '192.0.2.1'),
    refusal('address-not-in-allowed-range-audited', '192.0.2.2'),
  ];
  const preview: Preview = {
    services: [{ service: 'default/web', changes: [], refusals }],
    foreign: [],
    counts: { services: 1, operations: 0 },
  };
  const plain = stylesFor({ isTTY: false, columns: 80, write: () => true }, {});
  expect(planText(preview, plain)).toBe(`default/web
  ! spec.externalIPs: address-of-a-node, found 192.0.2.1, expected another
  ? spec.externalIPs: address-not-in-allowed-range-audited, found 192.0.2.2, expected another

1 Service: in sync, 1 refused, 1 programmed but reported
`);
});
