/**
 * The path of a key below /proc/sys, by the rule of sysctl(8): the first separator tells which one it is. After a first
 * dot dots separate and a slash stands for a dot (`net.ipv4.conf.eth0/100.rp_filter`); after a first slash the key is
 * the path (`net/ipv4/conf/eth0.100/rp_filter`). Undefined for what is no key.
 */
export function sysctlPath(key: string): string | undefined {
  const separator = /[./]/.exec(key)?.[0];
  const path = separator === '.' ? key.replace(/[./]/g, (each) => (each === '.' ? '/' : '.')) : key;
  const isKey = path.split('/').every((part) => part !== '' && part !== '.' && part !== '..' && !part.includes('\0'));
  return isKey ? path : undefined;
}
