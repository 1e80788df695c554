import { fstatSync } from 'node:fs';

export interface Calibration {
  /** The cheapest system call that Node offers, in microseconds. */
  readonly systemCallMicroseconds: number;
  /** The first touch of a page of memory, in microseconds. */
  readonly pageFaultMicroseconds: number;
}

/** What this machine charges for the two things that dominate under user-mode Linux. */
export function calibrate(): Calibration {
  return { systemCallMicroseconds: systemCall(), pageFaultMicroseconds: pageFault() };
}

function systemCall(): number {
  const count = 20_000;
  fstatSync(1);
  const began = performance.now();
  for (let call = 0; call < count; call += 1) {
    fstatSync(1);
  }
  return ((performance.now() - began) * 1_000) / count;
}

function pageFault(): number {
  const pageSize = 4096;
  const count = 8_192;
  const memory = Buffer.allocUnsafeSlow(count * pageSize);
  const began = performance.now();
  for (let page = 0; page < count; page += 1) {
    memory[page * pageSize] = 1;
  }
  return ((performance.now() - began) * 1_000) / count;
}
