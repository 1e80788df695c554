import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { moduleAdvice } from '../../../src/app/host/module-advice.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-advice-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

it('sends to the node, or to the init container, where the modules of the kernel are not to be seen', () => {
  expect(moduleAdvice('ip_vs', folder)).toBe(
    `${folder}/${release()} is not here: run modprobe ip_vs on the node itself, or mount the node's ${folder} and run sluice run --init-only with all privileges`,
  );
});

it('says where modules were looked for, where they are', () => {
  mkdirSync(join(folder, release()));
  expect(moduleAdvice('ip_vs', folder)).toMatch(
    `run modprobe ip_vs on this node; if it finds no such module in ${folder}/${release()}, install`,
  );
});
