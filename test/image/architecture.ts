/** A machine that an image is built for. */
export interface Architecture {
  /** As Debian, Go and OCI call it. */
  readonly name: 'amd64' | 'arm64';
  /** As Node calls it. */
  readonly node: 'x64' | 'arm64';
  /** The folder of Debian's libraries, and what the names of its compilers begin with. */
  readonly triplet: string;
  /** The dynamic linker that programs name. */
  readonly interpreter: string;
  /** As readelf calls it. */
  readonly machine: string;
  /** The packages that hold the compiler. */
  readonly compiler: readonly string[];
  /** The npm registry's sha512 of the package that holds Node. */
  readonly nodeIntegrity: string;
}

/** Node in the image: a release with long-term support. */
export const nodeVersion = '24.21.0';

/** What `npm run image` can build. */
export const architectures: readonly Architecture[] = [
  {
    name: 'amd64',
    node: 'x64',
    triplet: 'x86_64-linux-gnu',
    interpreter: '/lib64/ld-linux-x86-64.so.2',
    machine: 'Advanced Micro Devices X86-64',
    compiler: ['g++-x86-64-linux-gnu'],
    nodeIntegrity: 'sha512-3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==',
  },
  {
    name: 'arm64',
    node: 'arm64',
    triplet: 'aarch64-linux-gnu',
    interpreter: '/lib/ld-linux-aarch64.so.1',
    machine: 'AArch64',
    compiler: ['g++-aarch64-linux-gnu'],
    nodeIntegrity: 'sha512-FpJRPEz2OvvTLfjIOlNGFY9JLPMKgl5m+d4oGYBLg24kJ1mmvN1Zl/HPJgF4HDaJ51ISev1l1cRZ/DM+keXW5g==',
  },
];

/** The machine that this runs on. */
export function ownArchitecture(): Architecture {
  const own = architectures.find(({ node }) => node === process.arch);
  if (own === undefined) throw new Error(`expected to run on x64 or arm64, found ${process.arch}`);
  return own;
}
