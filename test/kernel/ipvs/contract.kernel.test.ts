import { execaSync } from 'execa';
import { afterAll, describe, expect, it } from 'vitest';
import { openIpvs } from '../../../src/kernel/ipvs/open-ipvs.ts';
import { testIpvsContract } from './contract.ts';
import { ipvsadmLines } from './ipvsadm.ts';
import { makeNamespaces } from './namespaces.ts';

const namespaces = makeNamespaces('ipvs-contract');
const used: string[] = [];

afterAll(() => namespaces.close());

describe("the kernel's IPVS table", () => {
  testIpvsContract(() => {
    const networkNamespace = namespaces.take();
    used.push(networkNamespace);
    return openIpvs({ networkNamespace });
  });

  it('is read by ipvsadm as it is by us, after each of these tests', () => {
    const spoken = ipvsadmSays(used);
    expect(spoken.size).toBe(used.length);
    for (const networkNamespace of used) {
      const table = openIpvs({ networkNamespace });
      const lines = [...ipvsadmLines(table.dump())].sort();
      table.close();
      expect(lines).toEqual(spoken.get(networkNamespace));
    }
  }, 60_000);
});

/** `ipvsadm -Sn` of each network namespace, sorted; it reads over netlink with code of its own. */
function ipvsadmSays(paths: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const script = 'for path; do echo "= $path"; nsenter --net="$path" ipvsadm -Sn || exit 1; done';
  const { stdout } = execaSync('sh', ['-c', script, 'sh', ...paths]);
  const sections = stdout.split(/^= /m).slice(1);
  return new Map(
    sections.map((section) => {
      const [path = '', ...lines] = section.trimEnd().split('\n');
      return [path, lines.sort()];
    }),
  );
}
