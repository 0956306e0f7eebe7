/** Version of this daemon: that of its package. */
export const daemonVersion = "0.1.0";
