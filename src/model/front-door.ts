// What leads clients to the primary without a router: an address that moves, or a command of the user's (section `front_door`).

/** A virtual address on one network interface of whoever leads. */
export interface VirtualAddress {
  readonly kind: "address";
  readonly address: string;
  readonly prefixLength: number;
  readonly interface: string;
}

/** A command that is told what to do: DNS, a cloud's load balancer, a route announcement. */
export interface DoorCommand {
  readonly kind: "command";
  readonly command: string;
}

export type FrontDoorSettings = VirtualAddress | DoorCommand;
