/** The description of the API that generated clients are made from. Form and texts: vectors fleet-api/01. */
import type { JsonValue } from '@cluster/fleet-api'

const text: JsonValue = { type: 'string' }
const state: JsonValue = { type: 'string', enum: ['inactive', 'loaded', 'launched'] }
const listOf = (name: string): JsonValue => ({ type: 'array', items: { $ref: name } })
const entity = (id: string, properties: JsonValue): JsonValue => ({ id, type: 'object', properties })
const queryParameter: JsonValue = { type: 'string', location: 'query' }
const unitName: JsonValue = { type: 'string', location: 'path', required: true }

const method = (id: string, description: string, httpMethod: string, path: string, rest: object): JsonValue => ({
  id: `fleet.${id}`,
  description,
  httpMethod,
  path,
  ...rest,
})

const single = { parameters: { unitName }, parameterOrder: ['unitName'] }

/** `GET discovery`. Our additions are left out: the document is of the API that everybody shares. */
export const discoveryDocument: JsonValue = {
  kind: 'discovery#restDescription',
  discoveryVersion: 'v1',
  id: 'fleet:v1',
  name: 'schema',
  version: 'v1',
  title: 'fleet API',
  description: '',
  documentationLink: 'http://github.com/coreos/fleet',
  protocol: 'rest',
  icons: { x16: '', x32: '' },
  labels: [],
  baseUrl: '$ENDPOINT/fleet/v1/',
  basePath: '/fleet/v1/',
  rootUrl: '$ENDPOINT/',
  servicePath: 'fleet/v1/',
  batchPath: 'batch',
  parameters: {},
  auth: {},
  schemas: {
    Machine: entity('Machine', {
      id: text,
      primaryIP: text,
      metadata: { type: 'object', properties: {}, additionalProperties: text },
    }),
    MachinePage: entity('MachinePage', { machines: listOf('Machine'), nextPageToken: text }),
    UnitOption: entity('UnitOption', { section: text, name: text, value: text }),
    Unit: entity('Unit', {
      name: text,
      options: listOf('UnitOption'),
      desiredState: state,
      currentState: state,
      machineID: { type: 'string', required: true },
    }),
    UnitPage: entity('UnitPage', { units: listOf('Unit'), nextPageToken: text }),
    UnitState: entity('UnitState', {
      name: text,
      hash: text,
      machineID: text,
      systemdLoadState: text,
      systemdActiveState: text,
      systemdSubState: text,
    }),
    UnitStatePage: entity('UnitStatePage', { states: listOf('UnitState'), nextPageToken: text }),
  },
  resources: {
    Machines: {
      methods: {
        List: method('Machine.List', 'Retrieve a page of Machine objects.', 'GET', 'machines', {
          parameters: { nextPageToken: queryParameter },
          response: { $ref: 'MachinePage' },
        }),
      },
    },
    Units: {
      methods: {
        List: method('Unit.List', 'Retrieve a page of Unit objects.', 'GET', 'units', {
          parameters: { nextPageToken: queryParameter },
          response: { $ref: 'UnitPage' },
        }),
        Get: method('Unit.Get', 'Retrieve a single Unit object.', 'GET', 'units/{unitName}', {
          ...single,
          response: { $ref: 'Unit' },
        }),
        Delete: method('Unit.Delete', 'Delete the referenced Unit object.', 'DELETE', 'units/{unitName}', single),
        Set: method('Unit.Set', 'Create or update a Unit.', 'PUT', 'units/{unitName}', {
          ...single,
          request: { $ref: 'Unit' },
        }),
      },
    },
    UnitState: {
      methods: {
        Get: method('UnitState.Get', 'Retrieve a page of a single UnitState object.', 'GET', 'state/{unitName}', {
          ...single,
          response: { $ref: 'UnitState' },
        }),
        List: method('UnitState.List', 'Retrieve a page of UnitState objects.', 'GET', 'state', {
          parameters: { nextPageToken: queryParameter, unitName: queryParameter, machineID: queryParameter },
          response: { $ref: 'UnitStatePage' },
        }),
      },
    },
  },
}
