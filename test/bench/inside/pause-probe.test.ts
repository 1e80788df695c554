import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ProbeAnswer } from './pause-probe.ts';

const probe = fileURLToPath(new URL('./pause-probe.ts', import.meta.url));

/** Stands still before its first connection, and whenever it is told to. */
const program = `
import { connect } from 'node:net';
const stand = (ms) => { const end = performance.now() + ms; while (performance.now() < end); };
process.on('message', ({ standMs = 0 }) => setTimeout(stand, 20, standMs));
stand(1_000);
connect(Number(process.argv[2]), '127.0.0.1', () => process.send('connected'));
`;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pause-probe-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('the probe in a program that it is loaded before', () => {
  it('tells the longest pause since the last question, but none of before the first connection', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const file = join(folder, 'program.mjs');
    await writeFile(file, program);
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    const child = fork(file, [String(port)], { execArgv: ['--import', 'tsx', '--import', probe] });
    const ask = async (question: object): Promise<ProbeAnswer> => {
      child.send(question);
      const [answer] = (await once(child, 'message')) as [ProbeAnswer];
      return answer;
    };
    await once(child, 'message');
    const loaded = await ask({ watch: true, standMs: 300 });
    await new Promise((resolve) => setTimeout(resolve, 500));
    const stood = await ask({ watch: false });
    child.kill();
    server.close();
    expect(loaded.loadMs).toBeGreaterThanOrEqual(1_000);
    expect(loaded.pauses.max).toBeLessThan(1_000);
    expect(stood.pauses.max).toBeGreaterThanOrEqual(300);
    expect(stood.cpuMs - loaded.cpuMs).toBeGreaterThan(0);
    expect(stood.busyMs - loaded.busyMs).toBeGreaterThanOrEqual(300);
    expect(stood.busyMs - loaded.busyMs).toBeLessThan(stood.upMs - loaded.upMs - 100);
    expect(stood.upMs - loaded.upMs).toBeGreaterThan(300);
  });
});
