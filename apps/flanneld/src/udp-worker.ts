/** The thread of the udp backend, as a file of its own beside the program. */
import '@cluster/linux-net/udp-tunnel-worker'
