import { describe, expect, it } from 'vitest';
import { eventReason, isOfThisNode, refusalNote } from '../../src/core/refusal-note.ts';

describe('what an Event says of a refusal', () => {
  it('is where, what was expected, what was found, and what to do', () => {
    const refusal = {
      reason: 'frontend-claimed-by-older-service',
      subject: 'TCP 192.0.2.1:80',
      found: 'prod/older',
      expected: 'a frontend that no older Service claims',
    } as const;
    expect(refusalNote(refusal)).toBe(
      'TCP 192.0.2.1:80: expected a frontend that no older Service claims, found prod/older. Give one of the two Services another address or port.',
    );
  });

  it('has the reason as the API spells it', () => {
    expect(eventReason('address-of-the-api-server')).toBe('AddressOfTheApiServer');
  });

  it('is said by each node for itself where the node is the cause', () => {
    expect([isOfThisNode('kernel-refused'), isOfThisNode('scheduler-unknown')]).toEqual([true, false]);
  });
});
