/**
 * Cases in which another behaviour is advised than the one of v0.9.1: that of the newer release, or one of neither.
 * By name of the case.
 */

/** What is to happen: as that release did, or this. */
export type Advice =
  | 'v0.9.1'
  | 'v0.28.9'
  | { readonly result: string; readonly ops: readonly string[]; readonly subnets: readonly string[] }

/** The lowest hundred subnets of 10.5.0.0/16 without the one that is not free. */
const lowestWithout = (taken: number): readonly string[] =>
  Array.from({ length: 255 }, (_, index) => index + 1)
    .filter((third) => third !== taken)
    .slice(0, 100)
    .map((third) => `10.5.${third}.0-24`)

const oneToFifteen = Array.from({ length: 15 }, (_, index) => index + 1)

export const advisedOutcomes: Readonly<Record<string, Advice>> = {
  // The lease of another machine is neither taken over nor deleted.
  'held by another public IP': 'v0.28.9',
  'held by another public IP as a reservation': 'v0.28.9',
  'held by another host and out of range': 'v0.28.9',
  'previous in use and network full': 'v0.28.9',
  // A reservation stays one, a lost race is run again.
  'own reservation is reused and stays one': 'v0.9.1',
  'one lost race': 'v0.9.1',
  // Keys are read as a whole.
  'key with text around it': 'v0.28.9',
  // Both releases end with overlapping subnets.
  'overlapped by a lease of another length': {
    result: 'ok lease',
    ops: ['list', 'create $SUBNET ttl=86400'],
    subnets: lowestWithout(7),
  },
  'previous subnet is lost in a race': {
    result: 'ok lease',
    ops: ['list', 'create-exists 10.5.77.0-24', 'list', 'create $SUBNET ttl=86400'],
    subnets: lowestWithout(77),
  },
  // The release crashes after the deletion.
  'own lease has no v6 part': {
    result: 'ok lease',
    ops: ['list', 'delete 10.42.3.0-24', 'create $SUBNET ttl=86400'],
    subnets: oneToFifteen
      .filter((third) => third !== 3)
      .flatMap((third) => oneToFifteen.map((group) => `10.42.${third}.0-24&fc00:42:0:${group.toString(16)}::-64`)),
  },
}
