import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const root = '/sys/fs/cgroup';
/** What the kubelet limits pods by. A kernel for one processor has no cpuset. */
const wanted = ['cpuset', 'cpu', 'memory', 'pids', 'io'];

/** The cgroup in which a node's pods lie. A controller must be on in every folder above the one that needs it. */
export async function prepareCgroup(name: string): Promise<void> {
  const folder = join(root, name);
  await mkdir(folder, { recursive: true });
  const has = (await readFile(join(root, 'cgroup.controllers'), 'utf8')).trim().split(' ');
  const controllers = wanted.filter((each) => has.includes(each)).map((each) => `+${each}`);
  for (const each of [root, folder]) await writeFile(join(each, 'cgroup.subtree_control'), controllers.join(' '));
}
