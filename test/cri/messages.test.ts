import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { listPodSandbox, podSandboxStatus } from '../../src/cri/messages.ts';
import { readMessage, writeMessage } from '../../src/cri/wire.ts';

/*
 * What k8s.io/cri-api v0.36.3 writes for these messages in Go (proto.MarshalOptions{Deterministic: true}), among them
 * fields that sluice does not know.
 */
const listRequest =
  '0a4912001a1d0a16696f2e6b756265726e657465732e706f642e6e616d6512037765621a260a1b696f2e6b756265726e657465732e706f642e' +
  '6e616d657370616365120764656661756c74';
const listResponse = '0a2c0a02733112140a03776562120275311a0764656661756c742001180120072a060a01611201623a0472756e63';
const statusRequest = '0a0273311001';
const statusResponse =
  '0a450a02733112140a03776562120275311a0764656661756c74200120072a150a0831302e312e302e3212090a07666430313a3a323208' +
  '0a061204080210013a060a016112016212110a04696e666f12097b22706964223a377d2009';

describe('messages of the Container Runtime Interface', () => {
  it('ask as Go does', () => {
    const labels = { 'io.kubernetes.pod.name': 'web', 'io.kubernetes.pod.namespace': 'default' };
    // Here the value 0 of the state is written out, which Go leaves out.
    expect(hexOf(listPodSandbox(labels).request)).toBe(listRequest.replace('0a4912001a1d', '0a4b120208001a1d'));
    expect(hexOf(podSandboxStatus('s1').request)).toBe(statusRequest);
  });

  it('are read as Go writes them, past fields that sluice does not know', () => {
    expect(listPodSandbox({}).read(Buffer.from(listResponse, 'hex'))).toEqual(['s1']);
    expect(podSandboxStatus('s1').read(Buffer.from(statusResponse, 'hex')).status).toEqual({
      id: 's1',
      name: 'web',
      namespace: 'default',
      isReady: true,
      addresses: ['10.1.0.2', 'fd01::2'],
      isHostNetwork: true,
      info: '{"pid":7}',
    });
  });

  it('may lack everything', () => {
    expect(listPodSandbox({}).read(new Uint8Array())).toEqual([]);
    expect(podSandboxStatus('s1').read(new Uint8Array()).status).toBeUndefined();
    expect(podSandboxStatus('s1').read(writeMessage([1, new Uint8Array()])).status).toMatchObject({
      id: '',
      addresses: [],
      isReady: true,
      isHostNetwork: false,
    });
  });
});

describe('Protocol Buffers', () => {
  const fields = fc.array(
    fc.tuple(
      fc.integer({ min: 1, max: 500 }),
      fc.oneof(fc.string({ unit: 'binary' }), fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER })),
    ),
  );

  it('are read as they are written', () => {
    fc.assert(
      fc.property(fields, (written) => {
        const message = readMessage(writeMessage(...written));
        for (const [number] of written) {
          const last = written.findLast(([other, value]) => other === number && typeof value === 'string');
          expect(message.text(number)).toBe(last?.[1] ?? '');
          const lastNumber = written.findLast(([other, value]) => other === number && typeof value === 'number');
          expect(message.number(number)).toBe(lastNumber?.[1] ?? 0);
        }
      }),
    );
  });

  it.each([
    ['cut short', '0a05616263'],
    ['of another wire type', '0b'],
    ['with a number without an end', '08ffffffffffffffffffffff01'],
  ])('are refused when they are %s', (_, hex) => {
    expect(() => readMessage(Buffer.from(hex, 'hex'))).toThrow(RangeError);
  });

  it('never make the reader fail in another way', () => {
    const outcomeOf = (bytes: Uint8Array): string => {
      try {
        readMessage(bytes);
        return 'read';
      } catch (error) {
        return error instanceof RangeError ? 'refused' : String(error);
      }
    };
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(['read', 'refused']).toContain(outcomeOf(bytes));
      }),
    );
  });
});

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
