import { trafficProgram } from '../../prerequisites/traffic.ts';
import type { Image } from '../containerd/image.ts';

/** A shell, and the program that answers and sends requests. */
const podImage = 'sluice.test/pod:1';

/** The image of the pods that tests start. */
export function answeringImage(): Image {
  const files = { '/bin/busybox': '/bin/busybox', '/bin/traffic': trafficProgram() };
  return { name: podImage, files, entrypoint: ['/bin/busybox', 'sh'] };
}

/**
 * A container that answers TCP and UDP at `port` in both families with the pod's name, as `world.traffic` understands
 * it. The program obeys its standard input, which therefore stays open.
 */
export function answeringContainer(port: number): object {
  const targets = ['TCP', 'UDP'].flatMap((protocol) => ['0.0.0.0', '::'].map((address) => `${protocol} ${address}`));
  const orders = targets.map((target, index) => `${index + 1} listen - ${target} ${port} $HOSTNAME`);
  const script = `(echo "${orders.join('\n')}"; exec busybox tail -f /dev/null) | exec traffic`;
  return {
    name: 'answering',
    image: podImage,
    imagePullPolicy: 'Never',
    command: ['/bin/busybox', 'sh', '-c', script],
    ports: [{ containerPort: port }],
    readinessProbe: { tcpSocket: { port }, periodSeconds: 1 },
  };
}
