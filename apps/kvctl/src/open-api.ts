/** From the global flags to a client: endpoints, TLS, credentials, who the members are. */
import { readFile } from 'node:fs/promises'
import { readTlsFiles, type TlsOptions } from '@cluster/http'
import { createV2Api, isV2ApiError, type V2Api, type V2Request } from '@cluster/kv-client'
import { isClusterError } from '@cluster/prelude'
import { type Context, exitCode } from './command.ts'
import { endpointWords, parseEndpoint, parseLenientEndpoint, settingOf } from './endpoints.ts'
import { failed, isConnectionFailure, KvctlError, printFailure } from './failure.ts'
import { fileFailure, goQuoted } from './go-text.ts'

/** Ends a request that takes too long altogether (`--total-timeout`), or when the program is interrupted. */
export const totalDeadline = ({ globals, signal }: Context): AbortSignal =>
  AbortSignal.any([signal, AbortSignal.timeout(Math.max(0, Math.ceil(globals.durationMs('total-timeout'))))])

/** Does something with a client whose endpoints are the members' published addresses. */
export async function withApi(context: Context, use: (api: V2Api) => Promise<number>): Promise<number> {
  return await withUnsyncedApi(context, async (api) => {
    if (!context.globals.isOn('no-sync')) {
      const exit = await sync(context, api)
      if (exit !== undefined) return exit
    }
    debug(context, `Cluster-Endpoints: ${api.endpoints().join(', ')}`)
    return await use(api)
  })
}

/** Does something with a client that asks the endpoints as they were given. */
export async function withUnsyncedApi(context: Context, use: (api: V2Api) => Promise<number>): Promise<number> {
  await using api = await openApi(context)
  return await use(api)
}

async function openApi(context: Context): Promise<V2Api> {
  const { globals, random } = context
  const endpoints = await endpointsOf(context)
  const tls = await tlsOf(context)
  const credentials = await credentialsOf(context)
  return createV2Api({
    endpoints,
    tls,
    ...credentials,
    requestTimeoutMs: Math.max(1, Math.ceil(globals.durationMs('timeout'))),
    random,
    onRequest: (request) => debug(context, `cURL Command: ${curlLine(request)}`),
  })
}

const curlLine = ({ method, url, body }: V2Request): string =>
  `curl -X ${method} ${url}${body === undefined ? '' : ` -d ${goQuoted(body)}`}`

function debug({ globals, io }: Context, line: string): void {
  if (globals.isOn('debug')) io.stderr.write(`${line}\n`)
}

async function endpointsOf(context: Context): Promise<readonly string[]> {
  const { program, globals, io } = context
  const domain = settingOf(globals, io.env, 'discovery-srv', 'ETCDCTL_DISCOVERY_SRV')
  const discovered = domain === '' ? [] : await discover(context, domain)
  if (discovered.length > 0) return discovered
  return endpointWords(globals, io.env).map((word) => {
    const endpoint = program === 'kvctl' ? parseLenientEndpoint(word) : parseEndpoint(word)
    if (!endpoint.ok) throw new KvctlError('kvctl/failed', endpoint.error.message, { exit: endpoint.error.exit })
    return endpoint.value
  })
}

async function discover({ resolveService }: Context, domain: string): Promise<readonly string[]> {
  const services = [
    ['https', `_etcd-client-ssl._tcp.${domain}`],
    ['http', `_etcd-client._tcp.${domain}`],
  ] as const
  const found = await Promise.all(
    services.map(async ([scheme, name]) =>
      (await resolveService(name)).map(({ host, port }) => `${scheme}://${host}:${port}`),
    ),
  )
  return found.flat()
}

async function tlsOf({ globals, io }: Context): Promise<TlsOptions> {
  const setting = (flag: string, variable: string): string | undefined =>
    settingOf(globals, io.env, flag, variable) || undefined
  const files = {
    caFile: setting('ca-file', 'ETCDCTL_CA_FILE'),
    certFile: setting('cert-file', 'ETCDCTL_CERT_FILE'),
    keyFile: setting('key-file', 'ETCDCTL_KEY_FILE'),
  }
  // What cannot be opened is said as etcdctl says it; what is wrong inside as our library does.
  for (const file of [files.certFile, files.keyFile, files.caFile]) {
    if (file === undefined) continue
    await readFile(file).catch((error: unknown) => {
      throw failed(fileFailure('open', file, error))
    })
  }
  return await readTlsFiles(files).catch((error: unknown) => {
    if (isClusterError(error)) throw failed(error.message, error.hint)
    throw error
  })
}

type Credentials = { readonly username?: string; readonly password?: string }

async function credentialsOf({ globals, readPassword }: Context): Promise<Credentials> {
  const word = globals.text('username')
  if (word === '') return {}
  return await splitCredentials(word, () => readPassword('Password: '))
}

/** `NAME:PASSWORD` at its first colon; without one the password is asked for. */
export async function splitCredentials(
  word: string,
  ask: () => Promise<string>,
): Promise<{ readonly username: string; readonly password: string }> {
  const colon = word.indexOf(':')
  if (colon === -1) return { username: word, password: await ask() }
  return { username: word.slice(0, colon), password: word.slice(colon + 1) }
}

/** Prints and gives the exit code of a failure. */
async function sync(context: Context, api: V2Api): Promise<number | undefined> {
  const { io, signal } = context
  const before = api.endpoints().join(',')
  debug(context, `start to sync cluster using endpoints(${before})`)
  try {
    await api.sync({ signal: totalDeadline(context) })
  } catch (error) {
    if (signal.aborted || !isV2ApiError(error)) throw error
    if (error.code === 'kv-client/no-published-endpoints') {
      io.stderr.write('etcd cluster has no published client endpoints.\n')
      io.stderr.write(`Try '--no-sync' if you want to access non-published client endpoints(${before}).\n`)
    }
    return printFailure(io, error, isConnectionFailure(error) ? exitCode.badConnection : exitCode.serverError)
  }
  debug(context, `got endpoints(${api.endpoints().join(',')}) after sync`)
  return undefined
}
