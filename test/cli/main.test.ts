import { resolve } from 'node:path';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };

/** The process itself; everything else about the command line is tested without one. */
function sluice(...argv: readonly string[]) {
  const root = resolve(import.meta.dirname, '../..');
  return execa('node', ['--import', 'tsx', resolve(root, 'src/main.ts'), ...argv], { cwd: root, reject: false });
}

describe('the process', () => {
  it('prints its version and ends with 0', async () => {
    const { exitCode, stdout, stderr } = await sluice('version');
    expect({ exitCode, stdout, stderr }).toEqual({ exitCode: 0, stdout: `sluice ${packageJson.version}`, stderr: '' });
  });

  it('ends with 2 on a wrong command line and says so on standard error', async () => {
    const { exitCode, stdout, stderr } = await sluice('--vip-mode=x');
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toMatch(/^--vip-mode: expected one of address, route, given "x"/);
  });

  it('ends with 2 when the configuration file is not there', async () => {
    const { exitCode, stdout, stderr } = await sluice('--config=/none.conf');
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toMatch(/^--config: expected a file that can be read, given "\/none.conf": ENOENT: no such file/);
  });

  it('ends quietly when nobody reads what it prints', async () => {
    const running = sluice('--help');
    running.stdout.destroy();
    const { exitCode, stderr } = await running;
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  });
});
