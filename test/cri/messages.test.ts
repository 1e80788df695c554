import { describe, expect, it } from 'vitest';
import { listPodSandbox, podSandboxStatus } from '../../src/cri/messages.ts';

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
  it('are read as Go writes them, and questions are written so that they say the same', () => {
    const filter = {
      state: { state: 'SANDBOX_READY' },
      labelSelector: { 'io.kubernetes.pod.name': 'web', 'io.kubernetes.pod.namespace': 'default' },
    } as const;
    expect(listPodSandbox.request.decode(Buffer.from(listRequest, 'hex')).filter).toMatchObject(filter);
    // Here the value 0 of the state is written out, which Go leaves out.
    expect(listPodSandbox.request.encode({ filter }).toString('hex')).toBe(
      listRequest.replace('0a4912001a1d', '0a4b120208001a1d'),
    );
    expect(podSandboxStatus.request.encode({ podSandboxId: 's1', verbose: true }).toString('hex')).toBe(statusRequest);
  });

  it('are read past fields of later versions', () => {
    expect(listPodSandbox.response.decode(Buffer.from(listResponse, 'hex'))).toMatchObject({
      items: [{ id: 's1', state: 'SANDBOX_NOTREADY' }],
    });
    expect(podSandboxStatus.response.decode(Buffer.from(statusResponse, 'hex'))).toMatchObject({
      status: {
        id: 's1',
        metadata: { name: 'web', uid: 'u1', namespace: 'default' },
        state: 'SANDBOX_READY',
        network: { ip: '10.1.0.2', additionalIps: [{ ip: 'fd01::2' }] },
        linux: { namespaces: { options: { network: 'NODE' } } },
      },
      info: { info: '{"pid":7}' },
    });
  });
});
