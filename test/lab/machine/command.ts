/** What is to run in the lab. */
export interface LabCommand {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** Set in addition to what the lab sets itself; the host's environment is passed on. */
  readonly env: Readonly<Record<string, string>>;
}

/** How the lab is to run it. */
export interface LabOptions {
  /** Memory of the machine, in the kernel's spelling: "2048M". */
  readonly memory: string;
  /** After so many seconds the run is ended and has failed. */
  readonly timeLimitSeconds: number;
  /** A folder of the host that receives what the command leaves in the folder named by `$SLUICE_LAB_RESULTS`. */
  readonly results: string | undefined;
  /** Told the folder of the host in which what the command leaves there can be seen while it runs. */
  readonly onStart?: (results: string) => void;
  /** Receives what the command prints, which otherwise goes to our own output. */
  readonly onOutput?: (chunk: Buffer) => void;
}

/** A shell script that runs the command, with the environment as it is here. `results` is a folder inside the lab. */
export function commandScript(command: LabCommand, results: string): string {
  // Vitest colours its output in pipes too.
  const plain = process.stdout.isTTY ? {} : { NO_COLOR: '1' };
  const lab = { SLUICE_LAB: '1', SLUICE_LAB_RESULTS: results };
  const environment = Object.entries({ ...process.env, ...plain, ...command.env, ...lab });
  return [
    ...environment.flatMap(([name, value]) => {
      const exportable = value !== undefined && /^[A-Za-z_]\w*$/.test(name);
      return exportable ? [`export ${name}=${quote(value)}`] : [];
    }),
    `cd ${quote(command.cwd)} || exit 127`,
    `exec ${[command.file, ...command.args].map(quote).join(' ')}`,
    '',
  ].join('\n');
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
