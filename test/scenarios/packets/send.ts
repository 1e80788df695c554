/** Sends the packets of many rows at once and says what came of each row, in the words of the contract. */

import type { RequestResult } from '../../lab/traffic/result.ts';
import { isAnswer } from '../../lab/traffic/result.ts';
import type { World } from '../../lab/world.ts';
import type { Outcome } from './contract.ts';
import { handlerOf, type NodeName, placeOf, type Row, targetOf } from './rows.ts';

/** What happened to the packets of one row. */
export interface Observation {
  readonly results: readonly RequestResult[];
  readonly text: string;
}

/** Long enough for a loaded machine; an answer ends the wait. */
const patienceMs = 10_000;
/** A packet that is dropped brings nothing, however long one waits. */
const silenceMs = 1_000;
/**
 * So many rows may be asked twice. Masquerade takes a random port. Where that is a port from which a connection to the
 * same endpoint went through the other node before, that node's IPVS takes the answer for one of that connection.
 */
const unluckyRows = 5;
/** How many rows without an answer wait side by side. */
const quietRows = 250;

/** `isSilent`: rows of which some packets get no answer though the contract promises one. */
export async function sendRows(
  world: World,
  rows: readonly Row[],
  isSilent: (row: Row) => boolean,
): Promise<ReadonlyMap<Row, Observation>> {
  const observed = new Map<Row, Observation>();
  const nextPort = sourcePorts();
  const send = async (row: Row, deadlineMs: number): Promise<void> => {
    const results = await sendRow(world, row, { deadlineMs, nextPort });
    observed.set(row, { results, text: describe(world, row, results) });
  };
  for (const { deadlineMs, batch } of batchesOf(rows, isSilent)) {
    await Promise.all(batch.map((row) => send(row, deadlineMs)));
  }
  const isUnlucky = (row: Row): boolean => observed.get(row)?.results.includes('timeout') ?? false;
  const unlucky = rows.filter((row) => isUnlucky(row) && !isQuiet(row, isSilent));
  if (unlucky.length <= unluckyRows) {
    for (const row of unlucky) await send(row, patienceMs);
  }
  return observed;
}

/** `far sees the client, near sees the node`, `REJECT`. */
export function outcomeText(outcome: Outcome): string {
  if (typeof outcome === 'string') {
    return outcome;
  }
  const parts = Object.entries(outcome).map(([pod, seen]) => `${pod} ${seen}`);
  return parts.sort().join(', ');
}

interface Batch {
  readonly deadlineMs: number;
  readonly batch: readonly Row[];
}

/**
 * Rows that are answered go one frontend of one source after the other: no two rows of such a batch share a virtual
 * server, whose round robin shows all endpoints to as many packets.
 */
function batchesOf(rows: readonly Row[], isSilent: (row: Row) => boolean): readonly Batch[] {
  const answered = new Map<string, Row[]>();
  for (const row of rows.filter((each) => !isQuiet(each, isSilent))) {
    const key = row.expected === 'REJECT' ? 'REJECT' : `${row.source} ${JSON.stringify(row.frontend)}`;
    answered.set(key, [...(answered.get(key) ?? []), row]);
  }
  const quiet = rows.filter((row) => isQuiet(row, isSilent));
  const quietBatches = Array.from({ length: Math.ceil(quiet.length / quietRows) }, (_, index) =>
    quiet.slice(index * quietRows, (index + 1) * quietRows),
  );
  return [
    ...[...answered.values()].map((batch) => ({ deadlineMs: patienceMs, batch })),
    ...quietBatches.map((batch) => ({ deadlineMs: silenceMs, batch })),
  ];
}

function isQuiet(row: Row, isSilent: (row: Row) => boolean): boolean {
  return row.expected === 'DROP' || isSilent(row);
}

interface Sending {
  readonly deadlineMs: number;
  readonly nextPort: (row: Row) => number;
}

async function sendRow(world: World, row: Row, { deadlineMs, nextPort }: Sending): Promise<readonly RequestResult[]> {
  const from = placeOf(world, row.source);
  const target = targetOf(world, row);
  const count = typeof row.expected === 'string' ? 1 : Object.keys(row.expected).length;
  const results: RequestResult[] = [];
  for (let sent = 0; sent < count; sent += 1) {
    results.push(await world.request(from, target, { deadlineMs, sourcePort: nextPort(row) }));
  }
  return results;
}

/**
 * No port of a sender twice. IPVS finds the connection of an answer by client and endpoint alone (ip_vs_conn_out_get in
 * net/netfilter/ipvs/ip_vs_conn.c): two connections from one port to two VIPs with one endpoint get each other's answers.
 */
function sourcePorts(): (row: Row) => number {
  const last = new Map<string, number>();
  return ({ source, protocol, family }) => {
    const key = `${source} ${protocol} ${family}`;
    const port = (last.get(key) ?? 32_767) + 1;
    last.set(key, port);
    return port;
  };
}

function describe(world: World, row: Row, results: readonly RequestResult[]): string {
  const failures = results.flatMap((result) => (isAnswer(result) ? [] : [result]));
  const seen = Object.fromEntries(
    results.filter(isAnswer).map(({ answeredBy, sourceSeen }) => [answeredBy, `sees ${whose(world, row, sourceSeen)}`]),
  );
  const parts = [
    ...Object.entries(seen).map(([pod, text]) => `${pod} ${text}`),
    ...new Set(failures.map((failure) => failureNames[failure] ?? failure)),
  ];
  return parts.sort().join(', ');
}

const failureNames: Readonly<Record<string, string>> = { refused: 'REJECT', timeout: 'DROP' };

function whose(world: World, row: Row, address: string): string {
  if (addressesOf(world, handlerOf(row)).includes(address)) {
    return 'the node';
  }
  const { addresses } = placeOf(world, row.source);
  return [...addresses.IPv4, ...addresses.IPv6].includes(address) ? 'the client' : address;
}

function addressesOf(world: World, name: NodeName): readonly string[] {
  const { addresses, podGateway } = world.node(name);
  return [...addresses.IPv4, ...addresses.IPv6, podGateway.IPv4, podGateway.IPv6];
}
