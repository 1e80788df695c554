import { destinationKey, virtualServerKey } from '../../core/keys.ts';
import type { IpvsOperation } from '../../core/model/operation.ts';

/** An operation in words for people: `add destination 10.1.0.2:8080 to TCP 10.96.0.1:80`. */
export function describeIpvsOperation(operation: IpvsOperation): string {
  switch (operation.kind) {
    case 'add-virtual-server':
      return `add virtual server ${virtualServerKey(operation.server.identity)}`;
    case 'edit-virtual-server':
      return `edit virtual server ${virtualServerKey(operation.server.identity)}`;
    case 'remove-virtual-server':
      return `remove virtual server ${virtualServerKey(operation.identity)}`;
    case 'add-destination':
      return `add destination ${destinationKey(operation.destination)} to ${virtualServerKey(operation.identity)}`;
    case 'edit-destination':
      return `edit destination ${destinationKey(operation.destination)} of ${virtualServerKey(operation.identity)}`;
    case 'remove-destination':
      return `remove destination ${destinationKey(operation.destination)} from ${virtualServerKey(operation.identity)}`;
  }
}
