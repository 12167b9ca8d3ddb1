/** The thread that moves a tunnel's packets. */
export {}
