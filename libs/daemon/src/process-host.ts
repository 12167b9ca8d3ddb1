/** What a daemon needs of its process, as a port: signals in, text and exit codes out. */
import { setMaxListeners } from 'node:events'

export type ProcessHost = {
  /** Listens from this call on, to the end of the process. */
  readonly listen: (handlers: {
    /** SIGTERM or SIGINT, by name. */
    readonly terminate: (signalName: string) => void
    /** SIGHUP. */
    readonly reload: () => void
    /** An error that nobody caught. */
    readonly uncaught: (error: unknown) => void
  }) => void
  readonly printError: (text: string) => void
  /** Ends the process now. */
  readonly exit: (code: number) => void
  /** Lets the process end by itself with this code; what still keeps it alive after a second is cut off. */
  readonly finish: (code: number) => void
}

/** The process we are. */
export const nodeHost: ProcessHost = {
  listen: ({ terminate, reload, uncaught }) => {
    // One stop signal serves everything that is under way, hundreds of requests when a store is slow. Node warns of a
    // leak at eleven listeners; a real one still shows.
    setMaxListeners(1000)
    process.on('SIGTERM', terminate)
    process.on('SIGINT', terminate)
    process.on('SIGHUP', reload)
    process.on('uncaughtException', uncaught)
    process.on('unhandledRejection', uncaught)
  },
  printError: (text) => {
    process.stderr.write(text)
  },
  exit: (code) => process.exit(code),
  finish: (code) => {
    process.exitCode = code
    setTimeout(() => process.exit(code), 1000).unref()
  },
}
