/** The thread that moves an overlay's packets over udp, as a file of its own beside the program. */
import '@cluster/linux-net/udp-tunnel-worker'
