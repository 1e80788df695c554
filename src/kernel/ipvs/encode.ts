import type { IpvsOperation } from '../../core/model/operation.ts';
import type { Batch } from '../netlink/batch.ts';
import { command } from './constants.ts';
import { createDestinationTemplate, type DestinationTemplate, encodeDestination } from './destination-message.ts';
import { encodeIdentity } from './service-message.ts';
import { createServiceTemplate, encodeByTemplate, type ServiceTemplate } from './service-template.ts';

/** What encoding keeps from one message to the next. */
export interface Encoder {
  readonly familyId: number;
  readonly service: ServiceTemplate;
  readonly destination: DestinationTemplate;
}

/** No message is longer: 16 + 4 header, 48 of an identity, 72 of a destination; a virtual server stays below that. */
export const longestMessage = 160;

/** Makes an encoder for the message type of the IPVS family. */
export function createEncoder(familyId: number): Encoder {
  return {
    familyId,
    service: createServiceTemplate(familyId),
    destination: createDestinationTemplate(familyId),
  };
}

/** Appends the message of an operation. Returns 0, or an errno, with nothing written, for what must not be sent. */
export function encodeOperation(batch: Batch, encoder: Encoder, operation: IpvsOperation): number {
  switch (operation.kind) {
    case 'add-virtual-server':
    case 'edit-virtual-server':
      return encodeByTemplate(batch, encoder.service, operation.kind, operation.server);
    case 'remove-virtual-server':
      return encodeIdentity(batch, encoder.familyId, command.deleteService, operation.identity);
    case 'add-destination':
    case 'edit-destination':
    case 'remove-destination':
      return encodeDestination(batch, encoder.destination, operation);
  }
}
