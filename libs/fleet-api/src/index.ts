/**
 * The fleet v1 API: what it talks about, how that looks on the wire, and a client for it.
 * Works with our fleetd and with the original one.
 * @packageDocumentation
 */
export {
  createFleetClient,
  type FleetClient,
  type FleetClientOptions,
  type PutOutcome,
  type UnitChange,
} from './client.ts'
export {
  type BadAnswer,
  decodeBrake,
  decodeCordons,
  decodeErrorMessage,
  decodeExplanation,
  decodeMachinePage,
  decodeStatePage,
  decodeUnit,
  decodeUnitPage,
  decodeUnitState,
  encodeBrake,
  encodeCordons,
  encodeError,
  encodeExplanation,
  encodeMachine,
  encodeMetadataChanges,
  encodePage,
  encodeUnit,
  encodeUnitState,
  type Page,
} from './codec.ts'
export { type ConnectFleetOptions, connectFleet } from './connect.ts'
export { defaultEndpoint, type FleetEndpoint, parseEndpoint } from './endpoint.ts'
export { type FailedAnswer, FleetApiError, type FleetApiErrorCode } from './errors.ts'
export { type JsonValue, renderGoJson } from './go-json.ts'
export { decodePageToken, encodePageToken, type PageToken } from './page-token.ts'
export {
  type FleetBrake,
  type FleetCordon,
  type FleetMachine,
  type FleetUnit,
  type FleetUnitState,
  isTargetState,
  type MachineVerdict,
  type MetadataChange,
  type TargetState,
  targetStates,
  type UnitExplanation,
} from './schema.ts'
export type { FleetAnswer, FleetRequest, FleetTransport } from './transport.ts'
export { decodeWarning, encodeWarning } from './warning.ts'
