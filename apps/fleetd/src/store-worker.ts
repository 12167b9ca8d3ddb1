/** The threads of the embedded store, as a file beside the program. */
import '@cluster/kv-server/worker'
