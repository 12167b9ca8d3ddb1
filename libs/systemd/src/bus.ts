/** A connection to a D-Bus message bus: calls with a deadline, signals, and word when it is gone. Wraps dbus-next. */
import { EventEmitter } from 'node:events'
import { type Clock, isClusterError } from '@cluster/prelude'
import { DBusError, Message, MessageFlag, MessageType, sessionBus } from 'dbus-next'
import { errorOfReply, SystemdError } from './errors.ts'

export type BusCall = {
  /** What is asked, for messages: `start of a.service`. */
  readonly what: string
  readonly destination: string
  readonly path: string
  readonly interface: string
  readonly member: string
  readonly signature?: string
  readonly body?: readonly unknown[]
  /** Default: the connection's. */
  readonly timeoutMs?: number
  /** Error names that are an answer here, not a failure: the call then gives undefined. */
  readonly fineErrors?: readonly string[]
}

export type BusSignal = {
  readonly path: string
  readonly interface: string
  readonly member: string
  readonly body: readonly unknown[]
}

export type BusConnection = {
  /**
   * The body of the reply; undefined for one of `fineErrors`.
   *
   * @throws SystemdError `systemd/unavailable`, `systemd/timeout`, `systemd/refused`
   */
  readonly call: (call: BusCall) => Promise<readonly unknown[] | undefined>
  readonly isOpen: () => boolean
  /** Ends the connection; calls in flight fail with `systemd/unavailable`. `onClosed` is not called. */
  readonly close: () => void
}

export type BusOptions = {
  /** `unix:path=…`; several may be given with `;` between them. */
  readonly address: string
  readonly clock: Clock
  /** For connecting, and for calls that name none. */
  readonly timeoutMs: number
  readonly onSignal: (signal: BusSignal) => void
  /** Called once when the bus goes away by itself. */
  readonly onClosed: (reason: string) => void
}

/** The system bus refuses the 129th call that waits for its reply (max_replies_per_connection in system.conf). */
const callsInFlightMax = 64

/**
 * Connects and says hello.
 *
 * @throws SystemdError `systemd/unavailable`
 */
export async function connectBus({
  address,
  clock,
  timeoutMs,
  onSignal,
  onClosed,
}: BusOptions): Promise<BusConnection> {
  // of calls in flight: none may wait for an answer that cannot come any more
  const pending = new Set<(error: SystemdError) => void>()
  let state: 'connecting' | 'open' | 'closed' = 'connecting'

  let bus: ReturnType<typeof sessionBus>
  try {
    // our own socket, instead of the optional native addon that dbus-next takes for `path=`
    bus = sessionBus({ busAddress: address.replaceAll(/\bunix:path=/g, 'unix:socket=') })
  } catch (cause) {
    throw noBus(address, cause)
  }

  function close(error: SystemdError): void {
    state = 'closed'
    for (const reject of pending) reject(error)
    pending.clear()
    bus.disconnect()
  }

  function hungUp(reason: string, cause?: unknown): void {
    if (state === 'closed') return
    const wasOpen = state === 'open'
    close(wasOpen ? lostBus(address, reason, cause) : noBus(address, cause ?? new Error(reason)))
    if (wasOpen) onClosed(reason)
  }

  /** The promise, unless it is late or the connection ends first. */
  function bounded<T>(work: Promise<T>, ms: number, late: () => SystemdError): Promise<T> {
    return new Promise((resolve, reject) => {
      const done = new AbortController()
      const settle = (act: () => void): void => {
        pending.delete(fail)
        done.abort()
        act()
      }
      const fail = (error: unknown): void => settle(() => reject(error))
      pending.add(fail)
      work.then((value) => settle(() => resolve(value)), fail)
      clock.sleep(ms, done.signal).then(() => {
        if (!done.signal.aborted) fail(late())
      }, fail)
    })
  }

  bus.on('error', (error: unknown) => hungUp(error instanceof Error ? error.message : String(error), error))
  // dbus-next does not pass on that the bus hung up
  const inner: unknown = Reflect.get(bus, '_connection')
  if (inner instanceof EventEmitter) inner.on('end', () => hungUp('the bus hung up'))
  bus.on('message', (message: Message) => {
    if (state !== 'open' || message.type !== MessageType.SIGNAL) return
    onSignal({ path: message.path, interface: message.interface, member: message.member, body: message.body })
  })

  try {
    const hello = new Promise<void>((resolve) => bus.on('connect', resolve))
    await bounded(hello, timeoutMs, () => noBus(address, new Error(`no hello within ${timeoutMs} ms`)))
  } catch (error) {
    close(lostBus(address, 'never connected'))
    throw error
  }
  state = 'open'

  let inFlight = 0
  const waiting: (() => void)[] = []

  async function call(request: BusCall): Promise<readonly unknown[] | undefined> {
    if (inFlight < callsInFlightMax) inFlight += 1
    else await new Promise<void>((resolve) => waiting.push(resolve))
    try {
      return await callNow(request)
    } finally {
      const next = waiting.shift()
      if (next === undefined) inFlight -= 1
      else next()
    }
  }

  async function callNow(request: BusCall): Promise<readonly unknown[] | undefined> {
    const { what, body, fineErrors, timeoutMs: callTimeoutMs = timeoutMs, ...target } = request
    if (state !== 'open') throw lostBus(address, 'not connected')
    const message = new Message({
      ...target,
      // a systemd that is away must not be "started" by the bus
      flags: MessageFlag.NO_AUTO_START,
      ...(body !== undefined && { body: [...body] }),
    })
    try {
      const reply = await bounded(bus.call(message), callTimeoutMs, () => noAnswer(what, callTimeoutMs))
      return reply?.body ?? []
    } catch (error) {
      if (isClusterError(error)) throw error
      if (!(error instanceof DBusError)) {
        throw new SystemdError('systemd/unavailable', `${what}: the call cannot be sent`, { cause: error })
      }
      if (fineErrors?.includes(error.type) === true) return undefined
      throw errorOfReply(what, { name: error.type, text: error.text })
    }
  }

  return {
    call,
    isOpen: () => state === 'open',
    close: () => {
      if (state !== 'closed') close(lostBus(address, 'closed by us'))
    },
  }
}

const noAnswer = (what: string, timeoutMs: number): SystemdError =>
  new SystemdError('systemd/timeout', `${what}: no answer from systemd within ${timeoutMs} ms`, {
    hint: 'see systemctl list-jobs and the load of this machine',
  })

const noBus = (address: string, cause: unknown): SystemdError =>
  new SystemdError('systemd/unavailable', `no D-Bus at ${address}`, {
    hint: 'this needs a machine with systemd as its init and dbus.service active',
    cause,
  })

const lostBus = (address: string, reason: string, cause?: unknown): SystemdError =>
  new SystemdError('systemd/unavailable', `the connection to D-Bus at ${address} is lost: ${reason}`, {
    hint: 'it is tried again by itself; see systemctl status dbus.service when this goes on',
    cause,
  })
