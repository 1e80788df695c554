/**
 * NEW_SERVICE and SET_SERVICE by the thousand: virtual servers mostly differ in their address, protocol and port alone, so
 * that a message is a copy of the one before with these written over.
 */

import type { VirtualServer } from '../../core/model/virtual-server.ts';
import { type Batch, createBatch, putFinished, resetBatch } from '../netlink/batch.ts';
import { identityFamily } from './refusal.ts';
import { encodeVirtualServer, rewriteIdentity } from './service-message.ts';

export type ServiceKind = 'add-virtual-server' | 'edit-virtual-server';

/** A message ready to be copied. */
export interface ServiceTemplate {
  readonly familyId: number;
  readonly message: Batch;
  /** The bytes of the message, as long as it is. */
  bytes: Uint8Array;
  kind: ServiceKind | undefined;
  /** A virtual server with the settings of the message. */
  like: VirtualServer | undefined;
}

/** Makes the template of a family id that `resolveGenericFamily` gave. */
export function createServiceTemplate(familyId: number): ServiceTemplate {
  const message = createBatch(256);
  return { familyId, message, bytes: message.bytes.subarray(0, 0), kind: undefined, like: undefined };
}

/** Appends NEW_SERVICE or SET_SERVICE. Returns 0, or an errno, with nothing written, for what must not be sent. */
export function encodeByTemplate(
  batch: Batch,
  template: ServiceTemplate,
  kind: ServiceKind,
  server: VirtualServer,
): number {
  const unwritten = isLike(template, kind, server) ? rewrite(template, server) : prepare(template, kind, server);
  if (unwritten === 0) putFinished(batch, template.bytes);
  return unwritten;
}

function isLike({ kind: kindBefore, like }: ServiceTemplate, kind: ServiceKind, server: VirtualServer): boolean {
  return (
    like !== undefined &&
    kindBefore === kind &&
    like.identity.kind === 'address' &&
    server.identity.kind === 'address' &&
    like.scheduler === server.scheduler &&
    like.flags === server.flags &&
    like.timeoutSeconds === server.timeoutSeconds &&
    like.prefixLength === server.prefixLength &&
    identityFamily(like.identity) === identityFamily(server.identity)
  );
}

/** The settings were admitted with the template. */
function rewrite({ message }: ServiceTemplate, { identity }: VirtualServer): number {
  return identity.kind === 'address' ? rewriteIdentity(message, identity) : 0;
}

function prepare(template: ServiceTemplate, kind: ServiceKind, server: VirtualServer): number {
  const { message } = template;
  template.like = undefined;
  resetBatch(message);
  const unwritten = encodeVirtualServer(message, template.familyId, kind, server);
  if (unwritten !== 0) return unwritten;
  template.bytes = message.bytes.subarray(0, message.length);
  template.kind = kind;
  template.like = server;
  return 0;
}
