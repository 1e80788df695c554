/** What `sluice trace` prints for people. */

import { isDeepStrictEqual } from 'node:util';
import type { TraceReport } from '../app/trace.ts';
import { formatEndpoint } from '../core/address.ts';
import type { Packet } from '../core/trace/packet.ts';
import type { SourceKind, SourceSeen, Trace, TraceStep, Verdict } from '../core/trace/result.ts';
import type { Styles } from './styles.ts';

/** Ends with a newline. */
export function traceText({ node, wanted, inKernel }: TraceReport, styles: Styles): string {
  const isInForce = isDeepStrictEqual(wanted, inKernel);
  const lines = [
    styles.bold(packetText(wanted.packet, node)),
    '',
    ...traceLines(wanted, styles),
    '',
    ...(isInForce
      ? [styles.dim('The kernel holds the same.')]
      : [
          styles.yellow('The kernel does not hold this now. By what it holds:'),
          '',
          ...traceLines(inKernel, styles),
          '',
          styles.dim('sluice plan shows what differs.'),
        ]),
  ];
  return `${lines.join('\n')}\n`;
}

function packetText({ source, destination, protocol, port }: Packet, node: string): string {
  const from = source ?? `a process on ${node}`;
  return `${protocol} from ${from} to ${formatEndpoint(destination, port)}, on ${node}`;
}

function traceLines(trace: Trace, styles: Styles): readonly string[] {
  const rows = [...trace.steps.map(stepRow), verdictRow(trace.verdict)];
  const width = Math.max(...rows.map(([where]) => where.length));
  return [
    ...rows.map(([where, what], index) => {
      const shown = index === rows.length - 1 ? verdictStyle(what, trace.verdict, styles) : what;
      return `  ${styles.dim(where.padEnd(width))}  ${shown}`;
    }),
    ...destinationLines(trace.verdict, width),
  ];
}

type Row = readonly [where: string, what: string];

function stepRow(step: TraceStep): Row {
  switch (step.step) {
    case 'source': {
      const address = step.address ?? 'address not known';
      return ['source', `${sourceNames[step.kind]}, ${address}: ${step.why}`];
    }
    case 'destination':
      return ['destination', destinationNames[step.kind]];
    case 'rule': {
      const found = step.element === undefined ? '' : `, element ${step.element}`;
      const mark = step.mark === 0 ? '' : `, mark 0x${step.mark.toString(16)}`;
      return [step.rule.chain, `rule "${step.rule.comment}"${found}${mark}`];
    }
    case 'virtual-server': {
      const owner = step.origin === undefined ? 'not sluice’s' : `Service ${step.origin}`;
      const view = viewWords[step.view];
      return ['ipvs', `virtual server ${step.key}, ${owner}${view}, scheduler ${step.scheduler}${keptText(step)}`];
    }
  }
}

function keptText({ persistenceSeconds, scheduler }: Extract<TraceStep, { step: 'virtual-server' }>): string {
  if (persistenceSeconds > 0) {
    return `, a client keeps its endpoint for ${persistenceSeconds} s`;
  }
  return scheduler === 'mh' || scheduler === 'sh' ? ', which chooses by the client’s address' : '';
}

const sourceNames: Readonly<Record<SourceKind, string>> = {
  'process-on-this-node': 'a process on this node',
  pod: 'a pod',
  'other-host': 'another host',
};

const destinationNames = {
  vip: 'a VIP',
  'node-address': 'an address of this node',
  elsewhere: 'no address of this node and no VIP',
} as const;

function verdictRow(verdict: Verdict): Row {
  switch (verdict.kind) {
    case 'balanced': {
      const { length } = verdict.destinations;
      return ['FORWARDED', length === 1 ? 'to the only endpoint' : `to one of ${length} endpoints`];
    }
    case 'rejected':
      return [
        'REJECTED',
        verdict.why === 'no-endpoint' ? 'the Service has no endpoint' : 'the VIP has no Service on this port',
      ];
    case 'dropped':
      return ['DROPPED', dropTexts[verdict.why]];
    case 'passed':
      return ['GOES ON', passTexts[verdict.why]];
  }
}

const dropTexts = {
  'no-endpoint-that-the-policy-allows': 'the Service has endpoints, but none that its traffic policy allows here',
  'no-service-has-it': 'the address is for Services, and none has it',
  'source-not-allowed': 'the source is in none of the Service’s loadBalancerSourceRanges',
} as const;

const passTexts = {
  'not-for-this-node': 'not sluice’s: the packet is not for this node',
  'no-virtual-server': 'not sluice’s: no Service has this address and port; a server on the node may answer',
  'health-check': 'to the health-check server of the Service, in the agent itself',
} as const;

function verdictStyle(text: string, { kind }: Verdict, styles: Styles): string {
  switch (kind) {
    case 'balanced':
      return styles.green(text);
    case 'rejected':
    case 'dropped':
      return styles.red(text);
    case 'passed':
      return styles.yellow(text);
  }
}

function destinationLines(verdict: Verdict, indent: number): readonly string[] {
  if (verdict.kind !== 'balanced') {
    return [];
  }
  const width = Math.max(...verdict.destinations.map(({ key }) => key.length));
  return verdict.destinations.map(({ key, weight, sees }) => {
    return `  ${' '.repeat(indent)}  ${key.padEnd(width)}  weight ${weight}, sees ${seenText(sees)}`;
  });
}

function seenText(sees: SourceSeen): string {
  const address = sees.address ?? 'an address of this node';
  return sees.kind === 'unchanged' ? address : `${address} by masquerade: ${sees.rule.comment}`;
}

const viewWords = {
  plain: '',
  inside: ', view of clients inside (fwmark)',
  direct: ', for endpoints that answer directly (fwmark)',
} as const;
