/** UDP flows as the kernel's connection tracking knows them. */

export interface FlowEnd {
  readonly address: string;
  /** 0 to 65535. */
  readonly port: number;
}

export interface UdpFlow {
  /**
   * Conntrack's number of the entry: a hash of where it lies in memory and of the original ends (nf_ct_get_id). An entry
   * that took the place of one with the same original ends may have the same number.
   */
  readonly id: number;
  /** The client, as its datagrams come in. */
  readonly source: FlowEnd;
  /** What the client sends to. */
  readonly destination: FlowEnd;
  /** Whose answers belong to the flow: where the datagrams go after address translation. */
  readonly replySource: FlowEnd;
}
