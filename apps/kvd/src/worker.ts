/** The store's threads, as a file beside the program. */
import '@cluster/kv-server/worker'
