import { parseArgs } from 'node:util';
import { runInLab } from './run.ts';
import { isLabSuite, runSuiteInLab } from './suites.ts';

const usage = `usage: npm run lab -- [--mem 2048M] [--time-limit SECONDS] COMMAND [ARGUMENTS]

Runs a command as root under a Linux kernel with IPVS, in a world of its own: it sees this machine's files and cannot
change them. "bash" gives a shell; "kernel", "api" and "cluster" run the tests of these names.`;

process.exitCode = await main(process.argv.slice(2));

async function main(argv: readonly string[]): Promise<number> {
  const first = firstOperand(argv);
  const { values } = parseArgs({
    args: argv.slice(0, first),
    options: { mem: { type: 'string' }, 'time-limit': { type: 'string' }, help: { type: 'boolean', short: 'h' } },
  });
  const [file, ...args] = argv.slice(first);
  if (values.help === true || file === undefined) {
    console.error(usage);
    return values.help === true ? 0 : 2;
  }
  const options = {
    ...(values.mem === undefined ? {} : { memory: values.mem }),
    ...(values['time-limit'] === undefined ? {} : { timeLimitSeconds: Number(values['time-limit']) }),
  };
  if (isLabSuite(file)) return runSuiteInLab(file, args, options);
  const defaults = { memory: '2048M', timeLimitSeconds: 86_400, results: undefined };
  return runInLab({ file, args, cwd: process.cwd(), env: {} }, { ...defaults, ...options });
}

/** The options of the command itself are not ours to read. */
function firstOperand(argv: readonly string[]): number {
  let index = 0;
  for (; index < argv.length; index++) {
    const each = argv[index] ?? '';
    if (each === '--') return index + 1;
    if (!each.startsWith('-')) return index;
    if (each === '--mem' || each === '--time-limit') index++;
  }
  return index;
}
